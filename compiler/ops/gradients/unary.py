"""Gradients of operators that map each element separately: dx = dy times the slope there.

A slope is built from x or y, whichever costs less; where it jumps it is PyTorch's. Jumps are
comparisons, so that second derivatives end there, and `Where` chooses between terms that are all
finite, so that no 0 meets an infinity.
"""

from collections.abc import Callable, Mapping, Sequence
from math import pi, sqrt

from ...builder import Builder
from ...graph import Value
from ...opdef import Vjp, VjpCall
from .shapes import indicator, number, plus, times

Parts = Sequence[Value | None]
# slope(build, x, y, **attributes)
Slope = Callable[..., Value]

# Beyond, the hyperbolic tangent in GELU is 1 to the last bit of float64.
GELU_LIMIT = 10.0


def by_slope(slope: Slope) -> Vjp:
    """The rule dx = dy slope."""

    def rule(build: Builder, call: VjpCall) -> Parts:
        found = slope(build, call.input(0), call.outputs[0], **call.attributes)
        return [build.Mul(call.cotangent, found)]

    return rule


def identity(build: Builder, call: VjpCall) -> Parts:
    """y = x: dy."""
    return [call.cotangent]


def cast(build: Builder, call: VjpCall) -> Parts:
    """y is x as another kind of real numbers: dy, cast back."""
    return [build.Cast(call.cotangent, to=call.input(0).dtype)]


def negate(build: Builder, call: VjpCall) -> Parts:
    """y = -x: -dy."""
    return [build.Neg(call.cotangent)]


def logarithm(build: Builder, call: VjpCall) -> Parts:
    """y = log x: dy / x."""
    return [build.Div(call.cotangent, call.input(0))]


def square_root(build: Builder, call: VjpCall) -> Parts:
    """y = sqrt x: dy / (2 y), infinite at 0, as in PyTorch."""
    return [build.Div(call.cotangent, times(build, call.outputs[0], 2.0))]


def absolute(build: Builder, x: Value, y: Value) -> Value:
    """The sign, 0 at 0."""
    zero = number(build, 0.0, x)
    above, below = build.Greater(x, zero), build.Less(x, zero)
    return build.Sub(indicator(build, above, x), indicator(build, below, x))


def exponential(build: Builder, x: Value, y: Value) -> Value:
    """y."""
    return y


def reciprocal(build: Builder, x: Value, y: Value) -> Value:
    """-y^2."""
    return build.Neg(build.Mul(y, y))


def error_function(build: Builder, x: Value, y: Value) -> Value:
    """2 / sqrt(pi) exp(-x^2)."""
    return times(build, build.Exp(build.Neg(build.Mul(x, x))), 2 / sqrt(pi))


def tanh(build: Builder, x: Value, y: Value) -> Value:
    """1 - y^2."""
    return build.Sub(number(build, 1.0, y), build.Mul(y, y))


def sigmoid(build: Builder, x: Value, y: Value) -> Value:
    """y (1 - y)."""
    return build.Mul(y, build.Sub(number(build, 1.0, y), y))


def sine(build: Builder, x: Value, y: Value) -> Value:
    """cos x."""
    return build.Cos(x)


def cosine(build: Builder, x: Value, y: Value) -> Value:
    """-sin x."""
    return build.Neg(build.Sin(x))


def tangent(build: Builder, x: Value, y: Value) -> Value:
    """1 + y^2."""
    return plus(build, build.Mul(y, y), 1.0)


def arcsine(build: Builder, x: Value, y: Value) -> Value:
    """1 / sqrt(1 - x^2)."""
    rest = build.Sub(number(build, 1.0, x), build.Mul(x, x))
    return build.Reciprocal(build.Sqrt(rest))


def arccosine(build: Builder, x: Value, y: Value) -> Value:
    """-1 / sqrt(1 - x^2)."""
    return build.Neg(arcsine(build, x, y))


def arctangent(build: Builder, x: Value, y: Value) -> Value:
    """1 / (1 + x^2)."""
    return build.Reciprocal(plus(build, build.Mul(x, x), 1.0))


def hyperbolic_sine(build: Builder, x: Value, y: Value) -> Value:
    """cosh x."""
    return build.Cosh(x)


def hyperbolic_cosine(build: Builder, x: Value, y: Value) -> Value:
    """sinh x."""
    return build.Sinh(x)


def inverse_hyperbolic_sine(build: Builder, x: Value, y: Value) -> Value:
    """1 / sqrt(x^2 + 1)."""
    return build.Reciprocal(build.Sqrt(plus(build, build.Mul(x, x), 1.0)))


def inverse_hyperbolic_cosine(build: Builder, x: Value, y: Value) -> Value:
    """1 / sqrt(x^2 - 1)."""
    return build.Reciprocal(build.Sqrt(plus(build, build.Mul(x, x), -1.0)))


def inverse_hyperbolic_tangent(build: Builder, x: Value, y: Value) -> Value:
    """1 / (1 - x^2)."""
    return build.Reciprocal(build.Sub(number(build, 1.0, x), build.Mul(x, x)))


def shrink(build: Builder, x: Value, y: Value, *, bias: float, lambd: float) -> Value:
    """1 where x < -lambd or x > lambd, else 0."""
    below = build.Less(x, number(build, -lambd, x))
    return indicator(build, build.Or(below, build.Greater(x, number(build, lambd, x))), x)


