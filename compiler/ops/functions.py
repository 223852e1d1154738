"""Functions of one number, as mathematics knows them, with their slopes.

A slope is built from x or y, whichever costs less; where it jumps it is PyTorch's. Jumps are
comparisons, so that second derivatives end there.
"""

from collections.abc import Sequence
from math import pi, sqrt

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import DType, TensorType
from . import double_precision, notation
from .building import indicator, number, plus, times
from .elementwise import infer_same, unary
from .kinks import ZERO, stepped
from .known_values import KNOWN_IDENTITY, KNOWN_NEGATIVE, known_cast
from .opdef import Cotangents, Moves, OpDef, Precision, VjpCall, Yields, define, free
from .receptive_field import elementwise


def identity(build: Builder, call: VjpCall) -> Cotangents:
    """y = x: dy."""
    return [call.cotangent]


def infer_cast(call: OpCall) -> Sequence[TensorType]:
    """x with the element type `to`, a `DType`."""
    to = call.attributes["to"]
    if not isinstance(to, DType):
        raise InferenceError(f"Cast needs an element type, not {to}")
    return (TensorType(to, call.type(0).shape),)


def cast(build: Builder, call: VjpCall) -> Cotangents:
    """y is x as another kind of real numbers: dy, cast back."""
    return [build.Cast(call.cotangent, to=call.input(0).dtype)]


def negate(build: Builder, call: VjpCall) -> Cotangents:
    """y = -x: -dy."""
    return [build.Neg(call.cotangent)]


def logarithm(build: Builder, call: VjpCall) -> Cotangents:
    """y = log x: dy / x."""
    return [build.Div(call.cotangent, call.input(0))]


def square_root(build: Builder, call: VjpCall) -> Cotangents:
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


define(
    OpDef(
        "Identity",
        21,
        infer=infer_same,
        known=KNOWN_IDENTITY,
        cost=free,
        takes_holders=True,
        sees=elementwise,
        elementwise=True,
        vjp=identity,
        view=True,
        moves=Moves.ALL,
        passes=True,
    ),
    OpDef(
        "Cast",
        21,
        infer=infer_cast,
        cost=free,
        sees=elementwise,
        attributes={"to": REQUIRED, "saturate": None, "round_mode": None},
        known=known_cast,
        vjp=cast,
        moves=Moves.SOME,
        symbol="0 or 1",
    ),
    unary(
        "Abs",
        13,
        slope=absolute,
        infer=infer_same,
        kinks=ZERO,
        notation=notation.fixed("|x|", "g sign x"),
    ),
    unary("Acos", 22, slope=arccosine, precision=Precision.FULL),
    unary("Acosh", 22, slope=inverse_hyperbolic_cosine, precision=Precision.FULL),
    unary("Asin", 22, slope=arcsine, precision=Precision.FULL),
    unary("Asinh", 22, slope=inverse_hyperbolic_sine, precision=Precision.FULL),
    unary("Atan", 22, slope=arctangent),
    unary("Atanh", 22, slope=inverse_hyperbolic_tangent, precision=Precision.FULL),
    unary("Ceil", 13, constant=True, kinks=stepped),
    unary("Cos", 22, slope=cosine, double=double_precision.cosine),
    unary(
        "Cosh",
        22,
        slope=hyperbolic_cosine,
        double=double_precision.hyperbolic_cosine,
        precision=Precision.FULL,
    ),
    unary("Erf", 13, slope=error_function, double=double_precision.error_function),
    unary("Exp", 13, slope=exponential, precision=Precision.FULL),
    unary("Floor", 13, constant=True, kinks=stepped),
    unary("Log", 13, vjp=logarithm, yields=Yields.LOGARITHM, precision=Precision.FULL),
    unary("Neg", 13, vjp=negate, infer=infer_same, known=KNOWN_NEGATIVE, symbol="\N{MINUS SIGN}x"),
    unary("Reciprocal", 13, slope=reciprocal, symbol="1/x", precision=Precision.FULL),
    unary("Round", 22, constant=True, kinks=stepped),
    unary("Sign", 13, constant=True, infer=infer_same, kinks=stepped),
    unary("Sin", 22, slope=sine),
    unary(
        "Sinh",
        22,
        slope=hyperbolic_sine,
        double=double_precision.hyperbolic_sine,
        precision=Precision.FULL,
    ),
    unary("Sqrt", 13, vjp=square_root, symbol="\N{SQUARE ROOT}", precision=Precision.FULL),
    unary("Tan", 22, slope=tangent, double=double_precision.tangent, precision=Precision.FULL),
)
