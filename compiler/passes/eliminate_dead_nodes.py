"""Graph -> Graph: drops what no output depends on; inputs stay, because callers feed them."""

from ..ir.graph import Graph
from ..ir.schedule import needed_outputs
from .rewrite import rewrite


def eliminate_dead_nodes(graph: Graph) -> Graph:
    """Drop operators, parameters and constants that no output depends on.

    Of an operator that stays, optional outputs after the last one that is read are dropped, too.
    """
    live = {value.node for value in graph.inputs.values()}
    pending = [value.node for value in graph.outputs.values()]
    while pending:
        identifier = pending.pop()
        if identifier not in live:
            live.add(identifier)
            pending.extend(value.node for value in graph[identifier].inputs if value is not None)
    return rewrite(graph, {}, keep=live, outputs=needed_outputs(graph, live))
