"""Operands of an operator that a program gives as keywords: `op("Clip", min=0, max=6)`."""

from collections.abc import Mapping, Sequence
from math import prod

from ..ir.graph import CONSTANT, Graph, Node, Value
from ..ir.types import DType
from .foreign_operators import OpSchema

MOST_NUMBERS = 1_000  # of a constant in a program; more of them lie with the weights


def is_text(value: Value) -> bool:
    """Whether a constant is written into a program, and not kept with its weights."""
    return value.dtype is not DType.FLOAT64 and prod(value.type.extents) <= MOST_NUMBERS


# The first of these that an operand of whole numbers can have, where it has not int64.
WHOLE_TYPES = (DType.BOOL, DType.INT64, DType.UINT8, DType.INT32)


def operand_type(
    schema: OpSchema, position: int, types: Sequence[DType | None], whole: bool
) -> DType:
    """The element type that an operand has which a keyword gives: that of those before it.

    Args:
        schema: The operator.
        position: Which operand.
        types: The types of the operands before it; None of those that are left out.
        whole: Whether its numbers are whole.
    """
    formal = schema.inputs[position]
    for other, dtype in zip(schema.inputs, types, strict=False):
        if dtype is not None and other.type_str == formal.type_str:
            return dtype
    if whole and "tensor(int64)" in formal.types:
        return DType.INT64
    if "tensor(float)" in formal.types:
        return DType.FLOAT32
    takes = (kind for kind in WHOLE_TYPES if f"tensor({kind.value})" in formal.types)
    return next(takes, DType.INT64)


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
    found: dict[int, Value] = {}
    types = [None if x is None else x.dtype for x in inputs]
    for place, x in enumerate(inputs[last + 1 :], start=last + 1):
        if x is None:
            continue
        found[place] = x
        if operand_type(schema, place, types[:place], not x.dtype.is_float) is not x.dtype:
            found.clear()  # it stands before the operator, and so do those before it
    return found


def _is_keyword(graph: Graph, value: Value) -> bool:
    return graph.producer(value).op_type == CONSTANT and is_text(value)
