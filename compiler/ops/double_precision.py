"""Operators of float64 that onnxruntime lacks -> operators that it has.

Some of them it has in newer releases, or where it does not merge them with their neighbours.
"""

from collections.abc import Callable, Sequence
from math import pi, sqrt

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.signature import OpCall
from ..ir.types import DType
from .building import plus, times
from .error_function import CENTRES_PER_UNIT, LAST_CENTRE, expansions
from .opdef import Decompose, Operands

DoubleRule = Callable[..., Value]


def in_double_precision(rule: DoubleRule) -> Decompose:
    """How an operator is built where its first argument is of float64."""

    def decompose(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value] | None:
        if call.type(0).dtype is not DType.FLOAT64:
            return None
        return [rule(build, *operands, **call.attributes)]

    return decompose


def sigmoid(build: Builder, x: Value) -> Value:
    """1 / (1 + exp -x)."""
    return build.Reciprocal(plus(build, build.Exp(build.Neg(x)), 1.0))


def softplus(build: Builder, x: Value) -> Value:
    """log(1 + exp x) = max(x, 0) + log(1 + exp -|x|), which does not overflow."""
    rest = build.Log(plus(build, build.Exp(build.Neg(build.Abs(x))), 1.0))
    return build.Add(_positive(build, x), rest)


def mish(build: Builder, x: Value) -> Value:
    """x tanh(softplus x)."""
    return build.Mul(x, build.Tanh(softplus(build, x)))


def softsign(build: Builder, x: Value) -> Value:
    """x / (1 + |x|)."""
    return build.Div(x, plus(build, build.Abs(x), 1.0))


def elu(build: Builder, x: Value, *, alpha: float) -> Value:
    """x where it is positive, alpha (exp x - 1) elsewhere."""
    curve = plus(build, build.Exp(_negative(build, x)), -1.0)
    return build.Add(_positive(build, x), times(build, curve, alpha))


def selu(build: Builder, x: Value, *, alpha: float, gamma: float) -> Value:
    """Gamma times ELU."""
    return times(build, elu(build, x, alpha=alpha), gamma)


def celu(build: Builder, x: Value, *, alpha: float) -> Value:
    """max(x, 0) + min(0, alpha (exp(x / alpha) - 1))."""
    curve = plus(build, build.Exp(times(build, x, 1 / alpha)), -1.0)
    return build.Add(_positive(build, x), _negative(build, times(build, curve, alpha)))


def leaky_relu(build: Builder, x: Value, *, alpha: float) -> Value:
    """x where it is positive, alpha x elsewhere."""
    return build.Add(_positive(build, x), times(build, _negative(build, x), alpha))


def prelu(build: Builder, x: Value, slope: Value) -> Value:
    """x where it is positive, slope x elsewhere."""
    return build.Add(_positive(build, x), build.Mul(_negative(build, x), slope))


def thresholded_relu(build: Builder, x: Value, *, alpha: float) -> Value:
    """x where it is above alpha, 0 elsewhere."""
    above = build.Greater(x, build.constant(alpha, x.dtype))
    return build.Where(above, x, build.constant(0.0, x.dtype))


def hard_sigmoid(build: Builder, x: Value, *, alpha: float, beta: float) -> Value:
    """Alpha x + beta between 0 and 1."""
    line = plus(build, times(build, x, alpha), beta)
    return _positive(build, build.Min(line, build.constant(1.0, x.dtype)))


def hard_swish(build: Builder, x: Value) -> Value:
    """x max(0, min(1, x / 6 + 1 / 2))."""
    return build.Mul(x, hard_sigmoid(build, x, alpha=1 / 6, beta=0.5))


def error_function(build: Builder, x: Value) -> Value:
    """Horner's rule for the polynomial around the multiple of 1 / STEPS that is nearest to |x|."""
    size = build.Min(build.Abs(x), build.constant(float(LAST_CENTRE), x.dtype))
    size = build.Where(build.IsNaN(x), build.constant(0.0, x.dtype), size)
    place = build.Round(times(build, size, float(CENTRES_PER_UNIT)))
    offset = build.Sub(size, times(build, place, 1 / CENTRES_PER_UNIT))
    index = build.Cast(place, to=DType.INT64)
    first, *others = (build.constant(row, x.dtype) for row in reversed(expansions()))
    y = build.Gather(first, index, axis=0)
    for row in others:
        y = build.Add(build.Mul(y, offset), build.Gather(row, index, axis=0))
    # The sign of x: its Sign is 0 of zeros and NaN of what is not a number.
    return build.Mul(y, build.Where(build.IsNaN(x), x, build.Sign(x)))


def gelu(build: Builder, x: Value, *, approximate: str, erf: DoubleRule = error_function) -> Value:
    """x / 2 (1 + erf(x / sqrt 2)), or with tanh(sqrt(2 / pi) (x + 0.044715 x^3)) for the erf."""
    if approximate == "tanh":
        cube = times(build, build.Mul(x, build.Mul(x, x)), 0.044715)
        curve = build.Tanh(times(build, build.Add(x, cube), sqrt(2 / pi)))
    else:
        curve = erf(build, times(build, x, sqrt(0.5)))
    return build.Mul(times(build, x, 0.5), plus(build, curve, 1.0))


def hyperbolic_sine(build: Builder, x: Value) -> Value:
    """(exp x - exp -x) / 2."""
    return times(build, build.Sub(build.Exp(x), build.Exp(build.Neg(x))), 0.5)


def hyperbolic_cosine(build: Builder, x: Value) -> Value:
    """(exp x + exp -x) / 2."""
    return times(build, build.Add(build.Exp(x), build.Exp(build.Neg(x))), 0.5)


def cosine(build: Builder, x: Value) -> Value:
    """1 - 2 sin^2(x / 2)."""
    half = build.Sin(times(build, x, 0.5))
    return plus(build, times(build, build.Mul(half, half), -2.0), 1.0)


def tangent(build: Builder, x: Value) -> Value:
    """Sin x / cos x."""
    return build.Div(build.Sin(x), cosine(build, x))


def mean(build: Builder, *operands: Value) -> Value:
    """The sum over the number of operands."""
    return times(build, build.Sum(*operands), 1 / len(operands))


def global_mean(build: Builder, x: Value) -> Value:
    """The mean over all positions."""
    return build.ReduceMean(x, _positions(build, x), keepdims=1)


def global_maximum(build: Builder, x: Value) -> Value:
    """The maximum over all positions."""
    return build.ReduceMax(x, _positions(build, x), keepdims=1)


def _positions(build: Builder, x: Value) -> Value:
    return build.index_constant(tuple(range(2, x.type.rank)))


def _positive(build: Builder, x: Value) -> Value:
    return build.Max(x, build.constant(0.0, x.dtype))


def _negative(build: Builder, x: Value) -> Value:
    return build.Min(x, build.constant(0.0, x.dtype))
