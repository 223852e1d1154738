"""Reductions: what is left of a tensor when some axes become one number each."""

from collections.abc import Sequence

from ..opdef import Cost, InferenceError, OpCall, defop
from ..types import TensorType
from .gradients.reduction import RULES

# Those that have no value for no elements.
EXTREMES = frozenset({"ReduceMax", "ReduceMin"})
# Those that map each element before or after they add up.
NORMS = ("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")
REDUCTIONS = ("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", *NORMS)


def infer_reduce(call: OpCall) -> Sequence[TensorType]:
    """x, constant axes (by default all) => those axes with an extent of 1, or without them."""
    x = call.type(0)
    if call.op_type in NORMS and not x.dtype.is_float:
        raise InferenceError(f"{call.op_type} takes real numbers, not {x}")
    axes = reduced_axes(call)
    if call.op_type in EXTREMES and any(x.shape[axis] == 0 for axis in axes):
        raise InferenceError(f"{call.op_type} is undefined on an empty tensor: {x}")
    keep = call.attributes["keepdims"]
    shape = [1 if i in axes else dim for i, dim in enumerate(x.shape) if keep or i not in axes]
    return (x.with_shape(shape),)


def reduced_axes(call: OpCall) -> frozenset[int]:
    """The axes that a reduction removes, counted from the first."""
    rank = call.type(0).rank
    axes = call.constants[1] if call.has(1) else ()
    if axes is None or not all(isinstance(a, int) and -rank <= a < rank for a in axes):
        raise InferenceError(f"{call.op_type} needs constant axes within {rank}, not {axes}")
    if not axes and not call.attributes["noop_with_empty_axes"]:
        return frozenset(range(rank))
    reduced = frozenset(axis % rank for axis in axes)
    if len(reduced) < len(axes):
        raise InferenceError(f"{call.op_type} repeats an axis in {axes}")
    return reduced


def reduce_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per input element, and another one where it is mapped before."""
    return Cost(elementwise=call.type(0).size * (2 if call.op_type in NORMS else 1))


for op_type in REDUCTIONS:
    defop(
        op_type,
        infer=infer_reduce,
        cost=reduce_cost,
        attributes={"keepdims": 1, "noop_with_empty_axes": 0},
        vjp=RULES.get(op_type),
    )
