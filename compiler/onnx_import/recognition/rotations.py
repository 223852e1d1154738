"""Rotations of pairs of channels by angles that grow with positions -> `ROPE`.

They are known by what each element is a sum of: itself and the other one of its pair, times the
cosine and the sine of an angle.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ...ir.dim import equal
from ...ir.graph import Graph, Value, present
from ...ir.types import product
from ...layers.positions import BASE
from .evaluation import Evaluation
from .movements import MOST_ELEMENTS, MOVES, extents, move, natural
from .trail import Match, NoMatch, Trail, identity, rule

Array = np.ndarray[Any, Any]
LAYOUTS = ("halves", "pairs")
Order = tuple[int, ...] | None
TOLERANCE = 1e-3  # of sines and cosines of angles in float32, at positions up to some thousands


@dataclass(frozen=True, slots=True)
class Rotation:
    """A sequence (N, L, heads D) whose pairs of channels are turned.

    Attributes:
        x: The sequence.
        heads: How many heads it has.
        base: What the angles' rates are powers of.
        layout: Which channels are pairs.
        given, order: How it lies before and after: axis i is axis `order[i]` of (N, L, heads, D);
            None where heads are side by side, perhaps in another shape.
        passed: The operators that compute it.
    """

    x: Value
    heads: int
    base: float
    layout: str
    given: Order
    order: Order
    passed: frozenset[int]


@rule("Reshape")
def rotary(trail: Trail) -> Match:
    """`ROPE`, as netc writes it."""
    y = Value(trail.last, 0, trail.node.outputs[0])
    trail.need(y.type.rank == 3 and trail.is_by(trail.argument(trail.node, 0), "Concat"))
    found = rotation_of(trail.graph, y)
    trail.need(found.order is None and found.x.shape == y.shape)
    trail.passed |= found.passed
    arguments: dict[str, Any] = {"heads": found.heads, "layout": found.layout}
    arguments |= {} if found.base == BASE else {"base": found.base}
    return Match("ROPE", (found.x,), arguments, layout=identity(3))


def rotation_of(graph: Graph, y: Value) -> Rotation:
    """The rotation that a value is, (N, L, heads D), (N, L, heads, D) or (N, heads, L, D).

    Raises:
        NoMatch: It is none, or its angles have other rates.
    """
    terms = _Terms(graph)
    for x in terms.sources(y):
        for given, order in _orders(x, y):
            with suppress(NoMatch):
                return _rotation(terms, x, y, given, order)
    raise NoMatch


def _orders(x: Value, y: Value) -> Iterator[tuple[Order, Order]]:
    """How a sequence may lie before and after it is turned."""
    if y.type.rank == 3:
        if x.type.rank == 3 and _is_as_large(x, y):
            yield None, None
        return
    for order in ((0, 2, 1, 3), (0, 1, 2, 3)):
        samples = y.shape[order.index(0)]
        if x.shape == y.shape:
            yield order, order
        elif x.type.rank == 3 and _is_as_large(x, y) and x.shape[0] == samples:
            yield None, order


def _is_as_large(x: Value, y: Value) -> bool:
    """Whether tensors have as many samples, and these as many elements."""
    return x.shape[0] == y.shape[0] and equal(product(x.shape[1:]), product(y.shape[1:])) is True


def _rotation(terms: "_Terms", x: Value, y: Value, given: Order, order: Order) -> Rotation:
    terms.passed.clear()
    size = extents(y.shape)
    samples, length, *rest = size if order is None else [size[order.index(a)] for a in range(4)]
    width = prod(rest)
    if length < 2 or prod(size) > MOST_ELEMENTS:
        raise NoMatch
    shape = samples, length, width
    places, index = _index(shape, x, given), _index(shape, y, order)
    own, other, cosine, sine = terms.pair(y, x, index[0, 1], places[0, 1])
    angles = np.arctan2(np.abs(sine), cosine)
    heads, odd = divmod(int(np.isclose(angles, 1.0, atol=1e-5).sum()), 2)  # the first of each head
    if odd or not heads or width % (2 * heads):
        raise NoMatch
    depth = width // heads
    halves = int(abs(other[0] - own[0])) == depth // 2
    rates = angles.reshape(heads, 2, -1)[0, 0] if halves else angles.reshape(heads, -1, 2)[0, :, 0]
    # base^(-(D - 2) / D) is the last one.
    base = float(f"{float(rates[-1]) ** (-depth / (depth - 2)):.6g}") if depth > 2 else BASE
    pairs = _Pairs(depth, base, halves)
    kept = [*range(min(length, 4)), length // 2, length - 1]
    pair = [0, int(other[0] - own[0])]
    parts = ((0, kept, range(width)), (-1, (0, length - 1), range(width)), (0, range(length), pair))
    for sample, rows, channels in parts:
        at = np.ix_((sample,), tuple(rows), tuple(channels))
        found = terms.pair(y, x, index[at].ravel(), places[at].ravel())
        if not pairs.turn(found, places[sample], np.array(rows), np.array(channels)):
            raise NoMatch
    layout = LAYOUTS[0 if halves else 1]
    return Rotation(x, heads, base, layout, given, order, frozenset(terms.passed))


def _index(shape: Sequence[int], y: Value, order: Order) -> Array:
    """The place in a tensor of each element of (N, L, heads D)."""
    if order is None:
        return natural(shape)
    inverse = tuple(map(order.index, range(4)))
    return natural(extents(y.shape)).transpose(inverse).reshape(shape)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of channels.

    Attributes:
        depth: The channels of a head.
        base: What the angles' rates are powers of.
        halves: Whether pairs are in the halves of a head, or neighbours.
    """

    depth: int
    base: float
    halves: bool

    def turn(self, found: tuple[Array, ...], places: Array, rows: Array, channels: Array) -> bool:
        """Whether elements are turned by the angles of their positions.

        Args:
            found: Their own places, the others' of the pairs, and what both are multiplied by.
            places: The places of a sample's elements, (L, heads D).
            rows: Their positions.
            channels: Their channels.
        """
        _, other, cosine, sine = (each.reshape(len(rows), len(channels)) for each in found)
        inside, half = channels % self.depth, self.depth // 2
        is_first = inside < half if self.halves else inside % 2 == 0
        beside = np.where(is_first, 1, -1) * (half if self.halves else 1)
        number = inside % half if self.halves else inside // 2
        angles = np.outer(rows, np.float64(self.base) ** (-2 * number / self.depth))
        apart = TOLERANCE * np.maximum(1, rows[:, None] / 4096)
        return bool(
            (other == places[np.ix_(rows, channels + beside)]).all()
            and (np.abs(cosine - np.cos(angles)) < apart).all()
            and (np.abs(sine - np.where(is_first, -1, 1) * np.sin(angles)) < apart).all()
        )


