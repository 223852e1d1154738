"""Data that know that nothing is missing from their targets: losses look for no gaps then."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from support.loss_rows import ROWS, LossRow, target
from support.losses import term

import netc
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.collective import ALL_REDUCE
from netc.compiler.training.descent import Descent
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.objective import Objective
from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.train_step import train_step
from netc.runtime.kerneldef import Array
from netc.runtime.ranks.team import Team
from netc.runtime.training.stepper import Stepper, scalars
from netc.runtime.weights.initialize import initialize

ENDINGS = {"dice": " -> SIGMOID", "nll": " -> LOGSOFTMAX"}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_losses_of_complete_targets(row: LossRow) -> None:
    """Where nothing is missing, looking for it changes nothing but the operators."""
    random = np.random.default_rng(1)
    t = target(row.kind, random, (5, 3))
    if row.kind == "indices":
        t[t == row.arguments.get("ignore_index")] = 0
    dtype = DType.INT64 if row.kind == "indices" else DType.FLOAT32
    feeds = {"input": random.normal(0, 1, (5, 4)).astype(np.float32)}
    if LOSSES[row.name].compares:
        feeds["target"] = t.astype(dtype.value)
    graph = netc.compile(f"INPUT(4) -> FC(3){ENDINGS.get(row.name, '')} as output").graph
    objective = Objective({"output": term(row.name, **row.arguments)})
    types = {"output": TensorType(dtype, (BATCH, *t.shape[1:]))}
    found = []
    for complete in (frozenset(), frozenset({"output"})):
        step = train_step(
            graph,
            replace(objective, complete=complete),
            Descent(OPTIMIZERS.term("sgd")),
            targets=types,
        )
        stepper = Stepper(step, initialize(graph, 0))
        results = stepper.advance({**feeds, **scalars(step.graph, 0, 0.1, 0.9)})
        found.append({"loss": results["loss"], **stepper.state})
        if complete:
            assert "IsNaN" not in {node.op_type for node in step.graph.records}
    for name, array in found[0].items():
        np.testing.assert_allclose(found[1][name], array, rtol=1e-5, atol=1e-6)


LABELS = np.array([0, 1, 2, 1])
NUMBERS = np.array([[0.5], [1.0], [2.0], [4.0]])
LACKING = np.where(NUMBERS == 1.0, np.nan, NUMBERS)


@pytest.mark.parametrize(
    ("loss", "y", "counted"),
    [
        ("cross_entropy", LABELS, False),
        ("cross_entropy(ignore_index=1)", LABELS, True),
        ("cross_entropy(class_weights=[1, 2, 3])", LABELS, True),
        ("mse", NUMBERS, False),
        ("mse", LACKING, True),
    ],
    ids=["labels", "ignored", "weighed", "numbers", "lacking"],
)
def test_ranks_count_what_may_be_missing(loss: str, y: Array, *, counted: bool) -> None:
    """Before the backward pass, ranks tell each other only what data do not know."""
    outputs = 3 if y is LABELS else 1
    net = netc.compile(
        f"INPUT(2) -> FC({outputs})\ntrain {{ loss = {loss}, split = (1, 0, 0), epochs = 1 }}"
    )
    job = net.train((np.ones((4, 2)), y)).job
    step = replace(job, team=cast(Team, Two())).step
    sums = [node for node in step.graph.records if node.op_type == ALL_REDUCE]
    gradients = 2
    assert len(sums) == gradients + 1 + counted  # and the loss


class Two:
    """Two ranks, of which nothing but their number is asked."""

    rank, size = 0, 2
