"""Operators of float64 on onnxruntime, which has many of them for float32 only."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of

import netc
from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.opdef import OPS
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.engines.session import Session

NUMBERS = (-1e3, -40.5, -6.1, -1.0, -0.3, -1e-9, -0.0, 0.0, 1e-9, 0.7, 2.0, 6.1, 40.5, 1e3)
POOLS = ("GlobalAveragePool", "GlobalMaxPool")
ELEMENTWISE = [row.op_type for row in OPS.values() if row.elementwise and row.decompose]
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "Celu": {"alpha": 0.7},
    "Elu": {"alpha": 1.3},
    "Gelu": {"approximate": "none"},
    "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
    "LeakyRelu": {"alpha": 0.05},
    "ThresholdedRelu": {"alpha": 0.6},
}


def _compare(op_type: str, *arrays: np.ndarray[Any, Any], **attributes: Any) -> None:
    """The operator alone on both engines, NaN included."""
    build = Builder(Graph("one"))
    feeds = {f"a{i}": array.astype(np.float64) for i, array in enumerate(arrays)}
    types = {name: TensorType(DType.FLOAT64, array.shape) for name, array in feeds.items()}
    values = [build.input(name, type) for name, type in types.items()]
    (build.graph.outputs["y"],) = build.op(op_type, values, attributes)
    file = BytesIO()
    write(build.graph, {}, file)
    found = Session(file.getvalue()).run(feeds)["y"]
    expected = run(plan(build.graph), feeds, {})["y"]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=2e-15)


@pytest.mark.parametrize("op_type", ELEMENTWISE)
def test_elementwise(op_type: str) -> None:
    """Operators of one argument are right to the last digits, at large numbers, too."""
    bound = 100 if op_type in ("Cosh", "Sinh") else 1e4  # beyond which they overflow
    numbers = [x for x in NUMBERS if abs(x) < bound]
    _compare(op_type, np.array([*numbers, np.nan]), **ATTRIBUTES.get(op_type, {}))


def test_gelu_by_tanh() -> None:
    """Its approximation is not rounded to float32."""
    _compare("Gelu", np.asarray(NUMBERS), approximate="tanh")


@pytest.mark.parametrize("op_type", POOLS)
def test_global_pools(op_type: str) -> None:
    """Means and maxima over all positions."""
    _compare(op_type, np.random.default_rng(0).standard_normal((2, 3, 4, 5)))


def test_several_arguments() -> None:
    """The mean of three tensors that broadcast, and PReLU with a slope per channel."""
    random = np.random.default_rng(0)
    shapes = [(2, 3, 4), (3, 1), (1, 1, 4)]
    _compare("Mean", *(random.standard_normal(shape) for shape in shapes))
    _compare("PRelu", *(random.standard_normal(shape) for shape in shapes[:2]))


@pytest.mark.parametrize("opset", [13, 17, 20, 22])
@pytest.mark.parametrize(
    "layer",
    [
        *("GELU", "GELU(tanh)", "SOFTSIGN", "SELU", "ELU", "CELU", "LRELU", "PRELU", "MISH"),
        *("SWISH", "SOFTPLUS", "HARDSIGMOID", "HARDSWISH"),
    ],
)
def test_layers(layer: str, opset: int) -> None:
    """Activations of float64 are exported to every opset."""
    network = netc.compile(f"INPUT(7, dtype=float64) -> {layer}")
    state, file = dict(network.initialize(0)), BytesIO()
    x = np.random.default_rng(0).standard_normal((2, 7)) * 3
    write(network.graph, state, file, opset=opset)
    (found,) = Session(file.getvalue()).run({"input": x}).values()
    expected = network.run(x, state)
    assert isinstance(expected, np.ndarray)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layer", ["CONV(3x3, 2)", "POOL(avg)", "UPCONV(2)"])
def test_what_cannot_be_built(layer: str) -> None:
    """The message names the operator that onnxruntime lacks, and the ways out."""
    network = netc.compile(f"INPUT(4x4x3, dtype=float64) -> {layer}")
    x = np.ones((1, 3, 4, 4))
    state = network.initialize(0)
    assert isinstance(network.run(x, state), np.ndarray)
    (problem,) = failure_of(network.run, x, state, engine="onnxruntime").diagnostics
    assert problem.code == "E506"
    assert problem.message.startswith("onnxruntime has no `")
    assert problem.message.endswith("` for these operands")
    assert problem.help is not None
    assert problem.help.startswith("run it on the engine numpy, or in float32")


def test_what_no_engine_can_run() -> None:
    """What onnxruntime lacks and NumPy, too, is said of the engine that was asked for first."""
    program = """
INPUT(8x8x3, dtype=float64) as x
x -> op("GlobalLpPool")
"""
    feeds = {"x": np.zeros((1, 3, 8, 8))}
    (problem,) = failure_of(netc.compile(program).run, feeds, {}, engine="onnxruntime").diagnostics
    assert problem.message == "onnxruntime has no `GlobalLpPool` for these operands"
    assert problem.notes == (
        "the engine numpy cannot run `GlobalLpPool`, which onnx's reference also lacks",
    )
    assert problem.help is None
