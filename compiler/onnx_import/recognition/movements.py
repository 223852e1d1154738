"""Chains of operators that only move elements: where each element of a result comes from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ...ir.dim import Dim, substitute
from ...ir.graph import Graph, Node, Value
from .trail import NoMatch, Trail

Places = np.ndarray[Any, np.dtype[np.int64]]

MOVES = frozenset(
    {
        *("Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze"),
        *("Tile", "Transpose", "Unsqueeze"),
    }
)
MOST_ELEMENTS = 2**24
MOST_PARTS = 2**12  # of what is put side by side
ANY_EXTENT = 3  # what a symbolic extent is, to tell where elements go


@dataclass(frozen=True, slots=True)
class Moved:
    """What a value is made of by moving elements, and by a factor.

    Attributes:
        source: The value at the beginning of the chain.
        places: For each element of the result, its row-major place in the source.
        factor: What all elements are multiplied by.
        passed: The operators of the chain.
    """

    source: Value
    places: Places
    factor: float
    passed: frozenset[int] = frozenset()


def extents(shape: Sequence[Dim]) -> tuple[int, ...]:
    """A shape with numbers for symbols."""
    return tuple(int(substitute(extent, {}, others=ANY_EXTENT)) for extent in shape)  # type: ignore[arg-type]


def moved(
    trail: Trail,
    value: Value,
    *,
    of_weights: bool = False,
    with_borders: bool = False,
    keeps_heads: bool = False,
) -> Moved:
    """Go back through all operators that move elements or scale all of them alike.

    Args:
        trail: The way back.
        value: Where it begins.
        of_weights: Whether to go back to what is stored.
        with_borders: Whether to go through borders of zeros, whose places are -1.
        keeps_heads: Whether to stop where heads are put side by side.

    Raises:
        NoMatch: There are too many elements, or a movement depends on the input.
    """
    way = _Way(trail, MOVES | {"Pad"} if with_borders else MOVES, of_weights, keeps_heads)
    source, factor = way.origin(value)
    trail.passed |= way.passed
    shape = extents(source.shape)
    trail.need(prod(shape) <= MOST_ELEMENTS)
    known = {source: natural(shape)}
    try:
        return Moved(source, way.places(value, known), factor, frozenset(way.passed))
    except (ValueError, IndexError, TypeError):
        raise NoMatch from None


def are_heads(graph: Graph, x: Value) -> bool:
    """Whether a sequence (N, L, heads D) is put together of (N, heads, L, D), as attention does."""
    maker = graph.producer(x)
    if maker.op_type != "Reshape" or x.type.rank != 3 or maker.inputs[0] is None:
        return False
    moved = graph.producer(maker.inputs[0])
    return moved.op_type == "Transpose" and moved.attributes["perm"] == (0, 2, 1, 3)


@lru_cache(maxsize=2)
def _counted(size: int) -> Places:
    found = np.arange(size)
    found.flags.writeable = False
    return found


def natural(shape: Sequence[int]) -> Places:
    """The place of each element of a tensor in itself; it is never changed."""
    return _counted(prod(shape)).reshape(shape)


forget = _counted.cache_clear  # what was counted last


def all_moved(trail: Trail, value: Value, *, rank: int) -> Iterator[Moved]:
    """What a value is made of each of those on the way back that it is moved from, the first first.

    Operators that put parts side by side are not gone through. Those of another rank are left out.
    """
    way = _Way(trail, MOVES, of_weights=False)
    steps = [(value, 1.0)]
    while (before := way.step(steps[-1][0])) is not None:
        steps.append((before[0], before[1] * steps[-1][1]))
    for count in range(len(steps), 0, -1):
        source, factor = steps[count - 1]
        shape = extents(source.shape)
        if source.type.rank != rank or prod(shape) > MOST_ELEMENTS:
            continue
        known = {source: natural(shape)}
        passed = frozenset(each.node for each, _ in steps[: count - 1])
        with suppress(NoMatch, ValueError, IndexError, TypeError):
            yield Moved(source, way.places(value, known), factor, passed)


@dataclass(eq=False)
class _Way:
    """The operators from a value back to what it is moved from."""

    trail: Trail
    moves: frozenset[str]
    of_weights: bool
    keeps_heads: bool = False
    passed: set[int] = field(default_factory=set)
    origins: dict[Value, tuple[Value, float]] = field(default_factory=dict)

    def origin(self, value: Value) -> tuple[Value, float]:
        """What a value is moved from, and what it is multiplied by on the way."""
        if value not in self.origins:
            self.origins[value] = self._origin(value)
        return self.origins[value]

    def step(self, value: Value) -> tuple[Value, float] | None:
        """What one operator moves or scales, and by what; None where it does neither."""
        node = self.trail.graph.producer(value)
        return None if node.op_type == "Concat" else self._before(value, node)

    def _origin(self, value: Value) -> tuple[Value, float]:
        passed, factor = set(), 1.0
        while True:
            node = self.trail.graph.producer(value)
            before = self._before(value, node)
            if before is None:
                break
            passed.add(value.node)
            value, factor = before[0], factor * before[1]
        self.passed |= passed
        return value, factor

    def _before(self, value: Value, node: Node) -> tuple[Value, float] | None:
        """What an operator moves or scales, and by what; None where it does neither."""
        if self.keeps_heads and are_heads(self.trail.graph, value):
            return None
        if node.op_type in self.moves:
            learned = not self.of_weights and self.trail.is_learned(value)
            return None if learned else (self.trail.argument(node, 0), 1.0)
        if node.op_type in ("Mul", "Div"):
            return _scaled(self.trail, node)
        if node.op_type != "Concat" or len(node.inputs) > MOST_PARTS:
            return None
        passed = set(self.passed)
        found = set(map(self.origin, self.trail.arguments(node)))
        ((source, factor),) = found if len(found) == 1 else [(value, 0.0)]
        if factor == 1 and self.trail.graph.producer(source).op_type != "Concat":
            return source, 1.0
        self.passed = passed  # they are put side by side, not moved
        return None

    def places(self, value: Value, known: dict[Value, Places]) -> Places:
        """For each element of a value, its place in the source."""
        if value not in known:
            self.trail.need(prod(extents(value.shape)) <= MOST_ELEMENTS)
            node = self.trail.graph.producer(value)
            if node.op_type == "Concat":
                parts = self.trail.arguments(node)
                axis = node.attributes["axis"]
                found = np.concatenate([self.places(part, known) for part in parts], axis)
            elif node.op_type in self.moves:
                found = self.places(self.trail.argument(node, 0), known)
                found = move(self.trail.graph, value, found)
            else:
                scaled = _scaled(self.trail, node)
                self.trail.need(scaled is not None)
                assert scaled is not None
                found = self.places(scaled[0], known)
            known[value] = found
        return known[value]


def roll_of(trail: Trail, node: Node) -> tuple[Value, int, int]:
    """What a `Concat` of the two parts of an axis rolls, by how much, and the axis.

    Raises:
        NoMatch: It puts other things side by side.
    """
    trail.need(len(node.inputs) == 2)
    parts = trail.arguments(node, 2)
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


def move(graph: Graph, value: Value, places: Places) -> Places:
    """What an operator of `MOVES` makes of an array in place of its first operand.

    Raises:
        NoMatch: The movement depends on the input.
    """
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
    rows = np.reshape(_held(graph, node, 1), node.input(1).type.extents)
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


def _expanded(graph: Graph, node: Node, places: Places) -> Places:
    return np.broadcast_to(places, extents(node.outputs[0].shape))


def _padded(graph: Graph, node: Node, places: Places) -> Places:
    pads = _held(graph, node, 1)
    given = _held(graph, node, 3) or range(places.ndim)
    value = _held(graph, node, 2)
    if node.attributes["mode"] != "constant" or any(value) or min(pads) < 0:
        raise NoMatch
    width = [(0, 0)] * places.ndim
    for place, axis in enumerate(given):
        width[axis] = pads[place], pads[len(pads) // 2 + place]
    return np.pad(places, width, constant_values=-1)


_RULES: Mapping[str, Callable[[Graph, Node, Places], Places]] = {
    "Expand": _expanded,
    "Gather": _gathered,
    "Pad": _padded,
    "Slice": _sliced,
    "Tile": _tiled,
    "Transpose": _transposed,
}
