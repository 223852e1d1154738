"""Elementwise operators."""

from functools import reduce
from math import pi, sqrt
from typing import Any

import numpy as np

from ...compiler.ir.types import DType
from ..kerneldef import Array, OperandError, kernel
from .blockwise import blockwise
from .erf import erf

# Where exp(x) is so large that x tanh(log(1 + exp x)) is x, and its square still a float32.
MISH_LIMIT = 40.0


def apply(function: np.ufunc, *arrays: Array, out: Array | None = None) -> Array:
    """What one pass of NumPy yields."""
    result: Array = function(*arrays, out=out)
    return result


# What one pass of NumPy computes.
for op_type, function in {
    "Abs": np.absolute,
    "Acos": np.arccos,
    "Acosh": np.arccosh,
    "Add": np.add,
    "Asin": np.arcsin,
    "Asinh": np.arcsinh,
    "Atan": np.arctan,
    "Atanh": np.arctanh,
    "Ceil": np.ceil,
    "Cos": np.cos,
    "Cosh": np.cosh,
    "Exp": np.exp,
    "Floor": np.floor,
    "Log": np.log,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Round": np.rint,
    "Sign": np.sign,
    "Sin": np.sin,
    "Sinh": np.sinh,
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Tan": np.tan,
    "Tanh": np.tanh,
}.items():
    kernel(op_type, inplace=True)(function)


@kernel("Relu", inplace=True)
def relu(x: Array, *, out: Array | None = None) -> Array:
    """max(0, x)."""
    if x.dtype.kind == "f":
        return _clipped(x, 0, np.inf, out)
    return apply(np.maximum, x, x.dtype.type(0), out=out)


def _clipped(x: Array, low: Any, high: Any, out: Array | None) -> Array:
    """Real numbers within bounds, as NumPy does in a third of the time of `np.maximum`."""
    bounds = x.dtype.type(low), x.dtype.type(high)  # a number alone has no say in its type
    y: Array = np.clip(x, *bounds, out=out)
    return y


@kernel("Div", inplace=True)
def divide(a: Array, b: Array, *, out: Array | None = None) -> Array:
    """a / b, broadcast; integers are rounded towards zero."""
    if a.dtype.kind == "f":
        return apply(np.divide, a, b, out=out)
    _refuse_zeros(b)
    quotient: Array = np.floor_divide(a, b)
    return apply(np.add, quotient, (quotient < 0) & (quotient * b != a), out=out)


@kernel("Mod")
def remainder(a: Array, b: Array, *, fmod: int) -> Array:
    """a - b floor(a / b), which has b's sign; with `fmod`, as real numbers need it, C's fmod."""
    if a.dtype.kind != "f":
        _refuse_zeros(b)
    return apply(np.fmod if fmod else np.mod, a, b)


def _refuse_zeros(divisor: Array) -> None:
    """Refuse to divide whole numbers by 0, which has no result."""
    if not np.all(divisor):
        raise OperandError("cannot divide whole numbers by 0")


@kernel("Pow", inplace=True)
def power(x: Array, y: Array, *, out: Array | None = None) -> Array:
    """x^y, broadcast; integers are rounded towards zero, which leaves 1 / x at -1, 0 and 1 only."""
    if x.dtype.kind == "f" and y.dtype != x.dtype:
        y = y.astype(x.dtype)
    if x.dtype == y.dtype and (x.dtype.kind == "f" or np.all(y >= 0)):
        return apply(np.power, x, y, out=out)
    return np.asarray(np.trunc(np.power(x.astype(np.float64), y)).astype(x.dtype))


@blockwise("Sigmoid")
def sigmoid(x: Array, y: Array, t: Array) -> None:
    """1 / (1 + exp(-x)); an exponential that overflows gives 0, as it should."""
    np.negative(x, out=y)
    with np.errstate(over="ignore"):
        np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)


@blockwise("LeakyRelu")
def leaky_relu(x: Array, y: Array, t: Array, *, alpha: float) -> None:
    """x where x is positive, alpha x elsewhere."""
    if 0 < alpha <= 1:
        np.multiply(x, alpha, out=y)
        np.maximum(x, y, out=y)
    else:
        np.clip(x, -np.inf, 0, out=t)
        t *= alpha
        np.clip(x, 0, np.inf, out=y)
        y += t


@blockwise("Elu")
def elu(x: Array, y: Array, t: Array, *, alpha: float) -> None:
    """x where x is positive, alpha (exp x - 1) elsewhere."""
    np.clip(x, -np.inf, 0, out=t)
    np.expm1(t, out=t)
    t *= alpha
    np.clip(x, 0, np.inf, out=y)
    y += t


@blockwise("Selu")
def selu(x: Array, y: Array, t: Array, *, alpha: float, gamma: float) -> None:
    """The gamma-fold of `Elu`."""
    elu(x, y, t, alpha=alpha)
    y *= gamma


@kernel("Shrink")
def shrink(x: Array, *, bias: float, lambd: float) -> Array:
    """x + bias below -lambd, x - bias above lambd, 0 in between."""
    moved = np.where(x < -lambd, x + x.dtype.type(bias), x - x.dtype.type(bias))
    return np.asarray(np.where((x < -lambd) | (x > lambd), moved, x.dtype.type(0)))


@kernel("ThresholdedRelu")
def thresholded_relu(x: Array, *, alpha: float) -> Array:
    """x where it is above alpha, 0 elsewhere."""
    return np.asarray(np.where(x > alpha, x, x.dtype.type(0)))


