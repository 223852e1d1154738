"""Normalizations of inputs whose mean is large beside their deviation, and of constant ones."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from support.engines import on_both

import netc
from netc.choices import EngineName
from netc.compiler.emit.onnx.export import write
from netc.compiler.ops.opdef import OPS
from netc.compiler.passes.append_backward import append_backward
from netc.compiler.passes.set_mode import set_mode
from netc.grammar.diagnostics import NetError
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.engines.session import Session
from netc.runtime.engines.verification import verify_model
from netc.runtime.kerneldef import Array

NORMALIZATIONS = [
    *(f"INPUT(8x8x4) -> {layer}" for layer in ("GN(1)", "GN(2)", "GN(4)", "IN", "LN", "LN(all)")),
    *(f"INPUT(64) -> {layer}" for layer in ("GN(4)", "LN", "RMSNORM")),
    *(f"INPUT((L, 4), sequence) -> {layer}" for layer in ("GN(2)", "IN", "LN")),
    *(f"INPUT((H, W, 4)) -> {layer}" for layer in ("GN(2)", "IN", "RMSNORM")),
    *(f"INPUT(4x4x4x4) -> {layer}" for layer in ("GN(2)", "IN", "LN")),
    *(f"INPUT(8x8x4) -> {layer}" for layer in ("RMSNORM", "LRN", "LRN(3, mean=yes)")),
]
MEAN_VARIANCES = [
    f'INPUT(8x8x4) -> op("MeanVarianceNormalization"{axes})'
    for axes in ("", ", axes=[1, 2, 3]", ", axes=[-1]")
]
BATCH_NORMALIZATIONS = ["INPUT(8x8x4) -> BN", "INPUT(64) -> BN", "INPUT((L, 4), sequence) -> BN"]
FARAWAY = {
    "constant": (10.3, 0),
    "narrow": (10, 0.01),
    "far": (1000, 1),
    "farther": (1e6, 1),
    "far constant": (1e6 + 0.7, 0),
    "wide": (0, 1e4),
}


def _input(network: netc.Network, batch: int, mean: float, deviation: float) -> Array:
    """Normal numbers for the network's only input; open extents are 16."""
    extents = [d if isinstance(d, int) else 16 for d in network.inputs[0].shape[1:]]
    noise = np.random.default_rng(0).standard_normal((batch, *extents))
    return (mean + deviation * noise).astype(np.float32)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("numbers", FARAWAY.values(), ids=FARAWAY)
@pytest.mark.parametrize("program", [*NORMALIZATIONS, *MEAN_VARIANCES])
def test_normalizations(program: str, numbers: tuple[float, float], engine: EngineName) -> None:
    """Both engines yield to rounding what float64 yields, of equal numbers 0."""
    network = netc.compile(program)
    state = dict(network.initialize(0))
    x = _input(network, 2, *numbers)
    exact = network.run(x, state, dtype="float64")
    found = network.run(x, state, engine=engine)
    assert isinstance(exact, np.ndarray)
    assert isinstance(found, np.ndarray)
    assert np.abs(found - exact).max() <= 2e-6 * max(1.0, np.abs(exact).max())
    if not numbers[1] and not any(layer in program for layer in ("RMSNORM", "LRN")):
        assert not found.any()


@pytest.mark.parametrize("numbers", FARAWAY.values(), ids=FARAWAY)
@pytest.mark.parametrize("opset", [13, 16, 17, 20])
@pytest.mark.parametrize("layer", ["GN(2)", "IN", "LN", "LN(all)"])
def test_older_opsets(layer: str, opset: int, numbers: tuple[float, float]) -> None:
    """What an older opset builds from its parts is as exact."""
    network = netc.compile(f"INPUT(8x8x4) -> {layer}")
    state, file = dict(network.initialize(0)), BytesIO()
    x = _input(network, 2, *numbers)
    write(network.graph, state, file, opset=opset)
    (found,) = Session(file.getvalue()).run({"input": x}).values()
    exact = network.run(x, state, dtype="float64")
    assert isinstance(exact, np.ndarray)
    assert np.abs(found - exact).max() <= 2e-6 * max(1.0, np.abs(exact).max())


