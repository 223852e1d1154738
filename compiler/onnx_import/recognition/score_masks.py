"""What attention adds to its scores, or puts in their place -> a causal mask, and a label."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ...ir.graph import CONSTANT, Node, Value
from ...ir.types import DType
from .movements import MOST_ELEMENTS, Places, extents, moved
from .trail import SHAPING, Label, NoMatch, Trail

LOWEST = -1e4  # what exporters of old models add to the scores of masked keys, or less
Array = np.ndarray[Any, Any]
Shape = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """A tensor as the scores see it.

    Attributes:
        value: The tensor.
        places: For each element of the scores, as far as they differ, its place in the tensor.
    """

    value: Value
    places: Places

    def part(self, value: Value) -> "Seen":
        """An operand of the operator that yields it element by element."""
        given = extents(value.shape)
        spread = np.broadcast_to(np.arange(prod(given)).reshape(given), extents(self.value.shape))
        return Seen(value, spread.ravel()[self.places])


def seen(value: Value, scores: tuple[int, ...], shape: Shape) -> Seen:
    """A tensor that is broadcast to scores, of which heads may be samples.

    Args:
        value: The tensor.
        scores: The extents of the scores that an operator adds it to.
        shape: Those of the scores as samples, heads, queries and keys.

    Raises:
        NoMatch: The scores lie otherwise, or there are too many.
    """
    given = extents(value.shape)
    given = (1,) * (len(scores) - len(given)) + given
    if prod(given) > MOST_ELEMENTS:
        raise NoMatch
    index = np.arange(prod(given)).reshape(given)
    if scores == shape:
        return Seen(value, index)
    if scores != (shape[0] * shape[1], *shape[2:]):
        raise NoMatch
    return Seen(value, index.reshape(*(shape[:2] if given[0] > 1 else (1, 1)), *given[1:]))


@dataclass(slots=True)
class Masks:
    """What keeps keys apart from queries.

    Operators that make masks are no part of a layer: other layers may read them, too.

    Attributes:
        trail: The way back.
        shape: The extents of the scores: samples, heads, queries, keys.
        causal: Whether each position attends to the keys up to its own.
        labels: What says which keys a position attends to, or is added.
    """

    trail: Trail
    shape: Shape
    causal: bool = False
    labels: list[Label] = field(default_factory=list)

    def add(self, mask: Seen) -> None:
        """Note numbers that are added to the scores.

        Raises:
            NoMatch: They are no tensor that a layer could name.
        """
        causal, count = self.causal, len(self.labels)
        try:
            self._sum(mask)
            self.trail.need(len(self.labels) < 2)
        except NoMatch:
            self.causal = causal
            del self.labels[count:]
            self.trail.need(self._fits(mask) and not self.trail.is_stored(mask.value))
            self.labels.append(Label(mask.value))

    def keep(self, mask: Seen, holds: bool, named: Label | None = None) -> None:
        """Note the keys that are kept where a tensor is not zero, or else where it is.

        Args:
            mask: The tensor.
            holds: Whether keys are kept where it is not zero.
            named: What a layer could name for the whole condition.

        Raises:
            NoMatch: There is nothing that a layer could name.
        """
        named = self._label(mask, holds) or named
        mask, _ = self._origin(mask)
        named = self._label(mask, holds) or named
        node = self.trail.graph.producer(mask.value)
        if node.op_type == CONSTANT:
            self._note(self._numbers(mask).astype(bool) == holds)
        elif node.op_type == "Not":
            self.keep(mask.part(self.trail.argument(node, 0)), not holds, named)
        elif node.op_type == ("And" if holds else "Or"):
            for place in range(2):
                self.keep(mask.part(self.trail.argument(node, place)), holds)
        elif (found := self._nonzero(mask.value, node)) is not None:
            x, is_same = found
            self.keep(mask.part(x), holds == is_same, named)
        elif self._is_triangle(mask, node, holds) or self._is_corner(mask, holds):
            self.causal = True
        elif named is None:
            raise NoMatch
        elif named not in self.labels:
            self.labels.append(named)

    def _sum(self, mask: Seen) -> None:
        """Note the terms of what is added: zeros, low numbers, and both by a condition."""
        mask, factor = self._origin(mask)
        trail, node = self.trail, self.trail.graph.producer(mask.value)
        if node.op_type == CONSTANT:
            numbers = factor * self._numbers(mask)
            trail.need(is_mask(numbers))
            self._note(numbers == 0)
        elif node.op_type == "Add" and factor == 1:
            for place in range(2):
                self._sum(mask.part(trail.argument(node, place)))
        elif node.op_type == "Where" and factor == 1:
            self._choice(mask, node)
        elif node.op_type in ("Cast", "Sub") and factor <= LOWEST:
            self.keep(mask, holds=False)  # of ones and zeros, by convention
        elif node.op_type == "Trilu" and is_low(trail, trail.argument(node, 0)):
            trail.need(self._is_triangle(mask, node, holds=False))
            self.causal = True
        else:
            trail.need(uniform(trail, mask.value) == 0)

    def _choice(self, mask: Seen, node: Node) -> None:
        """Note a low number where something holds, and elsewhere another mask."""
        condition, yes, no = self.trail.arguments(node, 3)
        keeps = is_low(self.trail, no)
        self.trail.need(keeps or is_low(self.trail, yes))
        rest = yes if keeps else no
        self.keep(mask.part(condition), keeps)
        if keeps or not self._is_of(condition, rest):
            self._sum(mask.part(rest))

    def _is_of(self, condition: Value, numbers: Value) -> bool:
        """Whether a condition is that numbers are not zero."""
        while condition != numbers and self.trail.is_by(condition, "Cast"):
            condition = self.trail.argument(self.trail.graph.producer(condition), 0)
        return condition == numbers

    def _nonzero(self, value: Value, node: Node) -> tuple[Value, bool] | None:
        """What is zero where a tensor is, and True; or what is zero where it is not, and False."""
        trail = self.trail
        if node.op_type == "Cast":
            x = trail.argument(node, 0)
            is_kept = not x.dtype.is_float or value.dtype.is_float or value.dtype is DType.BOOL
            return (x, True) if is_kept else None
        if node.op_type not in ("Equal", "Sub"):
            return None
        a, b = trail.arguments(node, 2)
        if node.op_type == "Sub":  # of ones and zeros
            cast = trail.graph.producer(b)
            is_truth = cast.op_type == "Cast" and not trail.argument(cast, 0).dtype.is_float
            return (b, False) if trail.is_number(a, 1) and is_truth else None
        others = [x for x, zero in ((a, b), (b, a)) if uniform(trail, zero) == 0]
        return (others[0], False) if others else None

    def _origin(self, mask: Seen) -> tuple[Seen, float]:
        """What a tensor is moved from, and what it is multiplied by."""
        try:
            found = moved(Trail(self.trail.graph, self.trail.last), mask.value)
        except NoMatch:  # it is cut to extents that are computed
            return mask, 1.0
        return Seen(found.source, found.places.ravel()[mask.places]), found.factor

    def _numbers(self, mask: Seen) -> Array:
        """What a constant holds for the scores."""
        tensor = self.trail.tensor(mask.value)
        self.trail.need(tensor.size <= MOST_ELEMENTS)
        return np.array(tensor.numbers() or ()).ravel()[mask.places]

    def _note(self, kept: Array) -> None:
        """Note a stored mask, which keeps all keys, or those up to a position's own.

        Raises:
            NoMatch: It keeps others.
        """
        if kept.all():
            return
        square = self.shape[-2:]
        self.trail.need(kept.shape[-2:] == square)
        self.trail.need((kept == np.tri(*square, dtype=np.bool_)).all())
        self.causal = True

    def _is_triangle(self, mask: Seen, node: Node, holds: bool) -> bool:
        """Whether it is the triangle of the keys up to each position, or of those after it."""
        if node.op_type != "Trilu" or mask.places.shape[-2:] != self.shape[-2:]:
            return False
        shift = node.optional(1)
        place = 0 if shift is None else self.trail.number(shift)
        if (bool(node.attributes["upper"]), place) != ((False, 0) if holds else (True, 1)):
            return False
        number = uniform(self.trail, self.trail.argument(node, 0))
        square = np.arange(prod(self.shape[-2:])).reshape(self.shape[-2:])
        return number not in (None, 0) and bool((mask.places % square.size == square).all())

    def _is_corner(self, mask: Seen, holds: bool) -> bool:
        """Whether it is as much of a stored mask as there are positions, from the first one on."""
        trail, value = self.trail, mask.value
        while trail.is_by(value, "Slice"):
            node = trail.graph.producer(value)
            trail.need(uniform(trail, trail.argument(node, 1)) == 0)
            trail.need(len(node.inputs) < 5 or uniform(trail, trail.argument(node, 4)) == 1)
            value = trail.argument(node, 0)
        if value == mask.value or not trail.is_by(value, CONSTANT):
            return False
        held = trail.tensor(value)
        if held.size != prod(held.shape[-2:]) or held.size > MOST_ELEMENTS:
            return False
        kept = np.reshape(held.numbers() or (), held.shape[-2:]).astype(bool) == holds
        return bool((kept == np.tri(*kept.shape, dtype=np.bool_)).all())

    def _label(self, mask: Seen, holds: bool) -> Label | None:
        """Truth values or whole numbers as a layer names them; None where it cannot."""
        is_truth = mask.value.dtype is DType.BOOL
        if mask.value.dtype.is_float or not (is_truth or holds):
            return None
        if self.trail.is_stored(mask.value) or not self._fits(mask):
            return None
        return Label(mask.value, is_inverse=not holds)

    def _fits(self, mask: Seen) -> bool:
        """Whether a layer sees a tensor as the scores do: as (N, S), (N, L, S) or all four axes."""
        given = extents(mask.value.shape)
        axes = {2: (1, 2), 3: (1,), 4: ()}.get(len(given))
        if axes is None:
            return False
        index = np.expand_dims(np.arange(prod(given)).reshape(given), axes)
        if any(a not in (1, b) for a, b in zip(index.shape, self.shape, strict=True)):
            return False
        same, places = np.broadcast_arrays(index, mask.places)
        return bool((same == places).all())


def is_mask(numbers: Array) -> bool:
    """Whether numbers that are added to scores change nothing, or mask."""
    return bool(((numbers == 0) | (numbers <= LOWEST)).all())


def is_low(trail: Trail, value: Value) -> bool:
    """Whether a tensor holds nothing but a number that no score outweighs."""
    number = uniform(trail, value)
    return number is not None and number <= LOWEST


def uniform(trail: Trail, value: Value) -> float | None:
    """The one number that a tensor holds everywhere, whatever its extents; None of others."""
    while trail.is_by(value, "Expand", *SHAPING):
        value = trail.argument(trail.graph.producer(value), 0)
    node = trail.graph.producer(value)
    if node.op_type not in (CONSTANT, "ConstantOfShape"):
        return None
    held = node.attributes["value"]
    if held is None:
        return 0.0
    numbers = set(held.numbers() or ()) if held.size <= MOST_ELEMENTS else ()
    return float(min(numbers)) if len(numbers) == 1 else None
