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
    return rewrite(graph, rules) if rules else graph


def _decompose(
    how: Decompose, build: Builder, node: Node, operands: Operands
) -> tuple[Value, ...] | None:
    call = build.call(node.op_type, operands, node.attributes, outputs=len(node.outputs))
    values = how(build, operands, call)
    return None if values is None else tuple(values)
