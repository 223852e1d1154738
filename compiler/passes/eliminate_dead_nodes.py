"""Graph -> Graph: drops what no output depends on; inputs stay, because callers feed them."""

from collections.abc import Mapping

from ..ir.graph import Graph
from ..ir.schedule import needed_outputs
from .rewrite import RewriteRule, rewrite

NO_RULES: Mapping[str, RewriteRule] = {}


def eliminate_dead_nodes(graph: Graph, rules: Mapping[str, RewriteRule] = NO_RULES) -> Graph:
    """Drop operators, parameters and constants that no output depends on, if there are any.

    Of an operator that stays, optional outputs after the last one that is read are dropped, too.

    Args:
        graph: The graph to start from.
        rules: By operator, what to build instead of what stays.
    """
    live = {value.node for value in graph.inputs.values()}
    pending = [value.node for value in graph.outputs.values()]
    while pending:
        identifier = pending.pop()
        if identifier not in live:
            live.add(identifier)
            pending.extend(value.node for value in graph[identifier].inputs if value is not None)
    outputs = needed_outputs(graph, live)
    if not rules and all(len(node.outputs) == outputs.get(i) for i, node in graph.nodes()):
        return graph
    return rewrite(graph, rules, keep=live, outputs=outputs)
