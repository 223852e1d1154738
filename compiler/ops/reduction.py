"""Reductions: what is left of a tensor when some axes become one number each, or an index."""

from collections.abc import Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import unknown
from ..ir.graph import Node, Value
from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType
from . import notation
from .building import count, indicator, number, shape_value, times
from .cuts import are_known, known_value, length_of
from .elementwise import Slope
from .functions import absolute
from .kinks import ZERO
from .known_values import known_product
from .opdef import Cost, Cotangents, OpDef, Precision, Vjp, VjpCall, define
from .receptive_field import Field, everything, without

# Those that map each element before or after they add up.
NORM_REDUCTIONS = frozenset(
    {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}
)


def infer_reduce(call: OpCall) -> Sequence[TensorType]:
    """x, axes (by default all) => those axes with an extent of 1, or without them.

    Where the axes are unknown, all extents are.
    """
    x, keep = call.type(0), call.attributes["keepdims"]
    if call.op_type in NORM_REDUCTIONS and x.dtype == DType.BOOL:
        raise InferenceError(f"{call.op_type} takes numbers, not {x}")
    if call.has(1) and length_of(call, 1) and not are_known(call, 1):
        rank = x.rank if keep else x.rank - length_of(call, 1)
        return (x.with_shape(unknown() for _ in range(rank)),)
    axes = reduced_axes(call)
    shape = [1 if i in axes else dim for i, dim in enumerate(x.shape) if keep or i not in axes]
    return (x.with_shape(shape),)


def reduced_axes(call: OpCall) -> frozenset[int]:
    """The axes that a reduction removes, counted from the first."""
    rank = call.type(0).rank
    axes = (call.vector(1) or ()) if call.has(1) else ()
    if not all(isinstance(a, int) and -rank <= a < rank for a in axes):
        raise InferenceError(f"{call.op_type} needs constant axes within {rank}, not {axes}")
    if not axes and not call.attributes["noop_with_empty_axes"]:
        return frozenset(range(rank))
    reduced = frozenset(axis % rank for axis in axes)
    if len(reduced) < len(axes):
        raise InferenceError(f"{call.op_type} repeats an axis in {axes}")
    return reduced


