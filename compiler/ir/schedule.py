"""Order and liveness: which nodes the fetches need, in which order, and when values die.

The memory analysis and the runtime's plan both read it.
"""

from collections.abc import Iterable, Mapping

from ...grammar.records import record
from .graph import LEAVES, Graph, Node, Value


@record
class Schedule:
    """A schedule of the nodes that some values need.

    Attributes:
        order: The nodes to run, leaves left out, each after the nodes that it depends on.
        leaves: The inputs, parameters and constants that they read.
        last_use: For each node that is read, the position in `order` of its last reader;
            fetched nodes live until the end, at position `len(order)`.
    """

    order: tuple[int, ...]
    leaves: tuple[int, ...]
    last_use: Mapping[int, int]


def schedule(graph: Graph, fetches: Iterable[Value]) -> Schedule:
    """Schedule what `fetches` need, in the graph's own order; linear in the graph."""
    fetched = {value.node for value in fetches}
    needed = set(fetched)
    for identifier in range(len(graph) - 1, -1, -1):
        if identifier in needed:
            needed.update(v.node for v in graph[identifier].inputs if v is not None)
    ordered = sorted(needed)
    order = tuple(i for i in ordered if graph[i].op_type not in LEAVES)
    last_use: dict[int, int] = {}
    for position, identifier in enumerate(order):
        for value in graph[identifier].inputs:
            if value is not None:
                last_use[value.node] = position
    last_use.update(dict.fromkeys(fetched, len(order)))
    leaves = tuple(i for i in ordered if graph[i].op_type in LEAVES)
    return Schedule(order, leaves, last_use)


def needed_outputs(graph: Graph, nodes: Iterable[int]) -> dict[int, int]:
    """How many outputs of each of `nodes` are needed by these nodes and the graph's outputs.

    That is all of them or, where an operator's further outputs are optional, those up to the last
    one that is read.
    """
    needed = {i: 1 if _has_optional_outputs(graph[i]) else len(graph[i].outputs) for i in nodes}
    arguments = (value for i in needed for value in graph[i].inputs)
    for value in (*arguments, *graph.outputs.values()):
        if value is not None and value.node in needed:
            needed[value.node] = max(needed[value.node], value.output + 1)
    return needed


def _has_optional_outputs(node: Node) -> bool:
    return node.row is not None and node.row.optional_outputs
