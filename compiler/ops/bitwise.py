"""Operators on the bits of integers; arithmetic of `uint32` elsewhere wraps around 2^32."""

from collections.abc import Sequence

from ..ir.signature import REQUIRED, Infer, InferenceError, OpCall
from ..ir.types import TensorType
from .elementwise import infer_binary, infer_same, per_element
from .opdef import OpDef, define
from .receptive_field import elementwise

SHIFT_DIRECTIONS = ("LEFT", "RIGHT")


def infer_bitwise(call: OpCall) -> Sequence[TensorType]:
    """Two arguments of one type of integers broadcast together."""
    return _integers(call, infer_binary(call))


def infer_complement(call: OpCall) -> Sequence[TensorType]:
    """Integers => as many of their type."""
    return _integers(call, infer_same(call))


def infer_bit_shift(call: OpCall) -> Sequence[TensorType]:
    """x and by how many bits, below the type's width, to shift it: broadcast together."""
    if call.attributes["direction"] not in SHIFT_DIRECTIONS:
        direction = call.attributes["direction"]
        raise InferenceError(f"BitShift's direction must be LEFT or RIGHT, not {direction}")
    return _integers(call, infer_binary(call))


def _integers(call: OpCall, types: Sequence[TensorType]) -> Sequence[TensorType]:
    (y,) = types
    if not y.dtype.is_integer:
        raise InferenceError(f"{call.op_type} takes integers, not {y}")
    return types


def _bitwise(op_type: str, since_version: int, infer: Infer = infer_bitwise) -> OpDef:
    return OpDef(
        op_type, since_version, infer=infer, cost=per_element, sees=elementwise, constant=True
    )


define(
    _bitwise("BitwiseAnd", 18),
    _bitwise("BitwiseNot", 18, infer_complement),
    _bitwise("BitwiseOr", 18),
    _bitwise("BitwiseXor", 18),
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
