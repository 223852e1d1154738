"""Gradients on tensors whose extents only an input settles."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import onnxruntime
import pytest
from support.ops import version_of

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, Dim, symbol
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan

Make = Callable[[Builder, Value], Value]
END, START = 2**63 - 1, -(2**63)


def _slice(*numbers: int) -> Make:
    """Of axis 2: start, end and step."""
    start, end, step = numbers
    places = [(start,), (end,), (2,), (step,)]
    return lambda build, x: build.Slice(x, *map(build.index_constant, places))


def _pool(op_type: str, kernel: int, **attributes: object) -> Make:
    square = {"kernel_shape": (kernel, kernel), **attributes}
    return lambda build, x: build.op(op_type, (x,), square)[0]


def _convolution(build: Builder, x: Value) -> Value:
    """With a weight that depends on x, so that its gradient is needed, too."""
    weight = build.Expand(build.ReduceMean(x), build.index_constant((6, 2, 3, 2)))
    geometry = {"strides": (2, 3), "pads": (1, 0, 2, 1), "dilations": (1, 2), "group": 2}
    return build.Conv(x, weight, kernel_shape=(3, 2), **geometry)


def _pad(mode: str) -> Make:
    pads = (2, 1, 1, 3)
    return lambda build, x: build.Pad(
        x, build.index_constant(pads), None, build.index_constant((2, 3)), mode=mode
    )


def _resize(mode: str, *scales: float) -> Make:
    numbers = (1.0, 1.0, *scales)
    return lambda build, x: build.Resize(x, None, build.constant(numbers, DType.FLOAT32), mode=mode)


CASES: dict[str, Make] = {
    "slice-start": _slice(2, END, 1),
    "slice-end": _slice(0, 3, 1),
    "slice-from-end": _slice(-4, -1, 1),
    "slice-step": _slice(1, END, 3),
    "slice-backwards": _slice(-1, START, -2),
    "gather-last": lambda build, x: build.Gather(x, build.index_constant(-1), axis=2),
    "concat": lambda build, x: build.op("Concat", (x, build.Mul(x, x), x), {"axis": 3})[0],
    "convolution": _convolution,
    "average": _pool("AveragePool", 3, strides=(2, 2), pads=(1, 0, 1, 1)),
    "average-counted": _pool(
        "AveragePool", 3, strides=(2, 1), pads=(1, 0, 1, 1), count_include_pad=1
    ),
    "average-ceil": _pool("AveragePool", 2, strides=(2, 2), ceil_mode=1),
    "lp": _pool("LpPool", 2, strides=(2, 2), p=2),
    "max": _pool("MaxPool", 3, strides=(2, 2), pads=(1, 1, 1, 1)),
    "max-apart": _pool("MaxPool", 2, strides=(2, 2)),
    "global-average": lambda build, x: build.GlobalAveragePool(x),
    "global-max": lambda build, x: build.GlobalMaxPool(x),
    "reflect": _pad("reflect"),
    "edge": _pad("edge"),
    "wrap": _pad("wrap"),
    "nearest": _resize("nearest", 2.0, 3.0),
    "linear": _resize("linear", 2.0, 1.0),
    "depth-to-space": lambda build, x: build.DepthToSpace(x, blocksize=2),
    "flatten": lambda build, x: build.Flatten(x, axis=3),
}


def _gradient(make: Make, shape: tuple[Dim, ...]) -> Graph:
    """A graph of dx, given x of that shape."""
    graph = Graph("gradient")
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, shape))
    y = make(build, build.Mul(x, x))
    loss = build.ReduceSum(build.Mul(y, build.Mul(y, y)), keepdims=0)
    (dx,) = gradients(build, loss, [x])
    assert dx is not None
    graph.outputs = {"dx": dx}
    return graph


@pytest.mark.parametrize("name", CASES)
def test_symbolic_extents(name: str) -> None:
    """One graph for all extents yields what a graph for these extents does, on both engines."""
    if name == "average-counted" and version_of(onnxruntime.__version__) < (1, 25):
        pytest.skip("before 1.25, onnxruntime does not always count padding behind the rows")
    symbolic = _gradient(CASES[name], (BATCH, 4, symbol("H"), symbol("W")))
    file = BytesIO()
    write(symbolic, {}, file)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for seed, extents in enumerate([(1, 4, 8, 6), (3, 4, 7, 9)]):
        x = np.random.default_rng(seed).uniform(0.5, 1.5, extents).astype(np.float32)
        expected = run(plan(_gradient(CASES[name], extents)), {"x": x}, {})["dx"]
        assert np.any(expected)
        for found in (run(plan(symbolic), {"x": x}, {})["dx"], session.run(None, {"x": x})[0]):
            assert norm_difference(found, expected) <= 1e-5
