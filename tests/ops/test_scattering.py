"""What operators that read or write single elements do not take."""

from typing import Any

import numpy as np
import pytest

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.signature import InferenceError
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.grammar.diagnostics import NetError
from netc.runtime import kernels  # noqa: F401 - fills the kernel table
from netc.runtime.kerneldef import KERNELS, OperandError

FLOAT, INTEGER, BOOL = DType.FLOAT32, DType.INT64, DType.BOOL


def values(build: Builder, *types: tuple[DType, tuple[Any, ...]]) -> list[Value]:
    """Inputs of these types."""
    return [build.input(f"a{i}", TensorType(*type)) for i, type in enumerate(types)]


@pytest.mark.parametrize(
    ("op_type", "types", "attributes", "message"),
    [
        (
            "GatherElements",
            [(FLOAT, (BATCH, 5)), (FLOAT, (BATCH, 1))],
            {"axis": 1},
            "GatherElements takes int64 indices, not float32[N, 1]",
        ),
        (
            "GatherElements",
            [(FLOAT, (BATCH, 5)), (INTEGER, (BATCH,))],
            {"axis": 1},
            "GatherElements cannot index float32[N, 5] by int64[N] on axis 1",
        ),
        (
            "GatherElements",
            [(FLOAT, (4, 5)), (INTEGER, (6, 1))],
            {"axis": 1},
            "GatherElements cannot index float32[4, 5] by int64[6, 1] on axis 1",
        ),
        (
            "ScatterElements",
            [(FLOAT, (4, 5)), (INTEGER, (4, 1)), (FLOAT, (4, 2))],
            {"axis": 1},
            "ScatterElements cannot write float32[4, 2] at int64[4, 1] to float32[4, 5]",
        ),
        (
            "ScatterElements",
            [(FLOAT, (4, 5)), (INTEGER, (4, 1)), (FLOAT, (4, 1))],
            {"axis": 1, "reduction": "mean"},
            "ScatterElements does not support the reduction mean",
        ),
        ("Not", [(FLOAT, (4,))], {}, "Not takes truth values, not float32[4]"),
        ("And", [(INTEGER, (4,)), (INTEGER, (4,))], {}, "And takes truth values, not int64[4]"),
        ("IsNaN", [(BOOL, (4,))], {}, "IsNaN takes real numbers, not bool[4]"),
    ],
)
def test_refused_types(op_type: str, types: Any, attributes: dict[str, Any], message: str) -> None:
    """Operands that do not fit are refused, with their types."""
    build = Builder(Graph("refused"))
    with pytest.raises(InferenceError) as failure:
        build.op(op_type, values(build, *types), attributes)
    assert str(failure.value) == message


@pytest.mark.parametrize("index", [5, -6])
def test_index_out_of_range(index: int) -> None:
    """An index beyond the axis is refused, and never wraps around."""
    x, indices = np.zeros((2, 5)), np.array([[0], [index]])
    with pytest.raises(OperandError, match=f"needs indices below 5, not {index}"):
        KERNELS["GatherElements"].function(x, indices, axis=1)
    with pytest.raises(OperandError, match=f"needs indices below 5, not {index}"):
        KERNELS["ScatterElements"].function(x, indices, x[:, :1], axis=1, reduction="none")


def test_no_gradient_of_multiplied_updates() -> None:
    """What has no gradient by decision says so."""
    build = Builder(Graph("product"))
    types = ((FLOAT, (4, 5)), (INTEGER, (4, 1)), (FLOAT, (4, 1)))
    x, indices, updates = values(build, *types)
    y = build.ScatterElements(x, indices, updates, axis=1, reduction="mul")
    with pytest.raises(NetError, match=r"E131.*ScatterElements` with reduction `mul`"):
        gradients(build, build.ReduceSum(y, keepdims=0), [x])
