"""Operators as mathematics writes them, for pictures of computational graphs."""

import re
from typing import Any

from ..ir.graph import CONSTANT, Graph, Node, Value
from ..ir.types import DType
from ..ops.opdef import OPS
from .rules import rule_of


def symbol(graph: Graph, node: Node) -> str:
    """What is in an operator's box, a number among its arguments included."""
    numbers = [_number(graph, node, position) for position in range(len(node.inputs))]
    row = OPS[node.op_type]
    if row.sign:
        return _with_number(row.sign, numbers)
    if node.op_type == "Gemm" and (len(node.inputs) < 3 or node.inputs[2] is None):
        return OPS["MatMul"].sign
    if node.op_type == "Cast" and graph.producer(_first(node)).outputs[0].dtype is not DType.BOOL:
        return "cast"
    rule = rule_of(graph, node)
    return rule.value if rule else row.symbol or _words(node.op_type)


def _first(node: Node) -> Value:
    (value, *_) = node.inputs
    assert value is not None
    return value


def _words(op_type: str) -> str:
    """An operator's name in words: `max pool grad`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", op_type.removeprefix("netc.")).lower()


def _with_number(sign: str, numbers: list[str]) -> str:
    first, second = numbers[0], numbers[1]
    if sign == "^" and second:
        return f"x^{second}"
    return " ".join(part for part in (first, sign, second) if part)


def _number(graph: Graph, node: Node, position: int) -> str:
    """A constant argument that is a single number, else nothing."""
    value = node.inputs[position]
    if value is None or graph.producer(value).op_type != CONSTANT:
        return ""
    held: Any = graph.producer(value).attributes["value"]
    while isinstance(held, tuple) and len(held) == 1:
        held = held[0]
    return "" if isinstance(held, tuple) else f"{held:g}"
