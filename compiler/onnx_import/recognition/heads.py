"""Sequences that are divided among an attention's heads, recognized by where elements come from."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from ...ir.graph import Value
from .movements import Moved, Places, all_moved, extents, moved, natural
from .trail import RULES, Layout, Match, NoMatch, Trail

# How a sequence may lie as a layer's, and the order of its axes as (N, L, E) or (N, L, heads, D).
IN_ORDER = (0, 1, 2)
SEQUENCES: Mapping[Layout, Layout] = {
    (0, 1, 2): IN_ORDER,
    (0, 2, 1): (0, 2, 1),
    (0, 2, 3, 1): (0, 1, 2, 3),
    (0, 3, 2, 1): (0, 2, 1, 3),
}


@dataclass(frozen=True, slots=True)
class Heads:
    """A sequence, divided among heads, perhaps the result of a dense layer.

    Attributes:
        x: The sequence, or what the dense layer takes.
        dense: The dense layer, if it is one.
        rows: The unit of each feature of the heads, one head after the other.
        shape: Samples, heads, positions, features of a head.
        by_sample: Whether a sample's positions follow each other, or a position's samples.
        factor: What all of it is multiplied by.
        lies: How the sequence lies, where that is its own matter: (N, L, E), (N, E, L), or heads
            apart, (N, L, heads, D) or (N, heads, L, D), as an image of which these are channels.
    """

    x: Value
    dense: Match | None
    rows: tuple[int, ...]
    shape: tuple[int, int, int, int]
    by_sample: tuple[bool, bool]
    factor: float
    lies: Layout | None = None

    def operand(self, trail: Trail) -> tuple[Value, set[Layout]]:
        """The sequence that the layer takes, and how it may lie: (N, L, E) or (L, N, E)."""
        x = self.x
        if self.lies is not None:
            return x, {(0, 1, 2)}
        while x.type.rank != 3:
            x = trail.argument(trail.back(x, "Reshape", "Flatten", "Squeeze", "Unsqueeze"), 0)
        samples, _, length, _ = self.shape
        shape = extents(x.shape)
        possible = {
            (0, 1, 2): self.by_sample[0] and shape[:2] == (samples, length),
            (1, 0, 2): self.by_sample[1] and shape[:2] == (length, samples),
        }
        return x, {layout for layout, holds in possible.items() if holds}


@dataclass(frozen=True, slots=True)
class Part:
    """What is moved from a tensor: its extents, the places in it, and a factor."""

    shape: tuple[int, ...]
    places: Places
    factor: float


def projected_heads(trail: Trail, part: Value, is_transposed: bool) -> Heads:
    """Queries, keys or values as parts of a dense layer's result."""
    found = moved(trail, part)
    taken = Part(extents(found.source.shape), found.places, found.factor)
    return heads_of(
        trail, taken, found.source, dense_layer(trail, found.source), is_transposed=is_transposed
    )


def standing_heads(trail: Trail, part: Value, is_transposed: bool) -> Heads:
    """Queries, keys or values as they are in the first sequence whose features they all are.

    Raises:
        NoMatch: There is none.
    """
    for lies, order in SEQUENCES.items():
        for found in all_moved(trail, part, rank=len(order)):
            if part.type.rank == 4 and found.source.shape[0] != part.shape[0]:
                continue  # heads are samples there
            with suppress(NoMatch):
                taken = _as_sequence(found, order)
                heads = heads_of(trail, taken, found.source, None, is_transposed=is_transposed)
                if heads.rows == tuple(range(len(heads.rows))) and _is_whole(heads, found):
                    trail.passed |= found.passed
                    return replace(heads, lies=None if order == IN_ORDER else lies)
    raise NoMatch


def _as_sequence(found: Moved, order: Layout) -> Part:
    """What is moved from a tensor, as if from a sequence (N, L, E) of its elements."""
    index = natural(extents(found.source.shape)).transpose(order)
    shape = (*index.shape[:2], prod(index.shape[2:]))
    if order == tuple(range(len(order))):
        return Part(shape, found.places, found.factor)
    places = np.empty(index.size, np.int64)
    places[index.ravel()] = natural((index.size,))
    return Part(shape, places[found.places], found.factor)


def _is_whole(heads: Heads, found: Moved) -> bool:
    """Whether heads have all elements of a tensor."""
    samples, _, length, _ = heads.shape
    return samples * length * len(heads.rows) == prod(extents(found.source.shape))


def dense_layer(trail: Trail, y: Value) -> Match:
    """The dense layer that yields a value."""
    trail.need(not y.output)
    for dense in RULES.get(trail.graph.producer(y).op_type, ()):
        if dense.__module__.endswith(".dense"):
            inner = Trail(trail.graph, y.node)
            try:
                found = dense(inner)
            except NoMatch:
                continue
            if found.kind in ("FC", "LINEAR"):
                trail.passed |= inner.passed | {y.node}
                return found
    raise NoMatch


def heads_of(
    trail: Trail, part: Part, x: Value, dense: Match | None, *, is_transposed: bool = False
) -> Heads:
    """Queries, keys or values (..., L, D), or keys (..., D, L), as parts of a sequence.

    `x` is what they are moved from, the result of the dense layer, if there is one.

    Raises:
        NoMatch: They are not what each head takes of it.
    """
    units = part.shape[-1]
    places = part.places.swapaxes(-1, -2) if is_transposed else part.places
    trail.need(places.ndim > 2)
    length, depth = places.shape[-2:]
    samples = prod(part.shape[:-1]) // length
    trail.need(samples and places.size % (samples * length * depth) == 0)
    places = places.reshape(samples, -1, length, depth)
    rows, columns = places // units, places % units
    trail.need((columns == columns[:1, :, :1]).all() and (rows == rows[:, :1, :, :1]).all())
    found = rows[:, 0, :, 0]
    natural = np.arange(samples * length)
    by_sample = (
        bool((found == natural.reshape(samples, length)).all()),
        bool((found == natural.reshape(length, samples).T).all()),
    )
    by_head = columns[0, :, 0]
    shared = len(by_head) // len(np.unique(by_head[:, 0]))
    trail.need((by_head == by_head[::shared].repeat(shared, 0)).all())
    units_of = tuple(by_head[::shared].ravel().tolist())
    trail.need(len(set(units_of)) == len(units_of))
    shape = (samples, places.shape[1], length, depth)
    x = x if dense is None else dense.operands[0]
    return Heads(x, dense, units_of, shape, by_sample, part.factor)
