"""ONNX's `Gradient` -> the operators that compute it."""

from collections.abc import Callable

from onnx import NodeProto

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ops.building import zeros_like
from ..ops.gradient import gradients
from .node_attributes import attributes_of

GRADIENT = ("ai.onnx.preview.training", "Gradient")


def differentiated(
    node: NodeProto, build: Builder, value_of: Callable[[str], Value]
) -> list[Value] | None:
    """The gradients of a number that a node asks for, at the values that the graph has.

    The operator's definition in onnx 1.17 (`docs/Operators.md`, `ai.onnx.preview.training`).

    Args:
        node: The node; None is for another operator, for other values, and for more than a number.
        build: What it builds with.
        value_of: Gives what a name stands for.

    Raises:
        NetError: E131, the way leads through an operator that has no gradient.
    """
    if (node.domain, node.op_type) != GRADIENT:
        return None
    given = attributes_of(node)
    wrt = given.get("xs", ())
    y = value_of(str(given.get("y", "")))
    if not y.dtype.is_float or y.type.size != 1 or [*node.input] != [*wrt, *given.get("zs", ())]:
        return None
    one = build.constant(1.0, y.dtype)
    seed = build.Expand(one, build.index_constant(y.type.extents)) if y.shape else one
    xs = [value_of(name) for name in wrt]
    found = gradients(build, y, xs, cotangent=seed)
    return [zeros_like(build, x) if dx is None else dx for x, dx in zip(xs, found, strict=True)]
