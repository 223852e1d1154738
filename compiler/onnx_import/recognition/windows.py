"""Images in windows, and back, recognized by where each element comes from."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from ...ir.graph import PARAMETER, Value
from ...layers.window_partition import Partition
from .movements import Places, all_moved, extents, moved, roll_of
from .trail import Match, NoMatch, Trail, identity, rule, with_channels_on


@dataclass(frozen=True, slots=True)
class Windows:
    """An image in windows as sequences.

    Attributes:
        image: The image.
        partition: How it is cut.
        channels: Its axis of channels.
    """

    image: Value
    partition: Partition
    channels: int


@rule("Reshape", first=True)
def window(trail: Trail) -> Match:
    """`WINDOW`: parts of an image, perhaps rolled, as sequences of as many samples.

    An image that is one window itself is one where positions differ by their place in it.
    """
    value = Value(trail.last, 0, trail.node.outputs[0])
    found = windows_of(trail, value)
    trail.need(max(found.partition.counts) > 1 or _has_positions(trail, value))
    return _match("WINDOW", found.image, found, identity(3))


@rule("Concat", "Reshape", first=True)
def unwindow(trail: Trail) -> Match:
    """`UNWINDOW`: an image of the sequences that its windows are."""
    value = Value(trail.last, 0, trail.node.outputs[0])
    trail.need(value.type.rank == 4)
    joined = moved(trail, value, keeps_heads=True)
    source = joined.source
    trail.need(source.type.rank == 3 and joined.factor == 1 and joined.places.size)
    places = np.argsort(joined.places, axis=None).reshape(extents(source.shape))
    trail.need((joined.places.ravel()[places.ravel()] == np.arange(places.size)).all())
    found = _windows(value, places)
    return _match("UNWINDOW", source, found, with_channels_on(4, found.channels), {})


def _match(
    kind: str,
    x: Value,
    found: Windows,
    result: tuple[int, ...],
    arguments: dict[str, Any] | None = None,
) -> Match:
    size, shift = found.partition.size, found.partition.shift
    if arguments is None:
        arguments = {"size": size, **({"shift": shift} if any(shift) else {})}
    rank = x.type.rank
    layout = with_channels_on(rank, found.channels if rank == 4 else 2)
    return Match(kind, (x,), arguments, layout=layout, result=result)


def windows_of(trail: Trail, value: Value) -> Windows:
    """The windows that a value (N windows, positions, C) is of an image.

    Raises:
        NoMatch: It is none.
    """
    trail.need(value.type.rank == 3)
    way = Trail(trail.graph, trail.last)
    for cut in chain((moved(way, value),), all_moved(way, value, rank=4)):
        if cut.source.type.rank == 4 and cut.factor == 1 and cut.places.size:
            own = cut.passed | {value.node}
            if any(set(trail.graph.readers(i)) - own for i in own - {value.node}):
                continue  # others read the image as well
            with suppress(NoMatch):
                found = _windows(cut.source, cut.places)
                trail.passed |= cut.passed
                return found
    raise NoMatch


def _windows(image: Value, places: Places) -> Windows:
    """The windows of an image whose elements are at these places, (N windows, positions, C)."""
    whole = extents(image.shape)
    if places.size != np.prod(whole):
        raise NoMatch
    for channels in (3, 1):
        if whole[channels] == places.shape[2]:
            natural = np.moveaxis(np.arange(places.size).reshape(whole), channels, 3)
            first = np.unravel_index(places[0, :, 0], whole)
            partition = _partition(natural, places, first, channels)
            if partition is not None:
                return Windows(image, partition, channels)
    raise NoMatch


MOST_STEPS = 120  # operators from a sequence to the scores of its attention


def _has_positions(trail: Trail, x: Value) -> bool:
    """Whether what is stored is added to scores of a sequence's positions."""
    pending, seen = deque([x.node]), {x.node}
    while pending and len(seen) < MOST_STEPS:
        for reader in trail.graph.readers(pending.popleft()):
            node = trail.graph[reader]
            shape = (x.shape[1],) * 2
            if node.op_type == "Add" and node.outputs[0].shape[-2:] == shape:
                return any(v is not None and _is_bias(trail, v) for v in node.inputs)
            if reader not in seen:
                seen.add(reader)
                pending.append(reader)
    return False


def _is_bias(trail: Trail, value: Value) -> bool:
    """Whether what is added to scores is one number per head and relative position."""
    if value.type.rank > 2 and value.shape[-3] != 1 and value.shape[:-3] in ((), (1,)):
        return True
    source = moved(Trail(trail.graph, trail.last), value, of_weights=True).source
    return trail.is_by(source, PARAMETER)


def _partition(
    image: Places, places: Places, first: tuple[Places, ...], channels: int
) -> Partition | None:
    """How an image (N, H, W, C) is cut into windows.

    `first` are the coordinates of the first window's positions in the model's image, whose axis
    of channels is given.
    """
    size_of, positions = image.shape[1:3], places.shape[1]
    row, column = (each for axis, each in enumerate(first) if axis not in (0, channels))
    width = int(np.argmax(row != row[0])) or positions
    size, shift = (positions // width, width), (int(row[0]), int(column[0]))
    if (
        positions % width
        or min(size) < 2
        or any(e % s or b >= s for e, s, b in zip(size_of, size, shift, strict=True))
    ):
        return None
    found = Partition(size_of, size, shift, False)
    if found.rolls != shift:
        return None
    return found if (_cut(image, found.counts, size, shift) == places).all() else None


def _cut(image: Places, counts: Sequence[int], size: Sequence[int], shift: Sequence[int]) -> Places:
    """What a `WINDOW` makes of an image (N, H, W, C)."""
    rolled = np.roll(image, [-by for by in shift], (1, 2))
    samples, channels = image.shape[0], image.shape[3]
    split = rolled.reshape(samples, counts[0], size[0], counts[1], size[1], channels)
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(-1, size[0] * size[1], channels)


@rule("Concat", first=True)
def roll(trail: Trail) -> Match:
    """`ROLL`: the two parts of an axis, exchanged."""
    x, shift, axis = roll_of(trail, trail.node)
    return Match("ROLL", (x,), {"shift": shift}, axis=(axis,))
