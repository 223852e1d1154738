"""Operators as mathematics writes them, for pictures of computational graphs."""

import re

from ..ir.graph import Graph, Node
from ..ir.types import DType
from ..ops.notation import single_number
from ..ops.opdef import OPS, row_of
from .rules import notation_of


def symbol(graph: Graph, node: Node) -> str:
    """What is in an operator's box, a number among its arguments included."""
    held = (single_number(graph, node, position) for position in range(len(node.inputs)))
    numbers = ["" if number is None else f"{number:g}" for number in held]
    row = row_of(node)
    if row.sign:
        return _with_number(row.sign, numbers)
    if node.op_type == "Gemm" and node.optional(2) is None:
        return OPS.named("MatMul").sign
    if node.op_type == "Cast" and graph.producer(node.input(0)).outputs[0].dtype is not DType.BOOL:
        return "cast"
    notation = notation_of(graph, node)
    return notation.value if notation else row.symbol or _words(node.op_type)


def _words(op_type: str) -> str:
    """An operator's name in words: `max pool grad`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", op_type.removeprefix("netc.")).lower()


def _with_number(sign: str, numbers: list[str]) -> str:
    first, second = numbers[0], numbers[1]
    if sign == "^" and second:
        return f"x^{second}"
    return " ".join(part for part in (first, sign, second) if part)
