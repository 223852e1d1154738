"""What operators have in common that map each element separately."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.signature import NO_ATTRIBUTES, Infer, InferenceError, OpCall
from ..ir.types import BroadcastError, TensorType, broadcast
from .double_precision import DoubleRule, in_double_precision
from .opdef import Cost, Cotangents, OpDef, Vjp, VjpCall
from .receptive_field import elementwise

# slope(build, x, y, **attributes)
Slope = Callable[..., Value]


def infer_same(call: OpCall) -> Sequence[TensorType]:
    """One output of the first argument's type."""
    return (call.type(0),)


def infer_real(call: OpCall) -> Sequence[TensorType]:
    """One output of the first argument's type, which must hold real numbers."""
    x = call.type(0)
    if not x.dtype.is_float:
        raise InferenceError(f"{call.op_type} takes real numbers, not {x}")
    return (x,)


def infer_broadcast(call: OpCall) -> Sequence[TensorType]:
    """One output: the arguments broadcast together; they must share an element type."""
    types = [call.type(i) for i in range(max(len(call.inputs), 1))]
    return (broadcast_type(call, types, types),)


def infer_binary(call: OpCall) -> Sequence[TensorType]:
    """One output: two arguments of one element type broadcast together."""
    types = [call.type(0), call.type(1)]
    return (broadcast_type(call, types, types),)


def broadcast_type(
    call: OpCall, alike: Sequence[TensorType], types: Sequence[TensorType]
) -> TensorType:
    """The type of `types` broadcast together, with the element type that `alike` share."""
    if len({type.dtype for type in alike}) > 1:
        raise InferenceError(f"{call.op_type} takes one element type, not {spelled(alike)}")
    try:
        return alike[0].with_shape(broadcast([type.shape for type in types]))
    except BroadcastError as mismatch:
        raise InferenceError(f"{call.op_type} cannot broadcast {spelled(types)}") from mismatch


def spelled(types: Sequence[TensorType]) -> str:
    """Types for a message."""
    return " and ".join(map(str, types))


def per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per output element and argument beyond the first."""
    return Cost(elementwise=outputs[0].size * max(len(call.inputs) - 1, 1))


def by_slope(slope: Slope) -> Vjp:
    """The rule dx = dy slope."""

    def rule(build: Builder, call: VjpCall) -> Cotangents:
        found = slope(build, call.input(0), call.outputs[0], **call.attributes)
        return [build.Mul(call.cotangent, found)]

    return rule


def unary(
    op_type: str,
    since_version: int,
    *,
    slope: Slope | None = None,
    infer: Infer = infer_real,
    attributes: Mapping[str, Any] = NO_ATTRIBUTES,
    vjp: Vjp | None = None,
    double: DoubleRule | None = None,
    **facts: Any,
) -> OpDef:
    """The row of a function of one real number, given its slope, or a rule of its own.

    `double` builds it of float64, where onnxruntime lacks it.
    """
    return OpDef(
        op_type,
        since_version,
        infer=infer,
        cost=per_element,
        sees=elementwise,
        elementwise=True,
        attributes=attributes,
        vjp=by_slope(slope) if slope is not None else vjp,
        decompose=in_double_precision(double) if double is not None else None,
        **facts,
    )
