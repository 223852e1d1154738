"""Graph -> Graph: rebuilds node by node, with a table of rules for what to build instead."""

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from types import MappingProxyType

from ..ir.builder import Builder
from ..ir.graph import LEAVES, Graph, Node, Value
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
) -> Graph:
    """Rebuild a graph; types are inferred again, and the old graph stays as it was.

    Layers, labels and outputs are carried over to the values that stand for theirs; a label
    loses its entry, and a layer its output, where the value is gone.

    Args:
        graph: The graph to start from.
        rules: By operator, what to build instead.
        keep: The nodes that may stay; all where it is None.
        outputs: How many outputs to keep of a node; all where it is not there.
    """
    target = Graph(graph.name, opsets=graph.opsets)
    build = Builder(target)
    mapped: dict[tuple[int, int], Value] = {}
    for identifier, node in graph.nodes():
        if keep is not None and identifier not in keep:
            continue
        build.scope, build.span = node.scope, node.span
        operands = tuple(None if v is None else mapped[v.node, v.output] for v in node.inputs)
        rule = rules.get(node.op_type)
        values = rule(build, node, operands) if rule else None
        if values is None:
            values = copy(build, node, operands, outputs=outputs.get(identifier))
        mapped.update(((identifier, i), value) for i, value in enumerate(values))
    _carry(graph, target, mapped)
    return target


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
    """The same node on other operands, on demand with fewer outputs."""
    if node.op_type in LEAVES:
        return build.graph.add(node)
    return build.again(node, operands, outputs=outputs)


def _carry(graph: Graph, target: Graph, mapped: Mapping[tuple[int, int], Value]) -> None:
    """Enter the old graph's outputs, labels and layers with the values that stand for theirs."""
    target.outputs = {name: mapped[v.node, v.output] for name, v in graph.outputs.items()}
    for name, value in graph.labels.items():
        if (value.node, value.output) in mapped:
            target.labels[name] = mapped[value.node, value.output]
    for path, layer in graph.layers.items():
        found = [mapped.get((value.node, value.output)) for value in layer.outputs]
        outputs = tuple(value for value in found if value is not None)
        if outputs or not layer.outputs:
            target.layers[path] = replace(layer, outputs=outputs)
