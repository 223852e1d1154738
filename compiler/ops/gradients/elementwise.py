"""Gradients of elementwise operators; arguments that were broadcast get sums."""

from collections.abc import Mapping, Sequence

from ...builder import Builder
from ...graph import Value
from ...opdef import Vjp, VjpCall
from . import unary
from .shapes import indicator, number, plus, sum_to, times

Parts = Sequence[Value | None]


def add(build: Builder, call: VjpCall) -> Parts:
    """y = a + b, for any number of arguments: dy to each."""
    return _each(build, call, call.cotangent)


def subtract(build: Builder, call: VjpCall) -> Parts:
    """y = a - b: dy to a, and -dy to b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    return [
        sum_to(build, dy, a) if call.wanted[0] else None,
        build.Neg(sum_to(build, dy, b)) if call.wanted[1] else None,
    ]


def multiply(build: Builder, call: VjpCall) -> Parts:
    """y = a b: b dy to a, and a dy to b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    return [
        sum_to(build, build.Mul(dy, b), a) if call.wanted[0] else None,
        sum_to(build, build.Mul(dy, a), b) if call.wanted[1] else None,
    ]


def divide(build: Builder, call: VjpCall) -> Parts:
    """y = a / b: da = dy / b, and db = -y da."""
    a, b = call.input(0), call.input(1)
    da = build.Div(call.cotangent, b)
    return [
        sum_to(build, da, a) if call.wanted[0] else None,
        build.Neg(sum_to(build, build.Mul(da, call.outputs[0]), b)) if call.wanted[1] else None,
    ]


def remainder(build: Builder, call: VjpCall) -> Parts:
    """y = a - b n, the whole number n being constant almost everywhere: dy to a, dy (y - a) / b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    steps = build.Div(build.Sub(call.outputs[0], a), b)
    return [
        sum_to(build, dy, a) if call.wanted[0] else None,
        sum_to(build, build.Mul(dy, steps), b) if call.wanted[1] else None,
    ]


def power(build: Builder, call: VjpCall) -> Parts:
    """y = a^b: dy b a^(b - 1) to a, and dy y log a to b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    return [
        sum_to(build, _power_to_base(build, a, b, dy), a) if call.wanted[0] else None,
        sum_to(build, _power_to_exponent(build, call), b) if call.wanted[1] else None,
    ]


def _power_to_base(build: Builder, a: Value, b: Value, dy: Value) -> Value:
    """dy b a^(b - 1), and 0 where b = 0, for any a."""
    known = build.known(b)
    if known == 1:
        return dy
    if known == 2:
        return build.Mul(dy, times(build, a, 2.0))
    if isinstance(known, int | float) and known:
        return build.Mul(dy, times(build, build.Pow(a, number(build, known - 1, a)), known))
    zero, one = number(build, 0.0, b), number(build, 1.0, b)
    exponent = plus(build, build.Where(build.Equal(b, zero), one, b), -1.0)
    return build.Mul(dy, build.Mul(b, build.Pow(a, exponent)))


def _power_to_exponent(build: Builder, call: VjpCall) -> Value:
    """dy y log a, and 0 where a = 0 and b >= 0, as in PyTorch."""
    a, b = call.input(0), call.input(1)
    zero, one = number(build, 0.0, a), number(build, 1.0, a)
    flat = build.And(build.Equal(a, zero), build.GreaterOrEqual(b, zero))
    logarithm = build.Log(build.Where(flat, one, a))
    return build.Mul(call.cotangent, build.Mul(call.outputs[0], logarithm))


def extremum(build: Builder, call: VjpCall) -> Parts:
    """y is the largest or smallest argument: dy to it, in equal shares to those that are equal."""
    y, dy = call.outputs[0], call.cotangent
    if len(call.inputs) == 1:
        return [dy]
    chosen = [indicator(build, build.Equal(x, y), y) for x in call.inputs if x is not None]
    share = build.Div(dy, build.op("Sum", chosen)[0])
    return [
        sum_to(build, build.Mul(share, mask), call.input(i)) if call.wanted[i] else None
        for i, mask in enumerate(chosen)
    ]


def mean(build: Builder, call: VjpCall) -> Parts:
    """y is the mean of n arguments: dy / n to each."""
    return _each(build, call, times(build, call.cotangent, 1 / len(call.inputs)))


def _each(build: Builder, call: VjpCall, dy: Value) -> Parts:
    return [
        sum_to(build, dy, call.input(i)) if wanted else None for i, wanted in enumerate(call.wanted)
    ]


def clip(build: Builder, call: VjpCall) -> Parts:
    """y = min(max(x, low), high): dy to whichever y is, to x also where it equals a bound.

    Bounds get a gradient as in PyTorch: the lower one where x < low < high, the upper one where
    x > high or high < low.
    """
    x, dy = call.input(0), call.cotangent
    low, high = (*call.inputs[1:], None, None)[:2]
    zero = number(build, 0.0, x)
    found: list[Value | None] = [None, None, None]
    if call.wanted[0] and low is None and high is None:
        found[0] = dy
    elif call.wanted[0]:
        found[0] = build.Mul(dy, indicator(build, build.Equal(x, call.outputs[0]), x))
    if low is not None and call.wanted[1]:
        below = build.Less(x, low)
        if high is not None:
            below = build.And(below, build.Less(low, high))
        found[1] = sum_to(build, build.Where(below, dy, zero), low)
    if high is not None and call.wanted[2]:
        above = build.Greater(x, high)
        if low is not None:
            above = build.Or(above, build.Less(high, low))
        found[2] = sum_to(build, build.Where(above, dy, zero), high)
    return found


def prelu(build: Builder, call: VjpCall) -> Parts:
    """y = x where x > 0, else slope x: dy times 1 or the slope to x, and x dy to the slope."""
    x, slope, dy = call.input(0), call.input(1), call.cotangent
    zero, one = number(build, 0.0, x), number(build, 1.0, x)
    positive = build.Greater(x, zero)
    return [
        build.Mul(dy, build.Where(positive, one, slope)) if call.wanted[0] else None,
        sum_to(build, build.Mul(dy, build.Where(positive, zero, x)), slope)
        if call.wanted[1]
        else None,
    ]


def where(build: Builder, call: VjpCall) -> Parts:
    """y is one argument or the other: dy to the one that is taken, and 0 to the other."""
    condition, dy = call.input(0), call.cotangent
    zero = number(build, 0.0, dy)
    then, otherwise = call.input(1), call.input(2)
    return [
        None,
        sum_to(build, build.Where(condition, dy, zero), then) if call.wanted[1] else None,
        sum_to(build, build.Where(condition, zero, dy), otherwise) if call.wanted[2] else None,
    ]


RULES: Mapping[str, Vjp] = {
    **unary.RULES,
    "Add": add,
    "Clip": clip,
    "Div": divide,
    "Max": extremum,
    "Mean": mean,
    "Min": extremum,
    "Mod": remainder,
    "Mul": multiply,
    "PRelu": prelu,
    "Pow": power,
    "Sub": subtract,
    "Sum": add,
    "Where": where,
}
