"""Graph -> Graph: rebuilds node by node, with a table of rules for what to build instead."""

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from types import MappingProxyType

from ..ir.builder import Builder
from ..ir.graph import LEAVES, Graph, Node, Value
from ..ir.types import TensorType
from ..ops.opdef import Operands

RewriteRule = Callable[[Builder, Node, Operands], tuple[Value, ...] | None]
"""What to build for a node of the old graph on operands in the new one.

Returns the values that stand for the node's outputs, or None to keep the node as it is. The
builder has the node's scope and span.
"""


def rewrite(
    graph: Graph,
    rules: Mapping[str, RewriteRule],
    *,
    keep: Container[int] | None = None,
    outputs: Mapping[int, int] = MappingProxyType({}),
    leaves_first: bool = False,
) -> Graph:
    """Rebuild a graph; the old one stays as it was.

    Layers, labels and outputs are carried over to the values that stand for theirs; a label
    loses its entry, and a layer its output, where the value is gone.

    Args:
        graph: The graph to start from.
        rules: By operator, what to build instead.
        keep: The nodes that may stay; all where it is None.
        outputs: How many outputs to keep of a node; all where it is not there.
        leaves_first: Whether inputs, parameters and constants come before all operators.
    """
    target = Graph(graph.name, opsets=graph.opsets)
    build = Builder(target)
    mapped: dict[int, tuple[Value, ...]] = {}
    nodes = list(graph.nodes())
    if leaves_first:
        nodes.sort(key=lambda each: each[1].op_type not in LEAVES)
    for identifier, node in nodes:
        if keep is not None and identifier not in keep:
            continue
        build.scope, build.span = node.scope, node.span
        operands = tuple([None if v is None else mapped[v.node][v.output] for v in node.inputs])
        rule = rules.get(node.op_type)
        values = rule(build, node, operands) if rule else None
        if values is None:
            values = copy(build, node, operands, outputs=outputs.get(identifier))
        mapped[identifier] = values
    _carry(graph, target, mapped)
    return target


def rewrite_if_any(graph: Graph, rules: Mapping[str, RewriteRule]) -> Graph:
    """The graph rewritten, or the graph itself where no rule has anything to build."""
    places = [node for _, node in graph.nodes() if node.op_type in rules]
    trial = Builder(Graph(graph.name, [*graph.records], opsets=graph.opsets))
    if all(rules[node.op_type](trial, node, node.inputs) is None for node in places):
        return graph
    return rewrite(graph, rules)


def within(change: Callable[[Graph], Graph], graph: Graph) -> Graph:
    """The graph changed, after each of its subgraphs."""
    nested = {node.op_type for _, node in graph.nodes() if node.subgraphs}

    def change_inside(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        inner = {name: within(change, each) for name, each in node.subgraphs.items()}
        return build.again(replace(node, subgraphs=inner), operands)

    return change(rewrite(graph, dict.fromkeys(nested, change_inside)) if nested else graph)


def copy(
    build: Builder, node: Node, operands: Operands, *, outputs: int | None = None
) -> tuple[Value, ...]:
    """The same node on other operands, on demand with fewer outputs.

    On operands of its own types it keeps the types of its outputs; `verify` infers them again.
    """
    if node.op_type in LEAVES:
        return build.graph.add(node)
    count = len(node.outputs)
    if outputs in (None, count) and _types(operands) == _types(node.inputs):
        return build.graph.add(node.on(operands))
    return build.again(node, operands, outputs=outputs)


def _types(values: Operands) -> list[TensorType | None]:
    return [None if value is None else value.type for value in values]


def _carry(graph: Graph, target: Graph, mapped: Mapping[int, tuple[Value, ...]]) -> None:
    """Enter the old graph's outputs, labels and layers with the values that stand for theirs."""

    def found(value: Value) -> tuple[Value, ...]:
        return mapped.get(value.node, ())[value.output : value.output + 1]

    target.outputs = {name: mapped[v.node][v.output] for name, v in graph.outputs.items()}
    target.labels = {name: new for name, value in graph.labels.items() for new in found(value)}
    for path, layer in graph.layers.items():
        outputs = tuple([new for value in layer.outputs for new in found(value)])
        if outputs or not layer.outputs:
            target.layers[path] = replace(layer, outputs=outputs)
