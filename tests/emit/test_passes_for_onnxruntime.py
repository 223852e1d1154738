"""What steps are made into for onnxruntime: the same numbers, in fewer passes over memory."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from netc.compiler.emit.onnx import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, Shape, TensorType
from netc.compiler.passes.block_channels import block_channels
from netc.compiler.passes.clip_masks import clip_masks
from netc.compiler.passes.gate_sums import gate_sums
from netc.compiler.passes.sum_by_ones import sum_by_ones
from netc.grammar.diagnostics import error
from netc.runtime.engines import gated_sums as trial
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.channel_block import channel_block
from netc.runtime.engines.executor import run
from netc.runtime.engines.gated_sums import has_gated_sums
from netc.runtime.engines.plan import plan
from netc.runtime.engines.session import Session

TOLERANCE = 1e-6
SAMPLES = 3
GATED = "com.microsoft.GatedAdd"
needs_gates = pytest.mark.skipif(not has_gated_sums(), reason="onnxruntime lacks the operator")

Form = Callable[..., Value]


def _graph(form: Form, *shapes: Shape, dtype: DType = DType.FLOAT32) -> Graph:
    """What a form builds on inputs of these shapes."""
    build = Builder(Graph("form"))
    inputs = [build.input(f"x{i}", TensorType(dtype, shape)) for i, shape in enumerate(shapes)]
    build.graph.outputs = {"y": form(build, *inputs)}
    return build.graph


def _kinds(graph: Graph) -> list[str]:
    return [node.op_type for _, node in graph.nodes() if node.row is not None]


def _check(before: Graph, after: Graph) -> None:
    """Both compute the same, the new graph on onnxruntime."""
    random = np.random.default_rng(0)
    feeds: dict[str, Any] = {}
    for name, value in before.inputs.items():
        shape = [extent if isinstance(extent, int) else SAMPLES for extent in value.shape]
        feeds[name] = random.standard_normal(shape).astype(np.float32)
    file = BytesIO()
    write(after, {}, file)
    (found,) = Session(file.getvalue()).run(feeds).values()
    exact = run(plan(before, dtype="float64"), feeds, {})["y"]
    assert norm_difference(found, exact) <= TOLERANCE


def _sum(build: Builder, a: Value, b: Value, s: Value) -> Value:
    return build.Add(a, build.Mul(b, s))


def _product_first(build: Builder, a: Value, b: Value, s: Value) -> Value:
    return build.Add(build.Mul(s, b), a)


def _difference(build: Builder, a: Value, b: Value, s: Value) -> Value:
    return build.Sub(a, build.Mul(b, s))


def _other_difference(build: Builder, a: Value, b: Value, s: Value) -> Value:
    return build.Sub(build.Mul(b, s), a)


def _read_twice(build: Builder, a: Value, b: Value, s: Value) -> Value:
    product = build.Mul(b, s)
    return build.Add(build.Add(a, product), product)


def _softmax(build: Builder, y: Value, dy: Value) -> Value:
    total = build.ReduceSum(build.Mul(y, dy), build.index_constant((-1,)), keepdims=1)
    return build.Mul(y, build.Sub(dy, total))


WHOLE: Shape = (64, 128)
ROWS: Shape = (BATCH, 4, 6)


@needs_gates
@pytest.mark.parametrize(
    ("form", "shapes", "count"),
    [
        (_sum, (WHOLE, WHOLE, ()), 1),
        (_product_first, (WHOLE, WHOLE, ()), 1),
        (_difference, (WHOLE, WHOLE, ()), 1),
        (_other_difference, (WHOLE, WHOLE, ()), 0),
        (_read_twice, (WHOLE, WHOLE, ()), 0),
        (_sum, ((8, 16), (8, 16), ()), 0),
        (_sum, ((8192,), (8192,), ()), 0),
        (_sum, ((128, 64, 3), (128, 64, 3), ()), 0),
        (_sum, (ROWS, ROWS, (BATCH, 4, 1)), 1),
        (_difference, (ROWS, ROWS, (BATCH, 4, 1)), 1),
        (_sum, (ROWS, ROWS, (4, 1)), 0),
        (_sum, (ROWS, ROWS, ROWS), 0),
        (_sum, (ROWS, (4, 6), (4, 1)), 0),
        (_sum, ((), (), ()), 0),
        (_sum, ((BATCH, 1), (BATCH, 1), (BATCH, 1)), 0),
        (_softmax, (ROWS, ROWS), 1),
        (_softmax, (WHOLE, WHOLE), 1),
    ],
)
def test_gated_sums(form: Form, shapes: tuple[Shape, ...], count: int) -> None:
    """A product by a scalar or by a number for each row, and a sum that alone reads it."""
    graph = _graph(form, *shapes)
    found = gate_sums(graph)
    assert _kinds(found).count(GATED) == count
    assert (found is graph) == (count == 0)
    _check(graph, found)


def test_gated_sums_are_of_float32() -> None:
    """Other types keep their two operators."""
    graph = _graph(_sum, WHOLE, WHOLE, (), dtype=DType.FLOAT64)
    assert gate_sums(graph) is graph


def test_an_engine_without_gated_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where onnxruntime refuses the operator, or it yields something else, it is not taken."""

    def refuse(*_: Any) -> None:
        raise error("E506", "no such operator")

    for computed in (refuse, lambda *_: np.zeros((3, 2, 5), np.float32)):
        monkeypatch.setattr(trial, "computed", computed)
        assert not has_gated_sums.__wrapped__()