def reduce_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per input element, and another one where it is mapped before."""
    return Cost(elementwise=call.type(0).size * (2 if call.op_type in NORM_REDUCTIONS else 1))


def reduce(node: Node, operands: Sequence[Field]) -> Field:
    """What is left of an axis sees all of it; with axes dropped, nothing says which they were."""
    x, (y,) = node.inputs[0], node.outputs
    if x is None or x.type.rank != y.rank:
        return everything(node, operands)
    field = operands[0]
    for place, (before, after) in enumerate(zip(x.shape, y.shape, strict=True)):
        if before != after:
            field = tuple(without(axis, place) for axis in field)
    return field


def reduce_sum(build: Builder, call: VjpCall) -> Cotangents:
    """y = sum x: dy to every x that it sums."""
    return [_spread(build, call, _kept(build, call, call.cotangent))]


def reduce_mean(build: Builder, call: VjpCall) -> Cotangents:
    """y is the mean of n numbers: dy / n to each."""
    dy = _kept(build, call, call.cotangent)
    axes = _reduced(build, call)
    return [_spread(build, call, build.Div(dy, count(build, call.input(0), axes)))]


def reduce_extremum(build: Builder, call: VjpCall) -> Cotangents:
    """y is the largest or smallest x: dy to it, in equal shares to those that are equal."""
    x = call.input(0)
    y, dy = (_kept(build, call, value) for value in (call.outputs[0], call.cotangent))
    chosen = indicator(build, build.Equal(x, y), x)
    return [build.Mul(chosen, build.Div(dy, _summed(build, call, chosen)))]


def reduce_prod(build: Builder, call: VjpCall) -> Cotangents:
    """y = prod x: dy times the product of the others.

    That is the product p of all that are not 0 divided by x, or p itself at the only 0, and 0
    where another one is 0. At zeros this is the first derivative only.
    """
    x, dy = call.input(0), _kept(build, call, call.cotangent)
    zero, one = number(build, 0.0, x), number(build, 1.0, x)
    vanishes = build.Equal(x, zero)
    zeros = indicator(build, vanishes, x)
    others = build.Equal(zeros, _summed(build, call, zeros))
    factors = build.Where(vanishes, one, x)
    axes = build.index_constant(_reduced(build, call))
    attributes = {"noop_with_empty_axes": call.attributes["noop_with_empty_axes"]}
    (product,) = build.op("ReduceProd", (factors, axes), attributes)
    return [build.Mul(indicator(build, others, x), build.Div(build.Mul(dy, product), factors))]


def of_norm(slope: Slope) -> Vjp:
    """The rule dx = dy slope, where y has kept its axes."""

    def rule(build: Builder, call: VjpCall) -> Cotangents:
        y, dy = (_kept(build, call, value) for value in (call.outputs[0], call.cotangent))
        return [build.Mul(_spread(build, call, dy), slope(build, call.input(0), y))]

    return rule


def reduce_l1(build: Builder, x: Value, y: Value) -> Value:
    """y = sum |x|: the sign, 0 at 0."""
    return absolute(build, x, x)


def reduce_l2(build: Builder, x: Value, y: Value) -> Value:
    """y = sqrt(sum x^2): x / y, and 0 where all x are, as in PyTorch."""
    length = build.Where(build.Equal(y, number(build, 0.0, y)), number(build, 1.0, y), y)
    return build.Div(x, length)


def reduce_log_sum(build: Builder, x: Value, y: Value) -> Value:
    """y = log(sum x): 1 / sum x = exp(-y)."""
    return build.Exp(build.Neg(y))


def reduce_log_sum_exp(build: Builder, x: Value, y: Value) -> Value:
    """y = log(sum exp x): exp(x - y)."""
    return build.Exp(build.Sub(x, y))


def reduce_sum_square(build: Builder, x: Value, y: Value) -> Value:
    """y = sum x^2: 2 x."""
    return times(build, x, 2.0)


def _summed(build: Builder, call: VjpCall, x: Value) -> Value:
    """The sums of what was reduced together, with extents of 1."""
    axes = _reduced(build, call)
    return build.ReduceSum(x, build.index_constant(axes), keepdims=1) if axes else x


def _spread(build: Builder, call: VjpCall, dy: Value) -> Value:
    """dy, with extents of 1, for every x that was reduced to it."""
    return (
        build.Expand(dy, shape_value(build, call.input(0)))
        if dy.shape != call.input(0).shape
        else dy
    )


def _kept(build: Builder, call: VjpCall, y: Value) -> Value:
    """y or dy with the reduced axes as extents of 1, so that it broadcasts to x."""
    axes = _reduced(build, call)
    if call.attributes["keepdims"] or not axes:
        return y
    return build.Unsqueeze(y, build.index_constant(axes))


def _reduced(build: Builder, call: VjpCall) -> tuple[int, ...]:
    """The axes that were reduced, counted from 0."""
    rank = len(call.input(0).shape)
    given = call.optional(1)
    axes = () if given is None or given.shape == (0,) else known_value(build, call, 1)
    if not axes and not call.attributes["noop_with_empty_axes"]:
        return tuple(range(rank))
    return tuple(sorted(axis % rank for axis in axes))


def _extremum_kinks(build: Builder, node: Node, results: Sequence[Value]) -> Sequence[Value]:
    kept = {**node.attributes, "keepdims": 1}
    return [build.Equal(node.input(0), build.op(node.op_type, node.inputs, kept)[0])]


def _reduction(op_type: str, since_version: int, vjp: Vjp, **facts: Any) -> OpDef:
    return OpDef(
        op_type,
        since_version,
        infer=infer_reduce,
        cost=reduce_cost,
        sees=reduce,
        attributes={"keepdims": 1, "noop_with_empty_axes": 0},
        vjp=vjp,
        **{"precision": Precision.FULL, **facts},
    )


def infer_place(call: OpCall) -> Sequence[TensorType]:
    """x (*A, S, *B) => the index of an extreme element along `axis` as int64, (*A, 1, *B)."""
    x, axis = call.type(0), call.attributes["axis"]
    if not -x.rank <= axis < x.rank:
        raise InferenceError(f"{call.op_type} has no axis {axis} in a tensor of rank {x.rank}")
    axis %= x.rank
    if x.shape[axis] == 0:
        raise InferenceError(f"{call.op_type} is undefined on an empty tensor: {x}")
    kept = (1,) if call.attributes["keepdims"] else ()
    return (TensorType(DType.INT64, (*x.shape[:axis], *kept, *x.shape[axis + 1 :])),)


def _place(op_type: str) -> OpDef:
    return OpDef(
        op_type,
        13,
        infer=infer_place,
        cost=reduce_cost,
        sees=reduce,
        attributes={"axis": 0, "keepdims": 1, "select_last_index": 0},
        constant=True,
    )


define(
    _place("ArgMax"),
    _place("ArgMin"),
    _reduction("ReduceL1", 18, of_norm(reduce_l1), kinks=ZERO),
    _reduction("ReduceL2", 18, of_norm(reduce_l2)),
    _reduction("ReduceLogSum", 18, of_norm(reduce_log_sum)),
    _reduction("ReduceLogSumExp", 18, of_norm(reduce_log_sum_exp)),
    _reduction(
        "ReduceMax",
        20,
        reduce_extremum,
        precision=Precision.EITHER,
        kinks=_extremum_kinks,
        notation=notation.fixed("max", notation.AT_MAXIMUM),
    ),
    _reduction("ReduceMean", 18, reduce_mean, notation=notation.fixed("mean", "g / n")),
    _reduction(
        "ReduceMin",
        20,
        reduce_extremum,
        precision=Precision.EITHER,
        kinks=_extremum_kinks,
        notation=notation.fixed("min", "g at the minimum"),
    ),
    _reduction(
        "ReduceProd",
        18,
        reduce_prod,
        known=known_product,
        notation=notation.fixed("product", "g y / x"),
    ),
    _reduction("ReduceSum", 13, reduce_sum, notation=notation.fixed("∑", "g for each x")),
    _reduction("ReduceSumSquare", 18, of_norm(reduce_sum_square)),
)
