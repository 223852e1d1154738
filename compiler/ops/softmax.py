"""Operators that relate the numbers along one axis: softmax, its logarithm, and unit norms."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType
from .activation import BOUNDED
from .building import number
from .cuts import axis_of
from .elementwise import infer_real, infer_same, per_element
from .functions import absolute
from .opdef import Cost, Cotangents, OpDef, Precision, VjpCall, Yields, define
from .receptive_field import along_axis


def three_per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A power, an addition and a division per element."""
    return Cost(elementwise=outputs[0].size * 3)


def softmax(build: Builder, call: VjpCall) -> Cotangents:
    """dx = y (dy - sum y dy)."""
    y, dy = call.outputs[0], call.cotangent
    return [build.Mul(y, build.Sub(dy, _along_axis(build, call, build.Mul(y, dy))))]


def log_softmax(build: Builder, call: VjpCall) -> Cotangents:
    """dx = dy - exp(y) sum dy."""
    dy = call.cotangent
    return [build.Sub(dy, build.Mul(build.Exp(call.outputs[0]), _along_axis(build, call, dy)))]


def _along_axis(build: Builder, call: VjpCall, x: Value) -> Value:
    return build.ReduceSum(x, build.index_constant((call.attributes["axis"],)), keepdims=1)


def infer_along_axis(call: OpCall) -> Sequence[TensorType]:
    """x, and an axis of it => y like x."""
    axis_of(call, call.attributes["axis"], call.type(0).rank)
    return infer_same(call)


def infer_lp_normalization(call: OpCall) -> Sequence[TensorType]:
    """x of real numbers, an axis, and p of 1 or 2 => y like x."""
    (x,) = infer_real(call)
    axis_of(call, call.attributes["axis"], x.rank)
    if call.attributes["p"] not in (1, 2):
        raise InferenceError(f"LpNormalization's p must be 1 or 2, not {call.attributes['p']}")
    return (x,)


def lp_normalization(build: Builder, call: VjpCall) -> Cotangents:
    """y = x / n with n the norm along an axis: dx = (dy - s sum y dy) / n.

    s, the norm's own slope, is x's sign where p is 1, and y where p is 2. Of zeros it is dy.
    """
    x, y, dy = call.input(0), call.outputs[0], call.cotangent
    op_type = {1: "ReduceL1", 2: "ReduceL2"}[call.attributes["p"]]
    axis = build.index_constant((call.attributes["axis"],))
    (length,) = build.op(op_type, (x, axis), {"keepdims": 1})
    none = build.Equal(length, number(build, 0.0, x))
    length = build.Where(none, number(build, 1.0, x), length)
    slope = absolute(build, x, x) if call.attributes["p"] == 1 else y
    along = _along_axis(build, call, build.Mul(y, dy))
    return [build.Div(build.Sub(dy, build.Mul(slope, along)), length)]


define(
    OpDef(
        "Softmax",
        13,
        precision=Precision.FULL,
        infer=infer_along_axis,
        cost=three_per_element,
        sees=along_axis,
        attributes={"axis": -1},
        vjp=softmax,
        activation=BOUNDED,
        yields=Yields.PROBABILITIES,
    ),
    OpDef(
        "LogSoftmax",
        13,
        precision=Precision.FULL,
        infer=infer_along_axis,
        cost=three_per_element,
        sees=along_axis,
        attributes={"axis": -1},
        vjp=log_softmax,
        activation=BOUNDED,
        yields=Yields.LOG_PROBABILITIES,
    ),
    OpDef(
        "Hardmax",
        13,
        precision=Precision.FULL,
        infer=infer_along_axis,
        cost=per_element,
        sees=along_axis,
        attributes={"axis": -1},
        constant=True,
    ),
    OpDef(
        "LpNormalization",
        22,
        precision=Precision.FULL,
        infer=infer_lp_normalization,
        cost=three_per_element,
        sees=along_axis,
        attributes={"axis": -1, "p": 2},
        vjp=lp_normalization,
    ),
)
