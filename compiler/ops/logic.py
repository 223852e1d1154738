"""Operators on truth values."""

from collections.abc import Sequence

from ..opdef import InferenceError, OpCall, defop
from ..types import DType, TensorType
from .elementwise import infer_binary, per_element


def infer_not(call: OpCall) -> Sequence[TensorType]:
    """Truth values => truth values."""
    x = call.type(0)
    if x.dtype != DType.BOOL:
        raise InferenceError(f"{call.op_type} takes truth values, not {x}")
    return (x,)


def infer_connective(call: OpCall) -> Sequence[TensorType]:
    """Two arguments of truth values broadcast together."""
    (y,) = infer_binary(call)
    if y.dtype != DType.BOOL:
        raise InferenceError(f"{call.op_type} takes truth values, not {y}")
    return (y,)


def infer_predicate(call: OpCall) -> Sequence[TensorType]:
    """Real numbers => a truth value each."""
    x = call.type(0)
    if not x.dtype.is_float:
        raise InferenceError(f"{call.op_type} takes real numbers, not {x}")
    return (TensorType(DType.BOOL, x.shape),)


defop("Not", infer=infer_not, cost=per_element, constant=True)
defop("IsNaN", infer=infer_predicate, cost=per_element, constant=True)
for op_type in ("And", "Or"):
    defop(op_type, infer=infer_connective, cost=per_element, constant=True)
