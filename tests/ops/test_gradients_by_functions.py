"""Gradients through what an operator is built from, where it has no rule of its own."""

from collections.abc import Sequence

import numpy as np

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.compiler.ops.normalization import GRADIENT
from netc.compiler.ops.opdef import OPS
from netc.runtime.engines.engine import run
from netc.runtime.kerneldef import Array

X = np.random.default_rng(0).normal(1, 2, (4, 3, 5)).astype(np.float32)


def _slope(*, whole: bool) -> Array:
    """How the sum of an operator's results depends on x, all of whose arguments do.

    Args:
        whole: Whether the operator is in the graph, or what it is built from.
    """
    build = Builder(Graph("dependent"))
    x = build.input("x", TensorType(DType.FLOAT32, X.shape))
    axes = build.index_constant((0, 2))
    mean = build.ReduceMean(x, axes, keepdims=0)
    # The mean stands twice.
    inputs = (x, build.Mul(x, x), mean, mean, build.ReduceMean(build.Mul(x, x), axes, keepdims=0))
    (row,) = (row for row in OPS.values() if row.op_type == GRADIENT)
    attributes = {"epsilon": 1e-3}
    assert row.vjp is None
    assert row.function is not None
    if whole:
        results: Sequence[Value] = build.op(GRADIENT, inputs, attributes, outputs=3)
    else:
        results = row.function(build, inputs, build.call(row, inputs, attributes, outputs=3))
    total: list[Value] = [build.ReduceSum(build.Mul(y, y), keepdims=0) for y in results]
    (slope,) = gradients(build, build.op("Sum", total)[0], [x])
    assert slope is not None
    build.graph.outputs = {"slope": slope}
    return run(build.graph, {"x": X}, {})["slope"]


def test_arguments_that_depend_on_each_other() -> None:
    """What leads from one argument to another is counted once, and so is one that stands twice."""
    np.testing.assert_allclose(_slope(whole=True), _slope(whole=False), rtol=1e-4, atol=1e-4)
