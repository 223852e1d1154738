"""Graph -> Graph: extents that are known take the place of symbols, such as 64 that of `N`."""

from collections.abc import Mapping
from dataclasses import replace

from ..ir.builder import Builder
from ..ir.graph import INPUT, LEAVES, Graph, Node, Value
from ..ops.opdef import Operands
from .rewrite import RewriteRule, rewrite


def bind_extents(graph: Graph, symbols: Mapping[str, int]) -> Graph:
    """The graph for inputs of these extents; the types of all that is computed follow."""

    def bound(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        types = tuple(type.bind(symbols) for type in node.outputs)
        return build.graph.add(replace(node, outputs=types))

    def inferred(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        """The node on its operands' new types, and on what is now known of extents."""
        inner = {name: bind_extents(each, symbols) for name, each in node.subgraphs.items()}
        return build.again(replace(node, subgraphs=inner) if inner else node, operands)

    kinds = {node.op_type for _, node in graph.nodes()} - LEAVES
    rules: dict[str, RewriteRule] = {INPUT: bound, **dict.fromkeys(kinds, inferred)}
    return rewrite(graph, rules)
