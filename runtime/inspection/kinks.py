"""A graph -> the same graph that also yields on which side of every kink its operators are."""

from collections.abc import Sequence

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import LEAVES, Graph, Node, Value
from ...compiler.ops.opdef import row_of
from ...compiler.passes.rewrite import rewrite

SIDE_PREFIX = "side "  # no label has a space in it


def with_sides(graph: Graph) -> Graph:
    """A copy with the outputs `side 0`, `side 1`, ...: integers and yes or no.

    Numbers around which none of them changes lie within one formula of the graph.
    """
    found = rewrite(graph, {})
    sides: list[Value] = []
    for identifier, node in list(found.nodes()):
        if node.op_type in LEAVES or node.inputs[:1] in ((), (None,)):
            continue
        build = Builder(found, scope=node.scope, span=node.span)
        results = [Value(identifier, i, type) for i, type in enumerate(node.outputs)]
        sides += (row_of(node).kinks or _decided)(build, node, results)
    found.outputs.update({f"{SIDE_PREFIX}{i}": value for i, value in enumerate(sides)})
    return found


def _decided(build: Builder, node: Node, results: Sequence[Value]) -> Sequence[Value]:
    """What is not a real number: results of comparisons, and indices that were found."""
    real = any(value is not None and value.dtype.is_float for value in node.inputs)
    return [value for value in results if real and not value.dtype.is_float]