@dataclass(eq=False)
class _Terms:
    """What elements are sums of: elements of another value times numbers."""

    graph: Graph
    passed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.numbers = Evaluation(self.graph)
        self.moved: dict[Value, Array] = {}  # where each element of a value comes from

    def sources(self, y: Value) -> Iterator[Value]:
        """The tensors that a value may be a sum of elements of, sequences first."""
        found, value, is_scaled = [], y, False
        for _ in range(MOST_STEPS):
            node = self.graph.producer(value)
            before = node.inputs[0] if node.inputs else None
            if node.op_type in ("Mul", "Div") and (factor := self._factor(value)) is not None:
                value, is_scaled = factor[0], True
            elif before is not None and node.op_type in (MOVES if is_scaled else MOVES | SUMS):
                value = before
            else:
                break
            if is_scaled and value.type.rank in (3, 4):
                found.append(value)
        found.reverse()
        return iter(sorted(found, key=lambda x: (x.type.rank, x.shape != y.shape)))

    def _factor(self, value: Value) -> tuple[Value, Value, bool] | None:
        """What is multiplied or divided by numbers, these, and whether it is divided."""
        node = self.graph.producer(value)
        a, b = present(node.inputs)
        divides = node.op_type == "Div"
        if self.numbers.is_known(b) and not self.numbers.is_known(a):
            return a, b, divides
        if not divides and self.numbers.is_known(a) and not self.numbers.is_known(b):
            return b, a, False
        return None

    def pair(self, y: Value, x: Value, index: Array, own: Array) -> tuple[Array, ...]:
        """Of some elements of y, each the sum of its own and another one of x.

        Returns:
            Their own places, those of the others, and what both are multiplied by.

        Raises:
            NoMatch: They are other sums.
        """
        places, factors = self._of(y, x, index)
        is_own = places == own
        others = np.where(is_own, -1, places)
        counted = np.where(factors == 0, -1, others)  # a sine may be zero
        other = np.where(counted.max(0) < 0, others.max(0), counted.max(0))
        if not is_own.any(0).all() or ((counted != other) & (counted >= 0)).any():
            raise NoMatch
        cosine, sine = ((factors * each).sum(0) for each in (is_own, ~is_own))
        return own, other, cosine, sine

    def _of(self, y: Value, x: Value, index: Array) -> tuple[Array, Array]:
        """For some elements the places of what they are sums of, and the factors: (terms, n)."""
        if y == x:
            return index[None], np.ones((1, len(index)))
        node = self.graph.producer(y)
        self.passed.add(y.node)
        first = node.inputs[0] if node.inputs else None
        if first is None:
            raise NoMatch
        if node.op_type in MOVES:
            if y not in self.moved:
                whole = natural(extents(first.shape))
                self.moved[y] = move(self.graph, y, whole).ravel()
            return self._of(first, x, self.moved[y][index])
        if node.op_type == "Neg":
            places, factors = self._of(first, x, index)
            return places, -factors
        if node.op_type in ("Add", "Sub"):
            second = node.input(1)
            sign = 1.0 if node.op_type == "Add" else -1.0
            if not first.type.rank == second.type.rank == y.type.rank:
                raise NoMatch
            a, b = self._of(first, x, index), self._of(second, x, index)
            return np.concatenate([a[0], b[0]]), np.concatenate([a[1], sign * b[1]])
        if node.op_type == "Concat":
            return self._beside_each_other(y, x, index)
        factor = self._factor(y) if node.op_type in ("Mul", "Div") else None
        if factor is None:
            raise NoMatch
        value, numbers, divides = factor
        if extents(value.shape) != extents(y.shape):
            raise NoMatch
        places, factors = self._of(value, x, index)
        held = np.broadcast_to(self.numbers.of(numbers), extents(y.shape))
        taken = held[np.unravel_index(index, held.shape)]
        return places, factors / taken if divides else factors * taken

    def _beside_each_other(self, y: Value, x: Value, index: Array) -> tuple[Array, Array]:
        node = self.graph.producer(y)
        parts = [part for part in node.inputs if part is not None]
        axis = node.attributes["axis"] % y.type.rank
        coordinates = np.unravel_index(index, extents(y.shape))
        start, found = 0, []
        for part in parts:
            shape = extents(part.shape)
            chosen = (coordinates[axis] >= start) & (coordinates[axis] < start + shape[axis])
            local = [c[chosen] for c in coordinates]
            local[axis] = local[axis] - start
            start += shape[axis]
            if chosen.any():
                found.append((chosen, *self._of(part, x, np.ravel_multi_index(local, shape))))
        terms = max(len(places) for _, places, _ in found)
        whole = np.zeros((terms, len(index)), np.int64), np.zeros((terms, len(index)))
        for chosen, places, factors in found:
            whole[0][: len(places), chosen] = places
            whole[1][: len(places), chosen] = factors
        return whole


SUMS = frozenset({"Add", "Concat", "Neg", "Sub"})
MOST_STEPS = 20  # operators from a rotation to what it rotates