def thresholded_relu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > alpha, else 0."""
    return indicator(build, build.Greater(x, number(build, alpha, x)), x)


def softplus(build: Builder, x: Value, y: Value) -> Value:
    """1 / (1 + exp(-x))."""
    return build.Sigmoid(x)


def softsign(build: Builder, x: Value, y: Value) -> Value:
    """1 / (1 + |x|)^2."""
    root = build.Reciprocal(plus(build, build.Abs(x), 1.0))
    return build.Mul(root, root)


def relu(build: Builder, x: Value, y: Value) -> Value:
    """1 where x > 0, which is where y > 0, else 0."""
    return indicator(build, build.Greater(y, number(build, 0.0, y)), y)


def leaky_relu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > 0, else alpha."""
    return _where_positive(build, x, 1.0, number(build, alpha, x))


def elu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > 0, else alpha exp x = y + alpha."""
    return _where_positive(build, x, 1.0, plus(build, y, alpha))


def selu(build: Builder, x: Value, y: Value, *, alpha: float, gamma: float) -> Value:
    """gamma where x > 0, else gamma alpha exp x = y + gamma alpha."""
    return _where_positive(build, x, gamma, plus(build, y, gamma * alpha))


def celu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > 0, else exp(x / alpha) = y / alpha + 1."""
    return _where_positive(build, x, 1.0, plus(build, times(build, y, 1 / alpha), 1.0))


def gelu(build: Builder, x: Value, y: Value, *, approximate: str) -> Value:
    """P(X <= x) + x p(x) for a normal X of density p, or the slope of the approximation."""
    if approximate == "tanh":
        return _approximate_gelu(build, x)
    below = times(build, plus(build, build.Erf(times(build, x, sqrt(0.5))), 1.0), 0.5)
    bell = build.Exp(times(build, build.Mul(x, x), -0.5))
    return build.Add(below, times(build, build.Mul(x, bell), 1 / sqrt(2 * pi)))


def _approximate_gelu(build: Builder, x: Value) -> Value:
    """(1 + t) / 2 + x / 2 (1 - t^2) u' with t = tanh u and u = sqrt(2 / pi) (x + c x^3).

    Far out, where the slope is 0 or 1, the powers of x would overflow.
    """
    x = build.Clip(x, number(build, -GELU_LIMIT, x), number(build, GELU_LIMIT, x))
    linear, cubic = sqrt(2 / pi), sqrt(2 / pi) * 0.044715
    square = build.Mul(x, x)
    t = build.Tanh(build.Mul(x, plus(build, times(build, square, cubic), linear)))
    steepness = build.Mul(x, plus(build, times(build, square, 3 * cubic), linear))
    curve = build.Mul(steepness, build.Sub(number(build, 1.0, t), build.Mul(t, t)))
    return times(build, plus(build, build.Add(t, curve), 1.0), 0.5)


def mish(build: Builder, x: Value, y: Value) -> Value:
    """t + x sigmoid(x) (1 - t^2) with t = tanh(softplus x)."""
    t = build.Tanh(build.Softplus(x))
    rest = build.Sub(number(build, 1.0, t), build.Mul(t, t))
    return build.Add(t, build.Mul(build.Mul(x, build.Sigmoid(x)), rest))


def hard_sigmoid(build: Builder, x: Value, y: Value, *, alpha: float, beta: float) -> Value:
    """alpha where 0 < y < 1, else 0."""
    inside = build.And(
        build.Greater(y, number(build, 0.0, y)), build.Less(y, number(build, 1.0, y))
    )
    return build.Where(inside, number(build, alpha, y), number(build, 0.0, y))


def hard_swish(build: Builder, x: Value, y: Value) -> Value:
    """1 / 2 + x / 3 where |x| < 3, else 0 or 1."""
    inside = build.Less(build.Abs(x), number(build, 3.0, x))
    outside = indicator(build, build.Greater(x, number(build, 0.0, x)), x)
    return build.Where(inside, plus(build, times(build, x, 1 / 3), 0.5), outside)


def _where_positive(build: Builder, x: Value, above: float, below: Value) -> Value:
    """A number where x > 0, else what is given."""
    return build.Where(build.Greater(x, number(build, 0.0, x)), number(build, above, x), below)


SLOPES: Mapping[str, Slope] = {
    "Abs": absolute,
    "Acos": arccosine,
    "Acosh": inverse_hyperbolic_cosine,
    "Asin": arcsine,
    "Asinh": inverse_hyperbolic_sine,
    "Atan": arctangent,
    "Atanh": inverse_hyperbolic_tangent,
    "Celu": celu,
    "Cos": cosine,
    "Cosh": hyperbolic_cosine,
    "Elu": elu,
    "Erf": error_function,
    "Exp": exponential,
    "Gelu": gelu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": hard_swish,
    "LeakyRelu": leaky_relu,
    "Mish": mish,
    "Reciprocal": reciprocal,
    "Relu": relu,
    "Selu": selu,
    "Shrink": shrink,
    "Sigmoid": sigmoid,
    "Sin": sine,
    "Sinh": hyperbolic_sine,
    "Softplus": softplus,
    "Softsign": softsign,
    "Tan": tangent,
    "Tanh": tanh,
    "ThresholdedRelu": thresholded_relu,
}
RULES: Mapping[str, Vjp] = {
    **{op_type: by_slope(slope) for op_type, slope in SLOPES.items()},
    "Cast": cast,
    "Identity": identity,
    "Log": logarithm,
    "Neg": negate,
    "Sqrt": square_root,
}
