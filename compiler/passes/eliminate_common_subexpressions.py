"""Graph -> Graph: computes once what several operators compute from the same operands."""

from collections.abc import Hashable, Mapping
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import CONSTANT, LEAVES, Graph, Node, Value
from ..ops.opdef import OPS, Operands, Yields, row_of
from .fold_constants import known_extents
from .rewrite import copy, rewrite


def eliminate_common_subexpressions(graph: Graph) -> Graph:
    """Merge operators that yield the same numbers, and constants that hold the same.

    Operators do where the operator, its operands, its attributes and the number of its outputs are
    the same, and so do those that read shapes where they are known to yield the same extents.
    The first one stays, in its layer. Operators that draw noise are left alone, and so are those
    of which the op table does not know that they draw none, and those that run subgraphs.
    """
    found: dict[Hashable, tuple[Value, ...]] = {}

    def merge(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        if not is_determined(node):
            return None
        extents = known_extents(build, node, operands)
        key = _expression(node, operands) if extents is None else (node.outputs, extents)
        if key not in found:
            found[key] = copy(build, node, operands)
        return found[key]

    op_types = {CONSTANT, *(node.op_type for _, node in graph.nodes())} - (LEAVES - {CONSTANT})
    merged = rewrite(graph, dict.fromkeys(op_types, merge))
    return merged if len(merged) < len(graph) else graph


def is_determined(node: Node) -> bool:
    """Whether the record of a node holds all that its outputs depend on."""
    if node.op_type == CONSTANT:
        return True
    row = row_of(node)
    return row.key in OPS and row.yields is not Yields.NOISE and not node.subgraphs


def _expression(node: Node, operands: Operands) -> Hashable:
    arguments = tuple([None if v is None else (v.node, v.output) for v in operands])
    return node.row, arguments, _spelled(node.attributes), node.outputs


def _spelled(attributes: Mapping[str, Any]) -> Hashable:
    """Attributes to compare; 0.0 and -0.0 are equal, and so are 1 and 1.0, but not their texts."""
    return tuple([(name, value, repr(value)) for name, value in sorted(attributes.items())])
