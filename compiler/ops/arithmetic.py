"""Arithmetic of two or more arguments; a gradient sums over the axes that were broadcast."""

from collections.abc import Sequence
from functools import partial

from ..ir.builder import Builder
from ..ir.graph import Value, present
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType
from . import double_precision, notation
from .building import indicator, number, plus, sum_to, times
from .cuts import numbers_of
from .double_precision import in_double_precision
from .elementwise import broadcast_type, infer_binary, infer_broadcast, per_element
from .kinks import chosen
from .known_values import KNOWN_DIFFERENCE, KNOWN_MAXIMUM, KNOWN_PRODUCT, KNOWN_QUOTIENT, KNOWN_SUM
from .opdef import OPS, Cotangents, OpDef, Operands, Precision, Role, VjpCall, define
from .receptive_field import elementwise


def add(build: Builder, call: VjpCall) -> Cotangents:
    """y = a + b, for any number of arguments: dy to each."""
    return _each(build, call, call.cotangent)


def subtract(build: Builder, call: VjpCall) -> Cotangents:
    """y = a - b: dy to a, and -dy to b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    return [
        sum_to(build, dy, a) if call.wanted[0] else None,
        build.Neg(sum_to(build, dy, b)) if call.wanted[1] else None,
    ]


def multiply(build: Builder, call: VjpCall) -> Cotangents:
    """y = a b: b dy to a, and a dy to b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    return [
        sum_to(build, build.Mul(dy, b), a) if call.wanted[0] else None,
        sum_to(build, build.Mul(dy, a), b) if call.wanted[1] else None,
    ]


def divide(build: Builder, call: VjpCall) -> Cotangents:
    """y = a / b: da = dy / b, and db = -y da."""
    a, b = call.input(0), call.input(1)
    da = build.Div(call.cotangent, b)
    return [
        sum_to(build, da, a) if call.wanted[0] else None,
        build.Neg(sum_to(build, build.Mul(da, call.outputs[0]), b)) if call.wanted[1] else None,
    ]


def divide_safely(
    build: Builder, operands: Sequence[Value | None], call: OpCall
) -> Sequence[Value] | None:
    """Builds whole a / -1 as -a: of the least integer it overflows, which ends onnxruntime."""
    a, b = present(operands)
    known = call.constants[1]
    if a.dtype.is_float or (known is not None and -1 not in numbers_of(known)):
        return None
    minus, one = (build.constant(number, a.dtype) for number in (-1, 1))
    negated = build.Equal(b, minus)
    return [build.Where(negated, build.Neg(a), build.Div(a, build.Where(negated, one, b)))]


def infer_quotient(call: OpCall) -> Sequence[TensorType]:
    """As a binary operator; whole numbers are not divided by 0."""
    (y,) = infer_binary(call)
    if not y.dtype.is_float and 0 in numbers_of(call.constants[1]):
        raise InferenceError(f"{call.op_type} cannot divide whole numbers by 0")
    return (y,)


def infer_remainder(call: OpCall) -> Sequence[TensorType]:
    """As a quotient; real numbers take `fmod=1` only."""
    (y,) = infer_quotient(call)
    if y.dtype.is_float and not call.attributes["fmod"]:
        raise InferenceError(f"Mod of real numbers, such as {call.type(0)}, needs `fmod=1`")
    return (y,)


def floored(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """a - b floor(a / b) of real numbers, whose sign is b's: Mod before opset 28 lacks it."""
    a, b = present(operands)
    if call.attributes["fmod"] or not a.dtype.is_float:
        return build.op(OPS.named("Mod"), operands, call.attributes)
    return [build.Sub(a, build.Mul(b, build.Floor(build.Div(a, b))))]


def remainder(build: Builder, call: VjpCall) -> Cotangents:
    """y = a - b n, the whole number n being constant almost everywhere: dy to a, dy (y - a) / b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    steps = build.Div(build.Sub(call.outputs[0], a), b)
    return [
        sum_to(build, dy, a) if call.wanted[0] else None,
        sum_to(build, build.Mul(dy, steps), b) if call.wanted[1] else None,
    ]


def infer_power(call: OpCall) -> Sequence[TensorType]:
    """Two arguments broadcast together, of the first one's type, whatever numbers are exponents."""
    types = [call.type(0), call.type(1)]
    return (broadcast_type(call, types[:1], types),)


def power(build: Builder, call: VjpCall) -> Cotangents:
    """y = a^b: dy b a^(b - 1) to a, and dy y log a to b."""
    a, b, dy = call.input(0), call.input(1), call.cotangent
    if b.dtype != a.dtype:
        b = build.Cast(b, to=a.dtype)
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


def extremum(build: Builder, call: VjpCall) -> Cotangents:
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


def mean(build: Builder, call: VjpCall) -> Cotangents:
    """y is the mean of n arguments: dy / n to each."""
    return _each(build, call, times(build, call.cotangent, 1 / len(call.inputs)))


def _each(build: Builder, call: VjpCall, dy: Value) -> Cotangents:
    return [
        sum_to(build, dy, call.input(i)) if wanted else None for i, wanted in enumerate(call.wanted)
    ]


_arithmetic = partial(OpDef, cost=per_element, sees=elementwise)

define(
    _arithmetic(
        "Add",
        14,
        infer=infer_binary,
        known=KNOWN_SUM,
        vjp=add,
        passes=True,
        roles=(Role.BIAS,),
        sign="+",
    ),
    _arithmetic(
        "Sub",
        14,
        infer=infer_binary,
        known=KNOWN_DIFFERENCE,
        vjp=subtract,
        roles=(Role.BIAS,),
        sign="\N{MINUS SIGN}",
    ),
    _arithmetic(
        "Mul",
        14,
        infer=infer_binary,
        known=KNOWN_PRODUCT,
        vjp=multiply,
        passes=True,
        roles=(Role.SCALE,),
        sign="\N{MULTIPLICATION SIGN}",
    ),
    _arithmetic(
        "Div",
        14,
        infer=infer_quotient,
        known=KNOWN_QUOTIENT,
        vjp=divide,
        decompose=divide_safely,
        roles=(Role.SCALE,),
        sign="\N{DIVISION SIGN}",
    ),
    _arithmetic("Pow", 15, infer=infer_power, vjp=power, precision=Precision.FULL, sign="^"),
    _arithmetic("Mod", 13, infer=infer_remainder, attributes={"fmod": 0}, vjp=remainder),
    _arithmetic(
        "Mod",
        28,
        infer=infer_quotient,
        attributes={"fmod": 0},
        vjp=remainder,
        function=floored,
    ),
    _arithmetic("Sum", 13, infer=infer_broadcast, vjp=add, roles=(Role.BIAS,), symbol="+"),
    _arithmetic(
        "Mean",
        13,
        infer=infer_broadcast,
        vjp=mean,
        decompose=in_double_precision(double_precision.mean),
        notation=notation.of_several("mean", "g / n"),
    ),
    _arithmetic(
        "Max",
        13,
        infer=infer_broadcast,
        vjp=extremum,
        kinks=chosen,
        known=KNOWN_MAXIMUM,
        notation=notation.of_several("max", "g where it is the largest"),
    ),
    _arithmetic(
        "Min",
        13,
        infer=infer_broadcast,
        vjp=extremum,
        kinks=chosen,
        notation=notation.of_several("min", "g where it is the smallest"),
    ),
)
