"""Batches that ranks share among themselves: what all of them come to is what one would."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from support.lockstep import in_lockstep, shards
from support.loss_rows import ROWS, LossRow, partly_given, target
from support.losses import term

import netc
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.training.descent import Descent
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.objective import Objective
from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.term_table import TERMS
from netc.compiler.training.train_step import TrainStep, train_step
from netc.runtime.kerneldef import Array
from netc.runtime.training.stepper import Stepper, initial_state, scalars
from netc.runtime.weights.initialize import initialize

# What the losses take that are not about logits or numbers.
ENDINGS = {"dice": " -> SIGMOID", "nll": " -> LOGSOFTMAX"}
SIZES = ((5,), (3, 2), (1, 0, 4))
L2 = TERMS["regularize"].term("l2", strength=0.1)


def stepped(
    program: str,
    objective: Objective,
    feeds: Mapping[str, Array],
    sizes: Sequence[int],
    *,
    targets: Mapping[str, TensorType] | None = None,
    engine: str = "numpy",
    **options: Any,
) -> tuple[dict[str, Array], list[dict[str, Array]]]:
    """Loss and state after a step of SGD on a whole batch, and on each rank of those that share."""
    graph = netc.compile(program).graph
    sgd = Descent(OPTIMIZERS.term("sgd", momentum=0.9))

    def step(**more: Any) -> TrainStep:
        return train_step(graph, objective, sgd, targets=targets, **more)

    whole, state = step(), initialize(graph, 0)
    given = scalars(whole.graph, 3, 0.1, 0.9)
    alone = Stepper(whole, state)
    results = alone.advance({**feeds, **given})
    expected = {"loss": results["loss"], **{f"{n}.next": a for n, a in alone.state.items()}}
    cut = step(shards=True, **options)
    started = initial_state(cut, state)
    found = in_lockstep(cut, shards(feeds, sizes), started, given, engine=engine)
    return expected, found


def check_equal(expected: Mapping[str, Array], found: Sequence[Mapping[str, Array]]) -> None:
    """Each rank has the loss and the state of one that saw the whole batch; all have the same."""
    for rank in found:
        for name, array in rank.items():
            if name in expected:
                np.testing.assert_array_equal(array, found[0][name])
                np.testing.assert_allclose(array, expected[name], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_loss_is_that_of_the_whole_batch(row: LossRow, sizes: tuple[int, ...]) -> None:
    """Shards of any sizes, with any targets left out, sum to the batch's loss and gradients."""
    random = np.random.default_rng(1)
    t = partly_given(row.kind, random, target(row.kind, random, (5, 3)))
    if row.kind == "indices":
        t[1] = row.arguments.get("ignore_index", t[1])
    indexed = row.kind == "indices"
    type = TensorType(DType.INT64 if indexed else DType.FLOAT32, (BATCH, *t.shape[1:]))
    feeds = {"input": random.normal(0, 1, (5, 4)).astype(np.float32)}
    if LOSSES[row.name].compares:
        feeds["target"] = t if indexed else t.astype(np.float32)
    objective = Objective({"output": term(row.name, **row.arguments)}, regularize=(L2,))
    program = f"INPUT(4) -> FC(3){ENDINGS.get(row.name, '')} as output"
    check_equal(*stepped(program, objective, feeds, sizes, targets={"output": type}))


IMAGE = "INPUT(4x4x2) -> CONV(3x3, 3)"
LABELLED = Objective({"output": term("cross_entropy", class_weights=(1.0, 5.0, 0.5))})


def labelled(shape: tuple[int, ...], count: int = 6) -> dict[str, Array]:
    """Images or vectors with a label each."""
    random = np.random.default_rng(2)
    x = random.normal(1, 2, (count, *shape)).astype(np.float32)
    return {"input": x, "target": random.integers(0, 3, count)}


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(
    "program",
    [
        f"{IMAGE} -> BN -> RELU -> CONV(3x3, 4) -> BN -> GAP -> FC(3) as output",
        f"{IMAGE} -> BN -> RELU -> BN(frozen=yes) -> FC(3) as output",
        f"{IMAGE} -> DROPOUT(0.5) -> NOISE(0.1) -> FC(3) as output",
        f"{IMAGE} -> POOL(stochastic) -> DROPPATH(0.5) -> DROPCONNECT(0.5) -> FC(3) as output",
        f"{IMAGE} -> FC(3, norm=spectral) as output",
    ],
    ids=["bn", "frozen", "noise", "more noise", "spectral"],
)
def test_ranks_equal_one(program: str, engine: str) -> None:
    """Noise is that of the whole batch, and so are statistics where they are synchronized."""
    feeds = labelled((2, 4, 4))
    check_equal(*stepped(program, LABELLED, feeds, (3, 1, 2), engine=engine, sync_bn=True))


def test_statistics_of_each_rank() -> None:
    """Each rank normalizes by its own shard, and the running statistics are the ranks' mean."""
    feeds = labelled((2,))
    objective = Objective({"output": term("cross_entropy")})
    _, found = stepped("INPUT(2) -> BN -> FC(3) as output", objective, feeds, (4, 2))
    x = feeds["input"].astype(np.float64)
    mean = (4 * x[:4].mean(axis=0) + 2 * x[4:].mean(axis=0)) / 6
    variance = (4 * x[:4].var(axis=0, ddof=1) + 2 * x[4:].var(axis=0, ddof=1)) / 6
    for rank in found:
        np.testing.assert_allclose(rank["bn1.running_mean.next"], 0.1 * mean, rtol=1e-5)
        np.testing.assert_allclose(rank["bn1.running_var.next"], 0.9 + 0.1 * variance, rtol=1e-5)


def test_several_losses() -> None:
    """Each of several losses leaves out its own elements, and the total is weighted as before."""
    program = "h = INPUT(2) -> FC(4)\noutput cls = h -> FC(3)\noutput box = h -> FC(2)"
    losses = {"cls": term("cross_entropy", ignore_index=1), "box": term("mse", half=False)}
    feeds = labelled((2,))
    box = np.random.default_rng(3).normal(0, 1, (6, 2)).astype(np.float32)
    box[:3] = np.nan
    feeds = {"input": feeds["input"], "target.cls": feeds["target"], "target.box": box}
    expected, found = stepped(program, Objective(losses, {"box": 0.5}), feeds, (2, 1, 3))
    check_equal(expected, found)
    assert {"loss.cls", "loss.box"} <= found[0].keys()


def test_noise_in_loops_differs_between_ranks() -> None:
    """What a loop draws is not the same for the samples of all shards."""
    program = "block B(; x, h) { ( x -> DROPOUT(0.5) | h ) -> ADD }\n"
    program += "INPUT(3x4, sequence) -> SCAN(B, states=4) -> FLATTEN -> FC(3) as output"
    graph = netc.compile(program).graph
    sgd = Descent(OPTIMIZERS.term("sgd"))
    step = train_step(graph, Objective({"output": term("cross_entropy")}), sgd, shards=True)
    feeds = labelled((3, 4), 4)
    feeds["input"][2:] = feeds["input"][:2]
    start = initial_state(step, initialize(graph, 0))
    first, second = in_lockstep(
        step, shards(feeds, (2, 2)), start, scalars(step.graph, 0, 0.1, 0.0)
    )
    assert not np.allclose(first["output"], second["output"])