@blockwise("Celu")
def celu(x: Array, y: Array, t: Array, *, alpha: float) -> None:
    """x where x is positive, alpha (exp(x / alpha) - 1) elsewhere."""
    np.clip(x, -np.inf, 0, out=t)
    t /= alpha
    np.expm1(t, out=t)
    t *= alpha
    np.clip(x, 0, np.inf, out=y)
    y += t


@blockwise("HardSigmoid")
def hard_sigmoid(x: Array, y: Array, t: Array, *, alpha: float, beta: float) -> None:
    """max(0, min(1, alpha x + beta))."""
    np.multiply(x, alpha, out=y)
    y += beta
    np.clip(y, 0, 1, out=y)


@blockwise("HardSwish")
def hard_swish(x: Array, y: Array, t: Array) -> None:
    """x max(0, min(1, x / 6 + 1 / 2))."""
    hard_sigmoid(x, y, t, alpha=1 / 6, beta=0.5)
    y *= x


@blockwise("Softplus")
def softplus(x: Array, y: Array, t: Array) -> None:
    """log(1 + exp x) as max(0, x) + log(1 + exp(-|x|)), which never overflows."""
    np.absolute(x, out=t)
    np.negative(t, out=t)
    np.exp(t, out=t)
    np.log1p(t, out=t)
    np.clip(x, 0, np.inf, out=y)
    y += t


@blockwise("Softsign")
def softsign(x: Array, y: Array, t: Array) -> None:
    """x / (1 + |x|)."""
    np.absolute(x, out=t)
    t += 1
    np.divide(x, t, out=y)


@blockwise("Mish")
def mish(x: Array, y: Array, t: Array) -> None:
    """x tanh(log(1 + n)) with n = exp x, which is x w / (w + 2) with w = n (n + 2)."""
    np.clip(x, -np.inf, MISH_LIMIT, out=t)
    np.exp(t, out=t)
    np.add(t, 2, out=y)
    t *= y
    np.add(t, 2, out=y)
    t /= y
    np.multiply(x, t, out=y)


@blockwise("Erf")
def error_function(x: Array, y: Array, t: Array) -> None:
    """2 / sqrt(pi) times the integral of exp(-s^2) from 0 to x."""
    erf(x, y, t)


@blockwise("Gelu")
def gelu(x: Array, y: Array, t: Array, *, approximate: str) -> None:
    """x / 2 (1 + erf(x / sqrt 2)), or with `tanh` its approximation by a hyperbolic tangent.

    The latter is x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
    """
    if approximate == "tanh":
        np.multiply(x, x, out=y)
        y *= 0.044715
        y += 1
        y *= x
        y *= sqrt(2 / pi)
        np.tanh(y, out=y)
    else:
        erf(x, y, t, sqrt(0.5))
    y += 1
    y *= 0.5  # before x, whose double may be beyond the largest number
    y *= x


@kernel("PRelu", inplace=True)
def prelu(x: Array, slope: Array, *, out: Array | None = None) -> Array:
    """x where x is positive, slope x elsewhere; the slope broadcasts."""
    below = np.clip(x, -np.inf, 0)
    below *= slope
    y: Array = np.clip(x, 0, np.inf, out=out)
    y += below
    return y


@kernel("Clip", inplace=True)
def clip(
    x: Array, low: Array | None = None, high: Array | None = None, *, out: Array | None = None
) -> Array:
    """x within bounds; the upper one wins where they cross."""
    if low is None and high is None:
        return apply(np.positive, x, out=out)
    if x.dtype.kind == "f":
        return _clipped(x, -np.inf if low is None else low, np.inf if high is None else high, out)
    y = x if low is None else np.asarray(np.maximum(x, low, out=out))
    return y if high is None else np.minimum(y, high, out=out if low is None else y)


@kernel("Max", elementwise=True)
def maximum(*arrays: Array, out: Array | None = None) -> Array:
    """The largest of the arguments at each place, broadcast."""
    return _folded(np.maximum, arrays, out)


@kernel("Min", elementwise=True)
def minimum(*arrays: Array, out: Array | None = None) -> Array:
    """The smallest of the arguments at each place, broadcast."""
    return _folded(np.minimum, arrays, out)


@kernel("Sum", elementwise=True)
def sum_(*arrays: Array, out: Array | None = None) -> Array:
    """The sum of the arguments, broadcast."""
    return _folded(np.add, arrays, out)


@kernel("Mean", elementwise=True)
def mean(*arrays: Array, out: Array | None = None) -> Array:
    """The mean of the arguments, broadcast."""
    y = _folded(np.add, arrays, out)
    y /= y.dtype.type(len(arrays))  # NumPy 1 widens numbers without axes
    return y


def _folded(function: np.ufunc, arrays: tuple[Array, ...], out: Array | None) -> Array:
    """A binary function over the arguments from left to right, in its own memory."""
    if len(arrays) == 1:
        return apply(np.positive, *arrays, out=out)
    *first, last = arrays
    return apply(function, reduce(function, first), last, out=out)


@kernel("Cast", elementwise=True)
def cast(
    x: Array, *, to: DType, saturate: int | None, round_mode: str | None, out: Array | None = None
) -> Array:
    """x with another element type."""
    if out is None:
        return x.astype(to.value)
    np.copyto(out, x, casting="unsafe")
    return out


@kernel("Identity", view=True)
def identity(x: Array) -> Array:
    """The argument itself."""
    return x
