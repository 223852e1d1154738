"""Graph -> Graph: removes pairs of Transpose that undo each other, as sequences cause them."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value
from ..ops.opdef import Operands, definition
from .rewrite import RewriteRule, copy, rewrite

TRANSPOSE = "Transpose"


def cancel_transposes(graph: Graph) -> Graph:
    """Remove every Transpose that undoes the one before it.

    1-D convolutions and pools transpose around themselves. A Transpose is also moved after an
    elementwise operator that alone reads it, so that the pair around `CONV -> RELU -> CONV` on
    sequences meets, too. What nothing reads any more is left to `eliminate_dead_nodes`.
    """
    if not any(node.op_type == TRANSPOSE for _, node in graph.nodes()):
        return graph
    outputs = {(value.node, value.output) for value in graph.outputs.values()}

    def move_behind(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """f(transpose x) as transpose f(x), where nothing else reads transpose x."""
        (x,), (old,) = operands, node.inputs
        assert x is not None
        assert old is not None
        before = build.graph.producer(x)
        shared = (old.node, old.output) in outputs or len(graph.consumers(old)) > 1
        if before.op_type != TRANSPOSE or shared:
            return None
        (y,) = copy(build, node, before.inputs)
        return build.op(TRANSPOSE, (y,), before.attributes)

    rows = [definition(node) for _, node in graph.nodes()]
    elementwise = {row.op_type for row in rows if row and row.elementwise}
    rules: dict[str, RewriteRule] = {TRANSPOSE: _cancel, **dict.fromkeys(elementwise, move_behind)}
    return rewrite(graph, rules)


def _cancel(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """y's axis i is x's axis p[i], so q after p is the identity where p[q[i]] = i for all i."""
    (x,) = operands
    assert x is not None
    perm: Sequence[int] = node.attributes["perm"]
    if list(perm) == list(range(len(perm))):
        return (x,)
    before = build.graph.producer(x)
    if before.op_type != TRANSPOSE:
        return None
    inner: Sequence[int] = before.attributes["perm"]
    (source,) = before.inputs
    assert source is not None
    return (source,) if [inner[i] for i in perm] == list(range(len(perm))) else None
