"""Gradients of reductions."""

from collections.abc import Mapping, Sequence

from ...builder import Builder
from ...graph import Value
from ...opdef import Vjp, VjpCall
from .shapes import count, indicator, number, shape_value, times
from .unary import Slope, absolute

Parts = Sequence[Value | None]


def reduce_sum(build: Builder, call: VjpCall) -> Parts:
    """y = sum x: dy to every x that it sums."""
    return [_spread(build, call, _kept(build, call, call.cotangent))]


def reduce_mean(build: Builder, call: VjpCall) -> Parts:
    """y is the mean of n numbers: dy / n to each."""
    dy = _kept(build, call, call.cotangent)
    axes = reduced_axes(build, call)
    return [_spread(build, call, build.Div(dy, count(build, call.input(0), axes)))]


def reduce_extremum(build: Builder, call: VjpCall) -> Parts:
    """y is the largest or smallest x: dy to it, in equal shares to those that are equal."""
    x = call.input(0)
    y, dy = (_kept(build, call, value) for value in (call.outputs[0], call.cotangent))
    chosen = indicator(build, build.Equal(x, y), x)
    return [build.Mul(chosen, build.Div(dy, _summed(build, call, chosen)))]


def reduce_prod(build: Builder, call: VjpCall) -> Parts:
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
    axes = build.index_constant(reduced_axes(build, call))
    attributes = {"noop_with_empty_axes": call.attributes["noop_with_empty_axes"]}
    (product,) = build.op("ReduceProd", (factors, axes), attributes)
    return [build.Mul(indicator(build, others, x), build.Div(build.Mul(dy, product), factors))]


def of_norm(slope: Slope) -> Vjp:
    """The rule dx = dy slope, where y has kept its axes."""

    def rule(build: Builder, call: VjpCall) -> Parts:
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
    axes = reduced_axes(build, call)
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
    axes = reduced_axes(build, call)
    if call.attributes["keepdims"] or not axes:
        return y
    return build.Unsqueeze(y, build.index_constant(axes))


def reduced_axes(build: Builder, call: VjpCall) -> tuple[int, ...]:
    """The axes that were reduced, counted from 0."""
    rank = len(call.input(0).shape)
    given = call.inputs[1] if len(call.inputs) > 1 else None
    axes = () if given is None else build.known(given)
    if axes is None:
        raise ValueError("a gradient needs reduced axes that are known")
    if not axes and not call.attributes["noop_with_empty_axes"]:
        return tuple(range(rank))
    return tuple(sorted(axis % rank for axis in axes))


RULES: Mapping[str, Vjp] = {
    "ReduceL1": of_norm(reduce_l1),
    "ReduceL2": of_norm(reduce_l2),
    "ReduceLogSum": of_norm(reduce_log_sum),
    "ReduceLogSumExp": of_norm(reduce_log_sum_exp),
    "ReduceMax": reduce_extremum,
    "ReduceMean": reduce_mean,
    "ReduceMin": reduce_extremum,
    "ReduceProd": reduce_prod,
    "ReduceSum": reduce_sum,
    "ReduceSumSquare": of_norm(reduce_sum_square),
}
