"""Slopes in front of max-pools, computed for the maxima alone."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.text import to_text
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.passes.narrow_masks import SPREAD, narrow_masks
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

Slope = Callable[[Builder, Value], Value]


def _mask(build: Builder, x: Value) -> Value:
    return build.Cast(build.Greater(x, build.constant(0.0, DType.FLOAT32)), to=DType.FLOAT32)


def _of_tanh(build: Builder, x: Value) -> Value:
    return build.Sub(build.constant(1.0, DType.FLOAT32), build.Mul(x, x))


def _of_neighbours(build: Builder, x: Value) -> Value:
    return build.Softmax(x, axis=-1)


def _graph(slope: Slope, *, stride: int = 2, first: bool = False) -> Graph:
    """The gradient of a max-pool behind an activation, times the slope of that."""
    build = Builder(Graph("pool"))
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 2, 6, 6)))
    geometry = {"kernel_shape": (2, 2), "strides": (stride, stride), "pads": (0, 1, 0, 1)}
    (y,) = build.op("MaxPool", (x,), geometry)
    dy = build.input("dy", y.type)
    (spread,) = build.op(SPREAD, (x, y, dy), geometry)
    factors: Sequence[Value] = (spread, slope(build, x))
    build.graph.outputs = {"dx": build.Mul(*(reversed(factors) if first else factors))}
    build.graph.labels = {"spread": spread}
    return build.graph


def _kinds(graph: Graph) -> list[str]:
    return [node.op_type for _, node in graph.nodes() if node.row is not None]


def test_a_mask() -> None:
    """The pool's gradient is masked by the maxima, and then spread."""
    expected = ["MaxPool", "Greater", "Cast", "Mul", SPREAD]
    for first in (False, True):
        found = narrow_masks(_graph(_mask, first=first))
        verify(found, after="narrow_masks")
        assert _kinds(found) == expected
        mask = next(node for _, node in found.nodes() if node.op_type == "Greater")
        assert found.producer(mask.input(0)).op_type == "MaxPool"
        assert to_text(narrow_masks(found)) == to_text(found)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("slope", [_mask, _of_tanh])
def test_the_same_numbers(slope: Slope, stride: int) -> None:
    """The result is the same where numbers tie or are 0; sums where windows overlap are rounded."""
    graph = _graph(slope, stride=stride)
    random = np.random.default_rng(0)
    x = np.maximum(random.integers(-4, 5, (3, 2, 6, 6)) / np.float32(4), 0).astype(np.float32)
    windows = [extent for extent in graph.inputs["dy"].shape if isinstance(extent, int)]
    dy = random.standard_normal((3, *windows)).astype(np.float32)
    feeds: dict[str, Array] = {"x": x, "dy": dy}
    before, after = (run(plan(each), feeds, {})["dx"] for each in (graph, narrow_masks(graph)))
    if slope is _mask or stride > 1:
        np.testing.assert_array_equal(after, before)
    np.testing.assert_allclose(after, before, rtol=1e-6)


def test_what_stays() -> None:
    """A slope of other numbers stays behind, and what is read unmasked, too."""
    other = _graph(_of_neighbours)
    assert narrow_masks(other) is other
    read = _graph(_mask)
    read.outputs["spread"] = read.labels["spread"]
    assert narrow_masks(read) is read
    twice = _graph(_mask)
    twice.outputs["twice"] = Builder(twice).Neg(twice.labels["spread"])
    assert narrow_masks(twice) is twice
