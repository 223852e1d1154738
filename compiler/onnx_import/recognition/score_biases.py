"""What attention adds to its scores and the model stores: biases per relative position, masks."""

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...ir.graph import CONSTANT, PARAMETER, Value
from ...layers.attention_masks import APART, relative_positions
from ...layers.window_partition import Partition
from .movements import Places, all_moved, extents, moved
from .trail import Label, NoMatch, Stack, Trail, Weight
from .windows import MOST_STEPS, windows_of

Array = np.ndarray[Any, Any]
TABLE = "relative_position_bias_table"


@dataclass(frozen=True, slots=True)
class ScoreBias:
    """A stored tensor that is added to scores.

    Attributes:
        source: What is stored.
        places: For each element of what is added, its place in that.
        numbers: The elements.
        by_window: Whether there is one for each window.
        passed: The operators from what is stored to what is added.
    """

    source: Value
    places: Places
    numbers: Array
    by_window: bool
    passed: frozenset[int]


def score_bias(trail: Trail, value: Value, rank: int) -> ScoreBias | None:
    """What a value is of a stored tensor; None where it is computed.

    Args:
        trail: The way back.
        value: What is added.
        rank: How many axes the scores have: five where windows have an axis.
    """
    found = moved(way := Trail(trail.graph, trail.last), value, of_weights=True)
    node = trail.graph.producer(found.source)
    if node.op_type not in (PARAMETER, CONSTANT) or found.factor != 1:
        return None
    if node.op_type == CONSTANT:
        stored = np.array(trail.tensor(found.source).numbers() or ())
    else:
        stored = np.asarray(node.attributes["literal"])
    numbers, passed = stored.ravel()[found.places], frozenset(way.passed)
    return ScoreBias(found.source, found.places, numbers, rank == 5, passed)


def explain(
    trail: Trail, bias: ScoreBias, x: Value, shape: tuple[int, int, int], keys: int
) -> tuple[dict[str, Any], dict[str, Stack]]:
    """The arguments and the weights of an `ATTENTION` that adds it.

    Args:
        trail: The way back.
        bias: What is added.
        x: The queries.
        shape: Heads, queries, and samples.
        keys: The number of keys.

    Raises:
        NoMatch: It is no function of relative positions, or no mask of shifted windows.
    """
    heads, length, _ = shape
    partition = _partition(trail, x)
    if not bias.by_window:
        return {"relative": True}, {TABLE: _table(bias, partition, heads, length, keys)}
    if partition is None:
        raise NoMatch
    regions = np.array(partition.regions())
    apart = np.where(regions[:, :, None] == regions[:, None, :], 0.0, APART)
    if bias.numbers.size != apart.size or (bias.numbers.ravel() != apart.ravel()).any():
        raise NoMatch
    return {"mask": "shifted"}, {}


def named_table(
    trail: Trail, value: Value, x: Value, heads: int, length: int, keys: int
) -> Label | None:
    """What holds the bias of each relative position and head (1, positions, heads), computed.

    Args:
        trail: The way back.
        value: What is added to the scores.
        x: The queries.
        heads: How many heads there are.
        length: How many queries.
        keys: How many keys.
    """
    way = Trail(trail.graph, trail.last)
    count, rows, columns = relative_positions(_partition(trail, x), length, keys)
    for found in all_moved(way, value, rank=3):
        if found.source.shape != (1, count, heads) or found.factor != 1:
            continue
        index = np.subtract.outer(rows, columns).ravel()
        wanted = index * heads + np.arange(heads)[:, None]
        if np.array_equal(found.places.ravel(), wanted.ravel()):
            trail.passed |= found.passed
            return Label(found.source)
    return None


def _partition(trail: Trail, x: Value) -> Partition | None:
    """How the image is cut whose windows a sequence comes from, as the layer states it."""
    pending, seen = deque([x]), {x.node}
    while pending and len(seen) < MOST_STEPS:
        value = pending.popleft()
        with suppress(NoMatch):
            return windows_of(Trail(trail.graph, trail.last), value).partition
        for before in trail.graph.producer(value).inputs:
            if before is not None and before.node not in seen and before.shape[:1] == x.shape[:1]:
                seen.add(before.node)
                pending.append(before)
    return None


def _table(
    bias: ScoreBias, partition: Partition | None, heads: int, length: int, keys: int
) -> Stack:
    """The bias of each relative position and head."""
    if bias.places.size != heads * length * keys or bias.source.dtype.is_float is False:
        raise NoMatch
    count, rows, columns = relative_positions(partition, length, keys)
    index = np.subtract.outer(rows, columns).ravel()
    numbers, places = (array.reshape(heads, -1) for array in (bias.numbers, bias.places))
    distinct, first = np.unique(index, return_index=True)
    if len(distinct) != count or (numbers != numbers[:, first[index]]).any():
        raise NoMatch
    taken = places[:, first].T.ravel()
    if len(np.unique(taken)) < len(taken):  # it is made of fewer numbers
        raise NoMatch
    elements = Weight(bias.source, shape=(prod(extents(bias.source.shape)), 1))
    return Stack(((elements, tuple(taken.tolist())),))
