"""Graphs with extents that depend on data: built, verified, rewritten, written and run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from netc.compiler.analysis.counts import count
from netc.compiler.analysis.memory import measure
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, unknown
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.text import to_text
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.onnx_standard.foreign_operators import foreign_row
from netc.compiler.passes.rewrite import rewrite
from netc.runtime.engines.engine import run

X = np.array([[0.0, -2.0, 3.0], [1.0, 0.0, 0.0]], np.float32)


def foreign(build: Builder, name: str, *inputs: Value, **attributes: Any) -> Value:
    """The only output of an operator that the table does not have."""
    row = foreign_row(name)
    assert row is not None
    return build.op(row, inputs, attributes)[0]


def nonzero() -> Graph:
    """The numbers of an input that are not 0, doubled, with the batch in front."""
    build = Builder(Graph("nonzero"))
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 3)))
    places = build.Transpose(foreign(build, "NonZero", x), perm=(1, 0))
    found = foreign(build, "GatherND", x, places)
    build.graph.outputs["y"] = build.Mul(build.constant(2.0, DType.FLOAT32), found)
    return build.graph


def test_what_depends_on_data_is_unknown() -> None:
    """onnx tells ranks and known extents; the others stay unknown through all operators."""
    graph = nonzero()
    verify(graph)
    text = to_text(graph)
    assert "%1: int64[2, ?] = NonZero(%0)" in text
    assert "output y = %5: float32[?]" in text
    assert to_text(rewrite(graph, {})) == text


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_running(engine: str) -> None:
    """Both engines run them, batches of any size."""
    for feeds in (X, X[:1], X[:0]):
        found = run(nonzero(), {"x": feeds}, {}, engine=engine)["y"]
        np.testing.assert_array_equal(found, 2 * feeds[feeds != 0])


def test_counts() -> None:
    """Counts and memory are formulas with the unknown extent in them."""
    counts, memory = count(nonzero()), measure(nonzero())
    assert "?" in str(counts.elementwise)
    assert "?" in str(memory.peak)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_inputs_of_unknown_extents(engine: str) -> None:
    """Inputs may have unknown extents, each its own."""
    build = Builder(Graph("sum"))
    first = build.input("a", TensorType(DType.FLOAT32, (unknown(), 3)))
    second = build.input("b", TensorType(DType.FLOAT32, (unknown(), 1)))
    y = build.Add(first, second)
    assert str(y.type) == "float32[?, 3]"
    assert y.shape[0] not in (first.shape[0], second.shape[0])
    build.graph.outputs["y"] = y
    verify(build.graph)
    feeds: Mapping[str, Any] = {"a": X[:1], "b": X[:, :1]}
    found = run(build.graph, feeds, {}, engine=engine)["y"]
    np.testing.assert_array_equal(found, X[:1] + X[:, :1])
