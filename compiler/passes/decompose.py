"""Graph -> Graph: builds operators that engines lack from others, as the op table says."""

from functools import partial

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value
from ..ops.opdef import Decompose, Operands, definition, row_of
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import RewriteRule, rewrite, rewrite_if_any


def decompose(graph: Graph) -> Graph:
    """Replace each operator that has a decomposition, where its operands need one.

    What decompositions build and do not need is dropped.
    """
    rules: dict[str, RewriteRule] = {}
    for _, node in graph.nodes():
        row = definition(node)
        if row and row.decompose is not None:
            rules[row.op_type] = partial(_decompose, row.decompose)
    asked = _asked(graph)
    found = rewrite(graph, rules, outputs=asked) if asked else rewrite_if_any(graph, rules)
    return graph if found is graph else eliminate_dead_nodes(found)


def _asked(graph: Graph) -> dict[int, int]:
    """How many outputs producers are to have, so that what they feed can be decomposed."""
    found: dict[int, int] = {}
    for _, node in graph.nodes():
        row = definition(node)
        for argument, outputs in row.asks.items() if row else ():
            value = node.inputs[argument]
            producer = definition(graph.producer(value)) if value is not None else None
            if value is not None and producer is not None and producer.optional_outputs:
                found[value.node] = outputs
    return found


def _decompose(
    how: Decompose, build: Builder, node: Node, operands: Operands
) -> tuple[Value, ...] | None:
    call = build.call(row_of(node), operands, node.attributes, outputs=len(node.outputs))
    values = how(build, operands, call)
    return None if values is None else tuple(values)