@pytest.mark.parametrize("size", ["5x6x4", "7x4, sequence", "(L, 4), sequence", "3x4x5x4"])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_double_precision_on_onnxruntime(size: str, groups: int) -> None:
    """Groups and channels of float64 are normalized to the last digits, far from zero, too."""
    layer = "IN" if groups == 4 else f"GN({groups})"
    network = netc.compile(f"INPUT({size}, dtype=float64) -> {layer}")
    x = _input(network, 2, 1000, 1).astype(np.float64)
    found = network.run(x, network.initialize(0), engine="onnxruntime")
    assert isinstance(found, np.ndarray)
    first = np.moveaxis(x, -1, 1) if "sequence" in size else x
    rows = first.reshape(2, groups, -1)
    rows = rows - rows.mean(-1, keepdims=True)
    right = (rows / np.sqrt((rows**2).mean(-1, keepdims=True) + 1e-5)).reshape(first.shape)
    right = np.moveaxis(right, 1, -1) if "sequence" in size else right
    np.testing.assert_allclose(found, right, atol=1e-11)
    assert found.dtype == np.float64


@pytest.mark.parametrize("numbers", FARAWAY.values(), ids=FARAWAY)
@pytest.mark.parametrize("program", BATCH_NORMALIZATIONS)
def test_batch_normalization_in_training(program: str, numbers: tuple[float, float]) -> None:
    """The batch's own statistics are those of float64, NumPy's to rounding."""
    network = netc.compile(program)
    state = {name: np.asarray(array) for name, array in network.initialize(0).items()}
    x = _input(network, 6, *numbers)
    channels = -1 if "sequence" in program else 1
    axes = tuple(axis for axis in range(x.ndim) if axis != channels % x.ndim)
    wide = x.astype(np.float64)
    exact = wide - (mean := wide.mean(axes, keepdims=True))
    variance = np.square(exact).mean(axes)
    exact /= np.sqrt(np.square(exact).mean(axes, keepdims=True) + 1e-5)
    others = x.size // variance.size
    moved = {"mean": 0.1 * mean.reshape(-1), "var": 0.9 + 0.1 * variance * others / (others - 1)}
    for found in on_both(set_mode(network.graph, training=True), {"input": x}, state):
        assert np.abs(found["output"] - exact).max() <= 2e-6 * max(1.0, np.abs(exact).max())
        for name, right in moved.items():
            largest = max(np.abs(right).max(), numbers[1])
            assert np.abs(found[f"bn1.running_{name}.next"] - right).max() <= 1e-6 * largest


GRADIENTS = {kind: FARAWAY[kind] for kind in ("constant", "narrow", "far", "wide")}


@pytest.mark.parametrize("numbers", GRADIENTS.values(), ids=GRADIENTS)
@pytest.mark.parametrize("layer", ["BN", "GN(2)", "IN", "LN", "LN(all)", "RMSNORM", "LRN"])
def test_gradients_in_training(layer: str, numbers: tuple[float, float]) -> None:
    """By inputs and weights, both engines yield what float64 yields."""
    network = netc.compile(f"INPUT(8x8x4) as x -> {layer} as l -> FC(1)")
    state = {name: np.asarray(array) for name, array in network.initialize(0).items()}
    graph, feeds = set_mode(network.graph, training=True), {"x": _input(network, 6, *numbers)}
    wrt = ["x", *(name for name in state if not name.startswith("l.running"))]
    graph = append_backward(graph, of="output", wrt=wrt)
    exact = run(plan(graph, dtype="float64"), feeds, state)
    for found in on_both(graph, feeds, state):
        for name in wrt:
            right, array = exact[f"{name}.grad"], found[f"{name}.grad"]
            assert np.abs(array - right).max() <= 1e-3 * max(1.0, np.abs(right).max())


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("program", [*NORMALIZATIONS, *BATCH_NORMALIZATIONS, *MEAN_VARIANCES])
def test_an_empty_batch(program: str, engine: EngineName) -> None:
    """No samples in, none out."""
    network = netc.compile(program)
    x = _input(network, 0, 0, 1)
    y = network.run(x, network.initialize(0), engine=engine)
    assert isinstance(y, np.ndarray)
    assert y.shape == x.shape


@pytest.fixture
def unsafe_groups() -> Iterator[None]:
    """Groups as onnxruntime's own operator normalizes them."""
    table = dict(OPS)
    OPS[OPS.named("GroupNormalization").key] = replace(
        OPS.named("GroupNormalization"), decompose=None
    )
    yield
    OPS.update(table)


@pytest.mark.usefixtures("unsafe_groups")
def test_verification_tries_unusual_inputs(tmp_path: Path) -> None:
    """A model that is right for inputs of mean zero alone is refused."""
    network = netc.compile("INPUT(8x8x4) -> GN(2)")
    state = network.initialize(0)
    network.export(tmp_path / "m.onnx", state)
    with pytest.raises(NetError, match="differ by") as caught:
        verify_model(network.graph, dict(state), str(tmp_path / "m.onnx"))
    (problem,) = caught.value.diagnostics
    assert problem.code == "E504"
    assert "`output` (GroupNormalization)" in problem.notes[0]
