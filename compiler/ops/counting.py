"""Operators that count: how many elements there are, their numbers, and running sums."""

from collections.abc import Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim, Polynomial, unknown
from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType
from .elementwise import per_element
from .opdef import Cotangents, OpDef, Precision, VjpCall, define, free
from .receptive_field import elementwise, everything, throughout


def infer_size(call: OpCall) -> Sequence[TensorType]:
    """The number of elements as a scalar of int64."""
    return (TensorType(DType.INT64, ()),)


def size_value(call: OpCall) -> Dim:
    """The number itself."""
    return call.type(0).size


def _number(call: OpCall, index: int) -> Any:
    """The one number that an argument holds, also as a vector, where it is known."""
    known = call.known(index)
    return known[0] if isinstance(known, tuple) and len(known) == 1 else known


def infer_range(call: OpCall) -> Sequence[TensorType]:
    """start, limit and delta, one number each => ceil((limit - start) / delta) numbers.

    Unknown how many where the bounds are unknown.
    """
    types = [call.type(i) for i in range(3)]
    if any(type.size != 1 for type in types) or len({type.dtype for type in types}) > 1:
        raise InferenceError(
            f"Range takes three numbers of one type, not {', '.join(map(str, types))}"
        )
    start, limit, delta = (_number(call, i) for i in range(3))
    if delta == 0:
        raise InferenceError("Range needs a step other than 0")
    if start is None or limit is None or delta is None or not _divides(delta, start, limit):
        return (TensorType(types[0].dtype, (unknown(),)),)
    count = -((start - limit) // delta)
    extent = count if isinstance(count, Polynomial) else max(int(count), 0)
    return (TensorType(types[0].dtype, (extent,)),)


def _divides(delta: Any, start: Any, limit: Any) -> bool:
    """Whether the number of steps is computed: an open extent is divided by a whole number."""
    if isinstance(delta, Polynomial):
        return False
    return isinstance(delta, int) or not any(isinstance(n, Polynomial) for n in (start, limit))


def range_values(call: OpCall) -> tuple[int, ...] | None:
    """The numbers themselves, where they are whole."""
    bounds = [_number(call, i) for i in range(3)]
    return tuple(range(*bounds)) if all(isinstance(n, int) for n in bounds) else None


def infer_cumulative_sum(call: OpCall) -> Sequence[TensorType]:
    """x and an axis => y like x."""
    x, axis = call.type(0), _number(call, 1)
    if axis is not None and not -x.rank <= axis < x.rank:
        raise InferenceError(f"CumSum needs an axis of {x}, not {axis}")
    if x.dtype == DType.BOOL:
        raise InferenceError(f"CumSum takes numbers, not {x}")
    return (x,)


def cumulative_sum(build: Builder, call: VjpCall) -> Cotangents:
    """y_i = sum of x_j, j <= i: dx_j = sum of dy_i, i >= j, the sum from the other end."""
    attributes = {**call.attributes, "reverse": 1 - call.attributes["reverse"]}
    return [build.CumSum(call.cotangent, call.input(1), **attributes)]


define(
    OpDef(
        "Size", 21, infer=infer_size, cost=free, sees=elementwise, known=size_value, constant=True
    ),
    OpDef(
        "Range",
        11,
        infer=infer_range,
        cost=free,
        sees=everything,
        known=range_values,
        precision=Precision.FULL,
    ),
    OpDef(
        "CumSum",
        14,
        precision=Precision.FULL,
        infer=infer_cumulative_sum,
        cost=per_element,
        sees=throughout,
        attributes={"exclusive": 0, "reverse": 0},
        vjp=cumulative_sum,
    ),
)
