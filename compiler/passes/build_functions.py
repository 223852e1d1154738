"""Graph -> Graph: builds operators that ONNX defines by others from these."""

from functools import partial

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value
from ..ops.opdef import OPS, Function, Operands, definition, row_of
from .rewrite import RewriteRule, rewrite, within


def build_functions(graph: Graph, *, since: int = 0) -> Graph:
    """Replace operators by what they are defined by, where the op table does not have them.

    Args:
        graph: The graph.
        since: Replace instead what came with this opset or a later one, also of the op table.
    """
    return within(partial(_build_functions, since=since), graph)


def _build_functions(graph: Graph, *, since: int) -> Graph:
    rules: dict[str, RewriteRule] = {}
    for _, node in graph.nodes():
        row = definition(node)
        if row and row.function and (row.since_version >= since if since else row.key not in OPS):
            rules[row.op_type] = partial(_build, row.function)
    return _build_functions(rewrite(graph, rules), since=since) if rules else graph


def _build(how: Function, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    call = build.call(row_of(node), operands, node.attributes, outputs=len(node.outputs))
    return tuple(how(build, operands, call))
