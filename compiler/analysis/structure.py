"""Graph to facts about its layers: which are heads, how deep and how wide the network is."""

from collections.abc import Iterable, Mapping

from ..ir.graph import LEAVES, PARAMETER, Graph, Node
from ..ir.types import author_extents
from .counts import Counts

_NOTHING = None
_SEVERAL = ""  # no path is empty


def layer_count(graph: Graph) -> int:
    """The number of layers, inputs and layers without weights among them."""
    return len(graph.layers)


def heads(graph: Graph, ends: Iterable[int] | None = None) -> tuple[str, ...]:
    """Paths of the dense layers that state no units and end the network.

    A head is an `FC` whose units a default filled in, which some output needs, and from which no
    other layer with parameters can be reached on the way to an output. Linear in the graph.
    `ends` are the nodes that count as outputs; None for those of the network's outputs.
    """
    if ends is None:
        ends = [value.node for value in graph.outputs.values()]
    reached = _layers_ahead(graph, ends)
    return tuple(
        path
        for path, layer in graph.layers.items()
        if layer.kind == "FC"
        and "units" in layer.defaulted
        and all(reached.get(value.node) == path for value in layer.outputs)
    )


def depth(graph: Graph, counts: Counts) -> int:
    """The most layers with weights on any path.

    A layer with weights multiplies by parameters: convolutions and dense layers do, normalizations
    and learned slopes only scale. So VGG-16 has depth 16, with batch normalization or without.
    """
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    scopes: dict[int, str] = {}
    for identifier, node in graph.nodes():
        scopes[identifier] = node.scope
        arguments = [value.node for value in node.inputs if value is not None]
        before[identifier] = max(
            (before[i] if scopes[i] == node.scope else after[i] for i in arguments), default=0
        )
        counted = node.op_type not in LEAVES and counts.layers[node.scope].weighted
        after[identifier] = before[identifier] + counted
    return max(after.values(), default=0)


def width(graph: Graph, counts: Counts) -> int:
    """The most features (channels or units) that a layer with weights yields."""
    features = [
        author_extents(value.type)[-1]
        for path, layer in graph.layers.items()
        if counts.layers[path].weighted
        for value in layer.outputs
    ]
    return max((extent for extent in features if isinstance(extent, int)), default=0)


def _layers_ahead(graph: Graph, ends: Iterable[int]) -> Mapping[int, str | None]:
    """For each node that an end needs, the layer with parameters in or after it.

    None where there is none, `_SEVERAL` where there are several. Nodes are numbered in
    topological order, so one sweep from the last to the first sees users before producers.
    """
    ahead: dict[int, str | None] = dict.fromkeys(ends, _NOTHING)
    for identifier in range(len(graph) - 1, -1, -1):
        if identifier not in ahead:
            continue
        node = graph[identifier]
        if _takes_parameter(graph, node):
            ahead[identifier] = _join(ahead[identifier], node.scope)
        for value in node.inputs:
            if value is not None:
                ahead[value.node] = _join(ahead.get(value.node), ahead[identifier])
    return ahead


def _takes_parameter(graph: Graph, node: Node) -> bool:
    return node.op_type == PARAMETER or any(
        value is not None and graph.producer(value).op_type == PARAMETER for value in node.inputs
    )


def _join(a: str | None, b: str | None) -> str | None:
    if a is _NOTHING or a == b:
        return b
    return a if b is _NOTHING else _SEVERAL
