"""What is timed: the same work by every contender, in processes that agree before."""

import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support import optimizer_rows
from support.loss_rows import ROWS as LOSS_ROWS
from support.optimizer_rows import OptimizerRow

import netc
from netc.compiler.ir.text import to_text
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.objective import LOSS
from netc.runtime.benchmarking import measuring
from netc.runtime.benchmarking.contenders import CONTENDERS, compared
from netc.runtime.benchmarking.measuring import Timing, layer_times, measure
from netc.runtime.benchmarking.work import Work, dumped, random_work
from netc.training import recipe_of

NETWORK = """INPUT(8x8x3) -> CONV(3x3, 4, bias=no) -> BN -> RELU -> POOL
  -> CONV(3x3, 6, groups=2) -> TANH -> POOL(2x2, avg) -> FC(5)"""
ENGINES = (CONTENDERS["numpy"], CONTENDERS["onnxruntime"])
TORCH = ("PyTorch", "PyTorch channels_last")
STEPS = 4


def work_of(text: str, *, step: bool = True, batch: int = 6, **settings: Any) -> Work:
    """A program on a random batch."""
    network = netc.compile(text)
    recipe = recipe_of(network.model, settings)
    return random_work(network.graph, recipe, batch=batch, step=step)


def losses(work: Work, contender: str) -> list[float]:
    """The losses of some steps, or the outputs."""
    task = CONTENDERS[contender].open(work)
    return [float(each) for _ in range(STEPS) for each in compared(work, task.compute()).values()]


@pytest.mark.oracle
@pytest.mark.parametrize("row", optimizer_rows.ROWS, ids=str)
def test_steps_of_optimizers_agree_with_pytorch(row: OptimizerRow) -> None:
    """After some steps the loss is PyTorch's, in either memory format."""
    work = work_of(NETWORK, optimizer=row.term)
    ours = losses(work, "numpy")
    assert losses(work, "PyTorch") == pytest.approx(ours, rel=2e-4)
    assert losses(work, "PyTorch channels_last") == pytest.approx(ours, rel=2e-4)


@pytest.mark.oracle
@pytest.mark.parametrize("loss", sorted({row.name for row in LOSS_ROWS}))
def test_steps_of_losses_agree_with_pytorch(loss: str) -> None:
    """PyTorch minimises each loss as we do, with a penalty, too."""
    ending = {"nll": " -> LOGSOFTMAX", "dice": " -> SIGMOID"}.get(loss, "")
    for penalty in ("[]", "[l2(0.01)]"):
        program = f"INPUT(6) -> FC(5) -> TANH -> FC(4){ending}"
        work = work_of(program, loss=loss, regularize=penalty)
        assert losses(work, "PyTorch") == pytest.approx(losses(work, "numpy"), rel=2e-4)
    assert set(LOSSES) == {row.name for row in LOSS_ROWS}


@pytest.mark.parametrize(
    "contender",
    ["numpy", "onnxruntime", *(pytest.param(n, marks=pytest.mark.oracle) for n in TORCH)],
)
def test_a_block_starts_with_the_first_step(contender: str) -> None:
    """Restarted, a contender takes the same steps again, its optimizer's tensors being zeros."""
    work = work_of("INPUT(8x8x3) -> CONV(3x3, 4) -> BN -> RELU -> FC(5)", optimizer="adam")
    task = CONTENDERS[contender].open(work)
    found = []
    for _ in range(2):
        task.restart()
        found.append([compared(work, task.compute())[LOSS].item() for _ in range(STEPS)])
    assert found[0] == found[1]
    assert len(set(found[0])) == STEPS


@pytest.mark.oracle
def test_frozen_normalizations_agree_with_pytorch() -> None:
    """What the author froze uses its running statistics in training, there as here."""
    work = work_of("INPUT(8x8x3) -> CONV(3x3, 4, bias=no) -> BN(frozen=yes) -> RELU -> FC(5)")
    assert losses(work, "PyTorch") == pytest.approx(losses(work, "numpy"), rel=2e-4)


@pytest.mark.oracle
def test_pytorch_lets_go_of_what_was_read() -> None:
    """No tensor stays that nothing reads later, as in a function with variables."""
    torch_network = pytest.importorskip("netc.runtime.benchmarking.torch_network")
    network = netc.compile("INPUT(4) -> FC(3) -> ( TANH | RELU ) -> ADD -> FC(2)")
    found = torch_network.TorchNetwork(
        network.graph, network.initialize(), {"N": 2}, training=False
    )
    released = [slot for step in found._steps for slot in step.release]
    results = [slot for step in found._steps for slot in step.results]
    assert len(set(released)) == len(released)
    assert set(results) - set(released) == set(found._outputs.values())


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    ["zoo:residual", "zoo:unet_small", "zoo:cnn_3d", "zoo:mobilenet_v2", "zoo:vit_b_32"],
)
def test_networks_agree_with_pytorch(program: str) -> None:
    """Whole networks come to the same outputs in PyTorch."""
    network = netc.load(program)
    work = random_work(network.graph, recipe_of(network.model), batch=1, step=False)
    ours, theirs = (
        compared(work, CONTENDERS[name].open(work).compute()) for name in ("numpy", "PyTorch")
    )
    for name, array in ours.items():
        np.testing.assert_allclose(theirs[name], array, rtol=0, atol=1e-4 * np.abs(array).max())


