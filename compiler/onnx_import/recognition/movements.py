"""Chains of operators that only move elements: where each element of a result comes from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...ir.dim import Dim, substitute
from ...ir.graph import Graph, Node, Value
from .trail import NoMatch, Trail

Places = np.ndarray[Any, np.dtype[np.int64]]

MOVES = frozenset(
    {
        *("Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze"),
        *("Tile", "Transpose", "Unsqueeze"),
    }
)
MOST_ELEMENTS = 2**24
ANY_EXTENT = 3  # what a symbolic extent is, to tell where elements go


@dataclass(frozen=True, slots=True)
class Moved:
    """What a value is made of by moving elements, and by a factor.

    Attributes:
        source: The value at the beginning of the chain.
        places: For each element of the result, its row-major place in the source.
        factor: What all elements are multiplied by.
    """

    source: Value
    places: Places
    factor: float


def extents(shape: Sequence[Dim]) -> tuple[int, ...]:
    """A shape with numbers for symbols."""
    return tuple(int(substitute(extent, {}, others=ANY_EXTENT)) for extent in shape)  # type: ignore[arg-type]


def moved(trail: Trail, value: Value, *, of_weights: bool = False) -> Moved:
    """Go back through all operators that move elements or scale all of them alike.

    Args:
        trail: The way back.
        value: Where it begins.
        of_weights: Whether to go back to what is stored.

    Raises:
        NoMatch: There are too many elements, or a movement depends on the input.
    """
    chain: list[Value] = []
    factor = 1.0
    while True:
        node = trail.graph.producer(value)
        if node.op_type in MOVES and (of_weights or not trail.is_learned(value)):
            chain.append(value)
            trail.passed.add(value.node)
            value = trail.argument(node, 0)
        elif node.op_type == "Concat" and len(node.inputs) == 2:
            try:
                before = roll_of(trail, node)[0]
            except NoMatch:
                break
            chain.append(value)
            trail.passed.add(value.node)
            value = before
        elif node.op_type in ("Mul", "Div") and (scaled := _scaled(trail, node)) is not None:
            trail.passed.add(value.node)
            value, number = scaled
            factor *= number
        else:
            break
    shape = extents(value.shape)
    trail.need(prod(shape) <= MOST_ELEMENTS)
    places = np.arange(prod(shape)).reshape(shape)
    for each in reversed(chain):
        try:
            places = _move(trail.graph, each, places)
        except (ValueError, IndexError, TypeError):
            raise NoMatch from None
        trail.need(places.size <= MOST_ELEMENTS)
    return Moved(value, places, factor)


def roll_of(trail: Trail, node: Node) -> tuple[Value, int, int]:
    """What a `Concat` of the two parts of an axis rolls, by how much, and the axis.

    Raises:
        NoMatch: It puts other things side by side.
    """
    trail.need(len(node.inputs) == 2)
    parts = [trail.argument(node, place) for place in range(2)]
    makers = [trail.graph.producer(part) for part in parts]
    trail.need(all(maker.op_type == "Slice" for maker in makers))
    (x, other), axis = (trail.argument(maker, 0) for maker in makers), node.attributes["axis"]
    axis %= x.type.rank
    extent, tail = x.shape[axis], parts[0].shape[axis]
    trail.need(x == other and x.type == node.outputs[0])
    trail.need(isinstance(extent, int) and isinstance(tail, int))
    row = np.arange(extent).reshape([-1 if i == axis else 1 for i in range(x.type.rank)])
    found = [_sliced(trail.graph, maker, row).ravel() for maker in makers]
    trail.need((np.concatenate(found) == np.roll(row.ravel(), tail)).all())
    trail.passed.update(part.node for part in parts)
    return x, tail if 2 * tail <= extent else tail - extent, axis


def _scaled(trail: Trail, node: Node) -> tuple[Value, float] | None:
    """What an operator multiplies by a number, and the number."""
    a, b = trail.argument(node, 0), trail.argument(node, 1)
    for x, number in ((a, b), (b, a)):
        if trail.is_by(number, "Constant") and number.type.size == 1 and x.dtype.is_float:
            found = trail.number(number)
            if node.op_type == "Mul":
                return x, found
            return (x, 1 / found) if number == b and found else None
    return None


def _move(graph: Graph, value: Value, places: Places) -> Places:
    node = graph.producer(value)
    shape = extents(value.shape)
    if node.op_type in _RULES:
        return _RULES[node.op_type](graph, node, places)
    if node.op_type == "Split":
        axis = node.attributes["axis"]
        sizes = [extents(type.shape)[axis] for type in node.outputs]
        start = sum(sizes[: value.output])
        return np.take(places, range(start, start + sizes[value.output]), axis)
    return places.reshape(shape)


def _transposed(graph: Graph, node: Node, places: Places) -> Places:
    return places.transpose(node.attributes["perm"])


def _gathered(graph: Graph, node: Node, places: Places) -> Places:
    assert node.inputs[1] is not None
    rows = np.reshape(_held(graph, node, 1), node.inputs[1].type.extents)
    return np.take(places, rows, node.attributes["axis"])


def _sliced(graph: Graph, node: Node, places: Places) -> Places:
    starts, ends = _held(graph, node, 1), _held(graph, node, 2)
    axes = _held(graph, node, 3) or range(len(starts))
    steps = _held(graph, node, 4) or (1,) * len(starts)
    cuts = [slice(None)] * places.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step < 0:
            raise NoMatch
        cuts[axis] = slice(start, end, step)
    return places[tuple(cuts)]


def _held(graph: Graph, node: Node, place: int) -> tuple[Any, ...]:
    """The numbers that a constant argument holds; none where it is left out."""
    value = node.inputs[place] if place < len(node.inputs) else None
    if value is None:
        return ()
    return Trail(graph, value.node).tensor(value).numbers() or ()


def _tiled(graph: Graph, node: Node, places: Places) -> Places:
    return np.tile(places, _held(graph, node, 1))


def _rolled(graph: Graph, node: Node, places: Places) -> Places:
    _, shift, axis = roll_of(Trail(graph, 0), node)
    return np.roll(places, shift, axis)


_RULES: Mapping[str, Callable[[Graph, Node, Places], Places]] = {
    "Concat": _rolled,
    "Gather": _gathered,
    "Slice": _sliced,
    "Tile": _tiled,
    "Transpose": _transposed,
}
