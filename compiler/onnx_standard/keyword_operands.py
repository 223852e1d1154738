"""Operands of an operator that a program gives as keywords: `op("Clip", min=0, max=6)`."""

from collections.abc import Mapping
from math import prod

from ..ir.graph import CONSTANT, Graph, Node, Value
from ..ir.types import DType
from .foreign_operators import OpSchema

MOST_NUMBERS = 1_000  # of a constant in a program; more of them lie with the weights


def is_text(value: Value) -> bool:
    """Whether a constant is written into a program, and not kept with its weights."""
    return value.dtype is not DType.FLOAT64 and prod(value.type.extents) <= MOST_NUMBERS


def keyword_operands(graph: Graph, node: Node, schema: OpSchema) -> Mapping[int, Value]:
    """The constants after all other operands, by their places.

    The first operand is none of them, and of operators that take any number of operands none is.
    """
    inputs = node.inputs
    others = (i for i, x in enumerate(inputs) if x is not None and not _is_keyword(graph, x))
    last = max(others, default=-1)
    if len(inputs) > len(schema.inputs):
        last = len(inputs) - 1  # of any number of operands none has a name of its own
    last = max(last, 0 if inputs else -1)
    after = enumerate(inputs[last + 1 :], start=last + 1)
    return {place: x for place, x in after if x is not None}


def _is_keyword(graph: Graph, value: Value) -> bool:
    return graph.producer(value).op_type == CONSTANT and is_text(value)