@pytest.mark.parametrize("program", ["zoo:resnet18", "zoo:gpt2_small", "zoo:digits_cnn"])
def test_work_goes_to_other_processes(program: str) -> None:
    """A graph survives the way, its operators being those of the table."""
    network = netc.load(program)
    work = Work(network.graph, recipe_of(network.model), _feeds(network), {}, step=False)
    found = pickle.loads(dumped(work))
    assert to_text(found.graph) == to_text(work.graph)
    rows = zip(found.graph.records, work.graph.records, strict=True)
    assert all(one.row is other.row for one, other in rows)
    assert found.recipe == work.recipe


def _feeds(network: netc.Network) -> Mapping[str, Any]:
    feeds: dict[str, Any] = {}
    for spec in network.inputs:
        shape = [extent if isinstance(extent, int) else 2 for extent in spec.shape]
        feeds[spec.name] = np.zeros(shape, spec.dtype)
    return feeds


def test_engines_are_timed_in_turn() -> None:
    """Each engine has a median for each round, its memory, and the first one's results."""
    work = work_of(NETWORK, batch=2)
    chosen = [CONTENDERS[name] for name in ("numpy", "onnxruntime")]
    ticks: list[None] = []
    found = measure(work, chosen, seconds=0.0, rounds=2, threads=1, done=lambda: ticks.append(None))
    assert [timing.contender for timing in found] == ["numpy", "onnxruntime"]
    for timing in found:
        assert timing.failure is None
        assert len(timing.rounds) == 2
        assert 0 < timing.fastest <= timing.seconds
        assert 0 < timing.processor < float("inf")
    assert found[1].difference is not None
    assert found[1].difference < 1e-5
    assert len(ticks) == 6


def test_other_results_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contender whose results differ is reported with the difference, and not timed."""
    monkeypatch.setattr(measuring, "TOLERANCE", -1.0)
    ours, other = measure(work_of("INPUT(4) -> FC(3)"), ENGINES, seconds=0, rounds=1)
    assert ours.failure is None
    assert "results differ from those of numpy by" in (other.failure or "")
    assert other.rounds == []


def test_noise_is_left_out_of_the_comparison() -> None:
    """A network that drops at random is compared without its noise, and timed with it."""
    work = work_of("INPUT(4) -> FC(8) -> DROPOUT(0.5) -> FC(3)")
    assert work.noisy
    ours, other = measure(work, ENGINES, seconds=0, rounds=1)
    assert ours.failure is other.failure is None


def test_a_process_that_ends_is_told() -> None:
    """What kills a contender's process stands in its row."""
    broken = replace(CONTENDERS["numpy"], name="nobody")
    (found,) = measure(work_of("INPUT(4) -> FC(3)"), [broken], seconds=0, rounds=1)
    assert found.failure == "its process ended with 1: KeyError: 'nobody'"


def test_operators_that_pytorch_lacks_are_named() -> None:
    """An operator without a call is named, and the rest is timed."""
    pytest.importorskip("torch")
    work = work_of('INPUT(4x4x2) -> op("LpNormalization") -> FC(3)', step=False)
    chosen = [CONTENDERS["numpy"], CONTENDERS["PyTorch"]]
    ours, theirs = measure(work, chosen, seconds=0, rounds=1)
    assert ours.failure is None
    assert theirs.failure == "no call of PyTorch is known for `LpNormalization`"


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("step", [False, True])
def test_recurrent_layers(kind: str, *, step: bool) -> None:
    """PyTorch's own recurrent layers come to the same outputs and losses."""
    pytest.importorskip("torch")
    work = work_of(f"INPUT(6x4, sequence) -> {kind}(5) -> FC(3)", step=step)
    for timing in measure(work, [CONTENDERS["numpy"], CONTENDERS["PyTorch"]], seconds=0, rounds=1):
        assert timing.failure is None


def test_layers_add_up() -> None:
    """Each layer has its time forward and backward, in the network's order, and its products."""
    work = work_of(NETWORK)
    found = layer_times(work, seconds=0.0, threads=1)
    names = [layer.layer for layer in found]
    assert names == [*list(work.graph.layers)[1:], "loss", "update"]
    assert all(layer.forward > 0 for layer in found[:-1])
    assert all(layer.backward > 0 for layer in found)
    assert sum(layer.macs for layer in found) == work.macs()


def test_ratios_are_medians_of_rounds() -> None:
    """Rounds are compared with the same rounds of another."""
    ours = Timing("a", "numpy", rounds=[2.0, 9.0, 6.0])
    assert ours.ratio(Timing("b", "pytorch", rounds=[1.0, 3.0, 3.0])) == 2.0
    assert ours.seconds == 6.0
