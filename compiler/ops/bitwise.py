"""Operators on the bits of integers; arithmetic of `uint32` elsewhere wraps around 2^32."""

from collections.abc import Sequence

from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import DType, TensorType
from .elementwise import infer_binary, per_element
from .opdef import OpDef, define
from .receptive_field import elementwise

INTEGERS = frozenset({DType.INT32, DType.INT64, DType.UINT32})
SHIFT_DIRECTIONS = ("LEFT", "RIGHT")


def infer_bitwise(call: OpCall) -> Sequence[TensorType]:
    """Two arguments of one type of integers broadcast together."""
    (y,) = infer_binary(call)
    if y.dtype not in INTEGERS:
        raise InferenceError(f"{call.op_type} takes integers, not {y}")
    return (y,)


def infer_bit_shift(call: OpCall) -> Sequence[TensorType]:
    """x and by how many bits, below the type's width, to shift it: broadcast together."""
    (y,) = infer_binary(call)
    if y.dtype != DType.UINT32:
        raise InferenceError(f"BitShift takes unsigned integers, not {y}")
    if call.attributes["direction"] not in SHIFT_DIRECTIONS:
        direction = call.attributes["direction"]
        raise InferenceError(f"BitShift's direction must be LEFT or RIGHT, not {direction}")
    return (y,)


define(
    OpDef("BitwiseXor", 18, infer=infer_bitwise, cost=per_element, sees=elementwise, constant=True),
    OpDef(
        "BitShift",
        11,
        infer=infer_bit_shift,
        cost=per_element,
        sees=elementwise,
        attributes={"direction": REQUIRED},
        constant=True,
    ),
)
