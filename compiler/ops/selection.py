"""Operators that say where a tensor's elements are."""

from collections.abc import Sequence

from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType
from .opdef import Cost, OpDef, define
from .reduction import reduce


def infer_arg_max(call: OpCall) -> Sequence[TensorType]:
    """x (*A, S, *B) => the index of the largest element along `axis` as int64, (*A, 1, *B)."""
    x, axis = call.type(0), call.attributes["axis"]
    if not -x.rank <= axis < x.rank:
        raise InferenceError(f"{call.op_type} has no axis {axis} in a tensor of rank {x.rank}")
    axis %= x.rank
    if x.shape[axis] == 0:
        raise InferenceError(f"{call.op_type} is undefined on an empty tensor: {x}")
    kept = (1,) if call.attributes["keepdims"] else ()
    return (TensorType(DType.INT64, (*x.shape[:axis], *kept, *x.shape[axis + 1 :])),)


def arg_max_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per input element."""
    return Cost(elementwise=call.type(0).size)


define(
    OpDef(
        "ArgMax",
        13,
        infer=infer_arg_max,
        cost=arg_max_cost,
        sees=reduce,
        attributes={"axis": 0, "keepdims": 1, "select_last_index": 0},
        constant=True,
    )
)
