"""Graph -> Graph: builds operators that engines lack from others, as the op table says."""

from functools import partial

from ..builder import Builder
from ..graph import Graph, Node, Value
from ..opdef import OPS, Decompose
from .rewrite import Operands, Rule, rewrite


def decompose(graph: Graph) -> Graph:
    """Replace each operator that has a decomposition, where its operands need one."""
    present = {node.op_type for _, node in graph.nodes()}
    rules: dict[str, Rule] = {}
    for op_type in sorted(present & OPS.keys()):
        how = OPS[op_type].decompose
        if how is not None:
            rules[op_type] = partial(_decompose, how)
    return rewrite(graph, rules, outputs=_with_indices(graph)) if rules else graph


def _with_indices(graph: Graph) -> dict[int, int]:
    """The max-pools that are to say where their maxima are: their gradients are built with that."""
    grads = (node for _, node in graph.nodes() if node.op_type == "netc.MaxPoolGrad")
    maxima = (node.inputs[1] for node in grads)
    pools = {y.node: graph.producer(y) for y in maxima if y is not None}
    return {i: 2 for i, node in pools.items() if node.op_type == "MaxPool"}


def _decompose(
    how: Decompose, build: Builder, node: Node, operands: Operands
) -> tuple[Value, ...] | None:
    call = build.call(node.op_type, operands, node.attributes, outputs=len(node.outputs))
    values = how(build, operands, call)
    return None if values is None else tuple(values)
