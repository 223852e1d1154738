"""Graph -> Graph: removes transpositions that undo each other, as sequences cause them."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value, required
from ..ops.arithmetic import infer_power, infer_quotient, infer_remainder
from ..ops.elementwise import infer_binary, infer_broadcast
from ..ops.functions import infer_cast
from ..ops.logic import (
    infer_comparison,
    infer_connective,
    infer_not,
    infer_predicate,
    infer_where,
)
from ..ops.opdef import Operands, definition
from .rewrite import RewriteRule, copy, rewrite_if_any

TRANSPOSE = "Transpose"
# How types of operators are inferred that compute each number from those at its place alone.
BROADCASTING = {
    *(infer_binary, infer_broadcast, infer_cast, infer_comparison, infer_connective),
    *(infer_not, infer_power, infer_predicate, infer_quotient, infer_remainder, infer_where),
}


def cancel_transposes(graph: Graph) -> Graph:
    """Make one Transpose of two, and none of two that undo each other.

    1-D convolutions and pools transpose around themselves. A Transpose is also moved after
    elementwise operators that read it alone, and those of all arguments after one that joins them,
    so that the pairs around `CONV -> RELU -> CONV` and around the gates and sums of sequences
    meet, too. What nothing reads any more is left to `eliminate_dead_nodes`.
    """
    while (found := _cancelled(graph)) is not graph:  # what moved may leave others alone
        graph = found
    return graph


def _cancelled(graph: Graph) -> Graph:
    if not any(node.op_type == TRANSPOSE for _, node in graph.nodes()):
        return graph
    outputs = {(value.node, value.output) for value in graph.outputs.values()}
    rows = filter(None, (definition(node) for _, node in graph.nodes()))
    elementwise = {row.op_type for row in rows if row.elementwise or row.infer in BROADCASTING}

    def moves(identifier: int) -> bool:
        """Whether an operator can do without a Transpose of an argument, as far as ranks show."""
        node = graph[identifier]
        ranks = {value.type.rank for value in node.inputs if value is not None} - {0}
        return node.op_type == TRANSPOSE or (node.op_type in elementwise and len(ranks) == 1)

    def move_behind(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """f(transpose x, transpose y) as transpose f(x, y), also with numbers among them.

        A single transpose x moves where each of its readers may be moved like this, or is a
        Transpose, which then reads x.
        """
        found = [build.graph.producer(required(value)) for value in operands]
        moved = [
            required(old)
            for old, before in zip(node.inputs, found, strict=True)
            if before.op_type == TRANSPOSE
        ]
        perms = {
            tuple(before.attributes["perm"]) for before in found if before.op_type == TRANSPOSE
        }
        others = (
            required(value).type.rank
            for value, before in zip(operands, found, strict=True)
            if before.op_type != TRANSPOSE
        )
        leaves = any((old.node, old.output) in outputs for old in moved)
        if len(perms) != 1 or any(others) or leaves:
            return None
        if len(moved) == 1 and not all(map(moves, graph.consumers(moved[0]))):
            return None
        inner = [
            before.inputs[0] if before.op_type == TRANSPOSE else value
            for value, before in zip(operands, found, strict=True)
        ]
        (y,) = copy(build, node, tuple(inner))
        return build.op(TRANSPOSE, (y,), {"perm": perms.pop()})

    rules: dict[str, RewriteRule] = {TRANSPOSE: _cancel, **dict.fromkeys(elementwise, move_behind)}
    return rewrite_if_any(graph, rules)


def _cancel(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """y's axis i is x's axis p[i], so q after p takes p[q[i]], and nothing where that is i."""
    x = required(operands[0])
    perm: Sequence[int] = node.attributes["perm"]
    before = build.graph.producer(x)
    merged = before.op_type == TRANSPOSE
    if merged:
        inner: Sequence[int] = before.attributes["perm"]
        x, perm = before.input(0), tuple(inner[axis] for axis in perm)
    if list(perm) == list(range(len(perm))):
        return (x,)
    return build.op(TRANSPOSE, (x,), {"perm": perm}) if merged else None
