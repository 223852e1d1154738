"""Recurrent operators of which more than one result is read -> with results as layers have them."""

from collections.abc import Sequence

import numpy as np

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value
from ..ir.signature import InferenceError
from ..layers.recurrent import CELLS
from ..ops.opdef import Operands
from ..passes.eliminate_dead_nodes import eliminate_dead_nodes
from ..passes.rewrite import rewrite
from .recognition.movements import MOVES, Moved, extents, moved
from .recognition.recurrent import RESULT
from .recognition.trail import NoMatch, Trail
from .simplify import guarded

# How the axes of results and states lie as layers have them, by the operator's own layout.
ORDERS = {0: ((2, 0, 1, 3), (1, 0, 2)), 1: ((0, 1, 2, 3), (0, 1, 2))}


def with_states(graph: Graph, operators: Sequence[Node]) -> Graph:
    """The graph with sequences (N, L, D H) and states (N, D H) of some recurrent operators.

    What read their results, (L, D, N, H) and (D, N, H), reads these with axes moved back, or as
    they are where it only moved them itself.
    """

    def separated(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        return (
            _separated(build, node, operands) if any(node is each for each in operators) else None
        )

    apart = eliminate_dead_nodes(rewrite(graph, dict.fromkeys(CELLS, guarded(separated))))
    return eliminate_dead_nodes(rewrite(apart, dict.fromkeys((*MOVES, "Concat"), guarded(_taken))))


def _separated(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    hidden, layout = node.attributes["hidden_size"], node.attributes["layout"]
    count = 2 if node.attributes["direction"] == "bidirectional" else 1
    orders = ORDERS[layout][0], *(ORDERS[layout][1],) * 2
    firsts = [
        None if x is None else _apart(build, _joined(build, x, orders[1]), orders[1], count, hidden)
        for x in operands[5:7]
    ]
    results = build.again(node, (*operands[:5], *firsts, *operands[7:]))
    return tuple(
        _apart(build, build.op(RESULT, (_joined(build, x, order),))[0], order, count, hidden)
        for x, order in zip(results, orders, strict=False)
    )


def _joined(build: Builder, x: Value, order: Sequence[int]) -> Value:
    """Directions side by side.

    Raises:
        InferenceError: There are unknown numbers of directions or units.
    """
    count, hidden = (x.type.shape[order[place]] for place in (-2, -1))
    if not isinstance(count, int) or not isinstance(hidden, int):
        raise InferenceError("how many units there are is not known")
    kept = (0,) * (len(order) - 2)
    lying = build.Transpose(x, perm=tuple(order))
    return build.Reshape(lying, build.index_constant((*kept, count * hidden)))


def _apart(build: Builder, x: Value, order: Sequence[int], count: int, hidden: int) -> Value:
    """Directions on an axis of their own, where an operator has it."""
    kept = (0,) * (len(order) - 2)
    spread = build.Reshape(x, build.index_constant((*kept, count, hidden)))
    return build.Transpose(spread, perm=tuple(map(order.index, range(len(order)))))


def _taken(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """What moves the elements of a result, or takes some of them, by one operator."""
    if len(node.outputs) > 1:
        return None
    (y,) = build.again(node, operands)
    try:
        found = moved(Trail(build.graph, y.node), y)
    except NoMatch:
        return None
    if build.graph.producer(found.source).op_type != RESULT:
        return None
    taken = _by_one(build, found)
    return (taken,) if taken is not None and taken.type == y.type else None


def _by_one(build: Builder, found: Moved) -> Value | None:
    """A result with its axes in another order, some of its features, or its last element."""
    x, places = found.source, found.places
    index = np.arange(int(np.prod(extents(x.shape)))).reshape(extents(x.shape))
    if found.factor != 1:
        return None
    orders = {2: ((0, 1), (1, 0)), 3: ((0, 1, 2), (1, 0, 2), (0, 2, 1))}[x.type.rank]
    for order in orders:
        if np.array_equal(index.transpose(order), places):
            is_same = order == tuple(range(x.type.rank))
            return x if is_same else build.Transpose(x, perm=order)
    if x.type.rank == 3 and np.array_equal(index[:, -1], places):
        return build.Gather(x, build.index_constant(-1), axis=1)
    if x.type.rank == 2 == places.ndim and places.size:
        first, count = int(places[0, 0]), places.shape[1]
        if np.array_equal(index[:, first : first + count], places):
            bounds = [build.index_constant((n,)) for n in (first, first + count, 1)]
            return build.Slice(x, *bounds)
    return None
