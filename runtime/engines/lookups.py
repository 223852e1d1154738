"""A graph -> the tables that its inputs look up, and a check of the indices that they hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...compiler.ir.graph import INPUT, Graph, Node, Value
from ...compiler.ops.opdef import Moves, definition
from ...grammar.diagnostics import error
from ..kerneldef import Array

# Layers whose indices count from 0; those of ONNX's own `Gather` may count from the end.
TABLES = frozenset({"EMBED"})


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table that an input holds row numbers of.

    Attributes:
        rows: How many rows it has.
        layer: The layer's name.
        node: The operator.
    """

    rows: int
    layer: str
    node: Node


def lookups(graph: Graph) -> dict[str, Lookup]:
    """The smallest table that each input looks up, by the input's name."""
    found: dict[str, Lookup] = {}
    for _, node in graph.nodes():
        layer = graph.layers.get(node.scope)
        if node.op_type != "Gather" or layer is None or layer.kind not in TABLES:
            continue
        table, indices = node.inputs[0], node.inputs[1]
        rows = table.shape[0] if table is not None else None
        if not isinstance(rows, int) or indices is None:
            continue
        for name in _sources(graph, indices):
            if name not in found or rows < found[name].rows:
                found[name] = Lookup(rows, node.scope, node)
    return found


def _sources(graph: Graph, indices: Value) -> Iterator[str]:
    """The inputs whose numbers reach a value as they are."""
    waiting, seen = [indices], set()
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        node = graph.producer(value)
        if node.op_type == INPUT:
            yield node.attributes["name"]
        elif row := definition(node):
            taken = {Moves.NONE: 0, Moves.JOINED: len(node.inputs)}.get(row.moves, 1)
            waiting += [each for each in node.inputs[:taken] if each is not None]


def check_lookups(lookups: Mapping[str, Lookup], arrays: Mapping[str, Array]) -> None:
    """Refuse indices outside of the tables that they look up, before either engine computes.

    Raises:
        NetError: E206, with the first such index.
    """
    for name, lookup in lookups.items():
        array = arrays[name]
        if array.size and (array.min() < 0 or array.max() >= lookup.rows):
            wrong = array[(array < 0) | (array >= lookup.rows)].flat[0]
            raise error(
                "E206",
                f"the input `{name}` holds {wrong}, which is out of range for `{lookup.layer}`",
                lookup.node.span,
                notes=[f"`{lookup.layer}` has {lookup.rows} rows, from 0 to {lookup.rows - 1}"],
                help="renumber the indices, or give the table more rows",
            )
