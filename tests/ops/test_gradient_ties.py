"""Where gradients go that have a choice."""

from typing import Any

import numpy as np
import pytest

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan

# x, the maximum's operator with its attributes, dy and dx
CASES: dict[str, tuple[Any, str, dict[str, Any], Any, Any]] = {
    "apart": (
        [[[1, 3, 3, 3]]],
        "MaxPool",
        {"kernel_shape": (2,), "strides": (2,)},
        [[[5, 7]]],
        [[[0, 5, 7, 0]]],
    ),
    "overlapping": (
        [[[1, 3, 3, 3]]],
        "MaxPool",
        {"kernel_shape": (2,)},
        [[[5, 7, 9]]],
        [[[0, 12, 9, 0]]],
    ),
    "rows": (
        [[[[0, 2], [2, 2]]]],
        "MaxPool",
        {"kernel_shape": (2, 2)},
        [[[[4]]]],
        [[[[0, 4], [0, 0]]]],
    ),
    "column-major": (
        [[[[0, 2], [2, 2]]]],
        "MaxPool",
        {"kernel_shape": (2, 2), "storage_order": 1},
        [[[[4]]]],
        [[[[0, 4], [0, 0]]]],
    ),
    "padding": (
        [[[0, 0]]],
        "MaxPool",
        {"kernel_shape": (3,), "pads": (1, 1)},
        [[[1, 2]]],
        [[[3, 0]]],
    ),
    "global": ([[[[0, 2], [2, 2]]]], "GlobalMaxPool", {}, [[[[4]]]], [[[[0, 4], [0, 0]]]]),
}


@pytest.mark.parametrize("name", CASES)
def test_first_maximum(name: str) -> None:
    """Of equal maxima the first in row-major order gets the gradient, as in PyTorch."""
    numbers, op_type, attributes, cotangent, expected = CASES[name]
    x, dy = (np.array(given, np.float32) for given in (numbers, cotangent))
    build = Builder(Graph("tie"))
    value, seed = (
        build.input(key, TensorType(DType.FLOAT32, array.shape))
        for key, array in (("x", x), ("dy", dy))
    )
    y = build.op(op_type, (value,), attributes)[0]
    (dx,) = gradients(build, y, [value], cotangent=seed)
    assert dx is not None
    build.graph.outputs = {"dx": dx}
    found = run(plan(build.graph), {"x": x, "dy": dy}, {})
    np.testing.assert_array_equal(found["dx"], expected)
