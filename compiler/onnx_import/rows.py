"""Rows of tensors that are put one below the other -> rows of the tensor that has them."""

from collections.abc import Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import Node, Value
from ..ops.opdef import Operands


def of_part(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """Rows of one of the tensors that are put one below the other are rows of that tensor."""
    whole, axis = operands[0], node.attributes.get("axis", 0)
    rows = _rows_taken(build, node, operands)
    if whole is None or rows is None or axis:
        return None
    stacked = maker = build.graph.producer(whole)
    if maker.op_type == "Reshape" and maker.inputs[0] is not None:
        stacked = build.graph.producer(maker.inputs[0])
    parts = [x for x in stacked.inputs if x is not None]
    if stacked.op_type != "Concat" or stacked.attributes["axis"]:
        return None
    if stacked is not maker:  # (A B, ...) as (A, B, ...), of A tensors
        if any(x.shape != whole.shape[1:] for x in parts) or len(rows) > 1:
            return None
        y = parts[rows[0]]
        if node.op_type != "Gather":
            y = build.Unsqueeze(y, build.index_constant((0,)))
        return (y,) if y.type == node.outputs[0] else None
    first = 0
    for x in parts:
        count = x.shape[0]
        if not isinstance(count, int):
            return None
        if first <= rows[0] and rows[-1] < first + count:
            return (_rows_of(build, node, x, [row - first for row in rows]),)
        first += count
    return None


def _rows_taken(build: Builder, node: Node, operands: Operands) -> Sequence[int] | None:
    """The rows, one after the other, that an operator takes of its operand's first axis."""
    x = operands[0]
    known: list[Any] = [None if value is None else build.known(value) for value in operands[1:]]
    if x is None or not isinstance(extent := x.shape[0], int) or not known or known[0] is None:
        return None
    if node.op_type == "Gather":
        index: Sequence[int] = known[0] if isinstance(known[0], tuple) else (known[0],)
        rows = [i % extent for i in index]
        return rows if rows == list(range(rows[0], rows[0] + len(rows))) else None
    starts, ends, axes, steps = (*known, *((0,), (1,))[len(known) - 2 :])[:4]
    if (axes, steps) != ((0,), (1,)) or starts is None or ends is None:
        return None
    return range(extent)[slice(starts[0], ends[0])] or None


def _rows_of(build: Builder, node: Node, x: Value, rows: Sequence[int]) -> Value:
    if node.op_type == "Gather" and node.outputs[0].rank < x.type.rank:
        return build.Gather(x, build.index_constant(rows[0]), axis=0)
    if len(rows) == x.shape[0]:
        return x
    bounds = [build.index_constant((bound,)) for bound in (rows[0], rows[-1] + 1, 0)]
    return build.Slice(x, *bounds)
