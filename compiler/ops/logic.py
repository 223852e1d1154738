"""Comparisons, operators on truth values, and the choice between two values."""

from collections.abc import Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.signature import Infer, InferenceError, OpCall
from ..ir.types import DType, TensorType
from .building import number, sum_to
from .elementwise import broadcast_type, infer_binary, per_element
from .known_values import KNOWN_CHOICE, KNOWN_EQUALITY
from .opdef import Cotangents, OpDef, VjpCall, define
from .receptive_field import elementwise


def infer_comparison(call: OpCall) -> Sequence[TensorType]:
    """As a binary operator, but the output is truth values."""
    (y,) = infer_binary(call)
    return (TensorType(DType.BOOL, y.shape),)


def infer_not(call: OpCall) -> Sequence[TensorType]:
    """Truth values => truth values."""
    x = call.type(0)
    if x.dtype != DType.BOOL:
        raise InferenceError(f"{call.op_type} takes truth values, not {x}")
    return (x,)


def infer_connective(call: OpCall) -> Sequence[TensorType]:
    """Two arguments of truth values broadcast together."""
    (y,) = infer_binary(call)
    if y.dtype != DType.BOOL:
        raise InferenceError(f"{call.op_type} takes truth values, not {y}")
    return (y,)


def infer_predicate(call: OpCall) -> Sequence[TensorType]:
    """Real numbers => a truth value each."""
    x = call.type(0)
    if not x.dtype.is_float:
        raise InferenceError(f"{call.op_type} takes real numbers, not {x}")
    return (TensorType(DType.BOOL, x.shape),)


def infer_where(call: OpCall) -> Sequence[TensorType]:
    """A condition, what to take where it holds, and what elsewhere, broadcast together."""
    condition, then, otherwise = call.type(0), call.type(1), call.type(2)
    if condition.dtype != DType.BOOL:
        raise InferenceError(f"Where takes truth values as its condition, not {condition}")
    return (broadcast_type(call, [then, otherwise], [condition, then, otherwise]),)


def where(build: Builder, call: VjpCall) -> Cotangents:
    """y is one argument or the other: dy to the one that is taken, and 0 to the other."""
    condition, dy = call.input(0), call.cotangent
    zero = number(build, 0.0, dy)
    then, otherwise = call.input(1), call.input(2)
    return [
        None,
        sum_to(build, build.Where(condition, dy, zero), then) if call.wanted[1] else None,
        sum_to(build, build.Where(condition, zero, dy), otherwise) if call.wanted[2] else None,
    ]


def _decision(
    op_type: str, since_version: int, infer: Infer, sign: str = "", **facts: Any
) -> OpDef:
    """The row of an operator that yields truth values."""
    return OpDef(
        op_type,
        since_version,
        infer=infer,
        cost=per_element,
        sees=elementwise,
        constant=True,
        sign=sign,
        **facts,
    )


define(
    _decision("Equal", 19, infer_comparison, "=", known=KNOWN_EQUALITY),
    _decision("Greater", 13, infer_comparison, ">"),
    _decision("GreaterOrEqual", 16, infer_comparison, "\N{GREATER-THAN OR EQUAL TO}"),
    _decision("Less", 13, infer_comparison, "<"),
    _decision("LessOrEqual", 16, infer_comparison, "\N{LESS-THAN OR EQUAL TO}"),
    _decision("IsNaN", 20, infer_predicate),
    _decision("Not", 1, infer_not),
    _decision("And", 7, infer_connective),
    _decision("Or", 7, infer_connective),
    _decision("Xor", 7, infer_connective),
    _decision(
        "IsInf", 20, infer_predicate, attributes={"detect_negative": 1, "detect_positive": 1}
    ),
    OpDef(
        "Where",
        16,
        infer=infer_where,
        known=KNOWN_CHOICE,
        cost=per_element,
        sees=elementwise,
        vjp=where,
        symbol="choose",
    ),
)