@pytest.mark.parametrize(
    ("shape", "axes", "keepdims", "taken"),
    [
        ((BATCH, 64), (0,), 0, True),
        ((20, 64), (0,), 0, True),
        ((BATCH, 16, 64), (0, 1), 0, True),
        ((BATCH, 2, 16, 64), (0, -3, 2), 0, True),
        ((BATCH, 64), (0,), 1, False),
        ((BATCH, 64), (1,), 0, False),
        ((BATCH, 63), (0,), 0, False),
        ((BATCH, 15, 64), (0, 1), 0, False),
        ((BATCH, 16, 64), (1,), 0, False),
        ((64,), (0,), 0, False),
    ],
)
def test_sums_of_rows(shape: Shape, axes: tuple[int, ...], keepdims: int, *, taken: bool) -> None:
    """Sums over all axes but the last, of rows that are many and long."""
    graph = _graph(
        lambda build, x: build.ReduceSum(x, build.index_constant(axes), keepdims=keepdims), shape
    )
    found = sum_by_ones(graph)
    assert ("MatMul" in _kinds(found)) == taken
    assert (found is graph) != taken
    _check(graph, found)


def _mask(build: Builder, x: Value, least: float = 0.0, to: DType = DType.FLOAT32) -> Value:
    return build.Cast(build.Greater(x, build.constant(least, x.dtype)), to=to)


def test_masks() -> None:
    """1 where a number is positive, be it the least normal one, and 0 elsewhere."""
    graph = _graph(_mask, (BATCH,))
    found = clip_masks(graph)
    assert _kinds(found) == ["HardSigmoid"]
    least = np.finfo(np.float32).tiny
    x = np.array([-np.inf, -least, -0.0, 0.0, least, 1.0, 3e38, np.inf], np.float32)
    file = BytesIO()
    write(found, {}, file)
    (mask,) = Session(file.getvalue()).run({"x0": x}).values()
    assert np.array_equal(mask, x > 0)


def _slope(build: Builder, x: Value, below: float = 0.25, above: float = 1.0) -> Value:
    positive = build.Greater(x, build.constant(0.0, x.dtype))
    return build.Where(positive, *(build.constant(each, x.dtype) for each in (above, below)))


def test_slopes() -> None:
    """Of a leaky ReLU: 1 where a number is positive, and a number below 1 elsewhere."""
    graph = _graph(_slope, ROWS)
    found = clip_masks(graph)
    assert _kinds(found) == ["HardSigmoid", "Clip"]
    _check(graph, found)


def test_other_masks() -> None:
    """Other bounds and types stay comparisons."""
    for form, dtype in (
        (lambda build, x: _mask(build, x, 0.5), DType.FLOAT32),
        (_mask, DType.FLOAT64),
        (lambda build, x: _mask(build, x, to=DType.INT64), DType.FLOAT32),
        (lambda build, x: _slope(build, x, -0.5), DType.FLOAT32),
        (lambda build, x: _slope(build, x, 1.5), DType.FLOAT32),
        (lambda build, x: _slope(build, x, 0.5, 0.75), DType.FLOAT32),
        (lambda build, x: build.Where(build.Greater(x, build.Neg(x)), x, x), DType.FLOAT32),
    ):
        graph = _graph(form, (BATCH,), dtype=dtype)
        assert clip_masks(graph) is graph


@pytest.mark.skipif(channel_block() is None, reason="onnxruntime lacks the operators")
def test_number_by_number_in_blocks() -> None:
    """What is computed from blocks alone stays there; truth values are computed anew outside."""
    block = channel_block() or 16

    def form(build: Builder, x: Value, w: Value, v: Value) -> Value:
        y = build.Conv(x, w, pads=(1, 1, 1, 1))
        z = build.Conv(build.Tanh(y), v, pads=(1, 1, 1, 1))
        masked = build.Mul(z, build.Cast(build.Greater(y, z), to=DType.FLOAT32))
        outside = build.Add(masked, build.Cast(build.Less(y, z), to=DType.FLOAT32))
        shifted = build.Add(outside, build.ReduceMean(masked, build.index_constant((2, 3))))
        return build.Where(build.Greater(y, z), shifted, build.Sigmoid(masked))

    graph = _graph(form, (BATCH, 3, 5, 7), (block, 3, 3, 3), (block, block, 3, 3))
    found = block_channels(graph, block)
    assert _kinds(found).count("Greater") == 2
    assert _kinds(found).count("Less") == 1
    _check(graph, found)
