"""Arrays whose innermost axis in memory is the batch, and what windows see of them.

In memory such an array (N, C, *S) lies as (*outer axes of S, C, last axis of S, N). Then what a
tap of a window sees from all positions of a row is a matrix as it lies in memory, channels by
positions and samples, and so are all taps of the innermost outer axis together, one below the
other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import gcd, prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window
from ..kerneldef import Array, Part
from .parts import at, parts, zero_around
from .scratch import scratch
from .workers import shares, spread

# From this many positions and samples in a row on, products are as fast as long ones; measured.
WORTHWHILE_ROW = 32
# What is multiplied and added at a time: it stays in the second-level cache.
BLOCK_BYTES = 2**21
# Samples that are turned at a time: their numbers fill a line of the cache.
TURNED = 16

Extents = tuple[int, ...]


def memory_order(rank: int) -> Extents:
    """The axes of an array (N, C, *S) as they lie in memory, outermost first."""
    return (*range(2, rank - 1), 1, rank - 1, 0)


def is_worthwhile(shape: Extents) -> bool:
    """Whether convolutions are fastest where an array of this shape lies like that."""
    return len(shape) > 2 and shape[0] * shape[-1] >= WORTHWHILE_ROW


def batch_innermost(shape: Extents, dtype: "np.dtype[Any]") -> Array:
    """A new array (N, C, *S) whose batch is innermost."""
    return in_order(np.empty(prod(shape), dtype), shape)


def in_order(memory: Array, shape: Extents) -> Array:
    """Memory as an array (N, C, *S) whose batch is innermost."""
    order = memory_order(len(shape))
    return memory.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))


def is_batch_innermost(x: Array) -> bool:
    """Whether an array (N, C, *S) lies in memory like that, and not row-major as well."""
    if x.ndim < 3 or x.flags.c_contiguous:
        return False
    return bool(x.transpose(memory_order(x.ndim)).flags.c_contiguous)


@dataclass(frozen=True, slots=True)
class Axis:
    """How a window moves along an axis."""

    kernel: int
    stride: int
    dilation: int
    before: int
    windows: int

    @property
    def reach(self) -> int:
        """How many padded elements windows see."""
        return (self.windows - 1) * self.stride + (self.kernel - 1) * self.dilation + 1


@lru_cache(maxsize=1_000)
def axes_of(window: Window, windows: Extents) -> tuple[Axis, ...]:
    """How a window moves along each axis, for the given number of windows."""
    fields = zip(
        window.kernel, window.strides, window.dilations, window.before, windows, strict=True
    )
    return tuple(Axis(*each) for each in fields)


@dataclass(frozen=True, slots=True)
class Series:
    """Taps of the last two axes that are equally far from each other in memory.

    Attributes:
        rows, start: How many rows and numbers further than a window the first one sees.
        step: How many numbers further the next one of the last axis does.
        lead: The tap of each axis before these two.
        taps: Which ones of the last axis they are.
    """

    rows: int
    start: int
    step: int
    lead: Extents
    taps: slice


def is_cheaper_beside(channels: int, filters: int, last: Axis) -> bool:
    """Whether copying what each tap of the last axis sees is less work than adding up products."""
    return channels * last.kernel <= filters * (last.kernel - 1)


@lru_cache(maxsize=1_000)
def slabs_of(
    shape: Extents, itemsize: int, axes: tuple[Axis, ...], group: int, filters: int
) -> "Slabs":
    """How windows see an array of a shape; networks call for few, and for each again and again."""
    return Slabs(shape, itemsize, axes, group, filters)


class Slabs:
    """What the taps of windows see of an array (N, C, *S), as matrices.

    Rows are the positions of the outer axes, all in one sequence. A product takes some taps at a
    time, one below the other: those of the last outer axis where rows one after another lie in
    memory like that, and those of the last axis where what they see was copied to channels of its
    own, which pays where channels are few.

    Attributes:
        axes: The axes of the window, with one of a single row before that of a sequence.
        group: Groups of channels.
        filters: What is multiplied with what a group's windows see.
        columns: Positions and samples of a row of windows.
        below: Whether the taps of the last outer axis are taken at a time.
        beside: Whether those of the last axis are.
        each: Rows of a matrix that one tap of the last outer axis takes.
        taps: See `_taps`.
    """

    def __init__(
        self, shape: Extents, itemsize: int, axes: tuple[Axis, ...], group: int, filters: int
    ) -> None:
        self.rank = len(axes)
        if self.rank == 1:
            axes = (Axis(1, 1, 1, 0, 1), *axes)
        self.axes, self.group, self.filters = axes, group, filters
        self.channels, self.batch, self.itemsize = shape[1] // group, shape[0], itemsize
        *outer, last = self.axes
        self.columns = last.windows * self.batch
        self.rows = tuple(axis.reach for axis in outer)
        self.depthwise = self.channels == 1 < group
        self.below = outer[-1].dilation == 1 or self.depthwise
        self.beside = not self.depthwise and is_cheaper_beside(self.channels, filters, last)
        self._copies = last.kernel if self.beside else 1
        self.phases, self.width = last.stride, -(-last.reach // last.stride)
        if self.beside:
            self.phases, self.width = 1, last.windows
        self.pitch = self.phases * self.width * self.batch
        self.each = self.channels * self._copies
        self.apart = 1 if self.depthwise else group
        self.per_row = shape[1] // self.apart * self._copies * self.pitch
        self.taps = self._taps()

    def lay(self, x: Array) -> Array:
        """The padded array as (*outer rows, C, phases * width * N), for `seen`.

        All of that comes after one axis for the groups where these have several channels each.
        """
        if self.rank == 1:
            x = x[:, :, None]
        taps = self._copies
        *outer, last = self.axes
        source = (x if x.strides[0] == x.itemsize else _turned(x)).transpose(memory_order(x.ndim))
        as_it_is = (*self.rows, x.shape[1], last.reach, self.batch)
        padded = any(axis.before for axis in self.axes)
        alone = self.apart == self.phases == taps == 1 and source.shape == as_it_is
        if alone and not padded and source.flags.c_contiguous:
            return source
        channels = x.shape[1] // self.apart
        shape = (self.apart, *self.rows, channels, taps, self.phases, self.width, self.batch)
        laid = scratch("slabs", shape, x.dtype)
        grouped = source.reshape(*source.shape[: len(outer)], self.apart, -1, *source.shape[-2:])
        grouped = np.moveaxis(grouped, len(outer), 0)
        seen, there = [], []
        for axis, extent, rows in zip(outer, source.shape, self.rows, strict=False):
            count = max(min(extent, rows - axis.before), 0)
            seen.append(slice(count))
            there.append(slice(axis.before, axis.before + count))
        zero_around(laid, [slice(None), *there])
        every = slice(None)
        found = grouped[(every, *seen)]
        places = laid[at(every, *there)]
        longest = max(range(found.ndim - 2), key=lambda axis: found.shape[axis])

        def lay(share: slice) -> None:
            some = at(*[every] * longest, share)
            for tap, phase in product(range(taps), range(self.phases)):
                offset = phase + tap * last.dilation - last.before
                _copy(found[some], places[some][..., tap, phase, :, :], offset, last.stride)

        spread(lay, shares(found.shape[longest]), laid.nbytes)
        return laid

    def _taps(self) -> list[tuple[int, int, Extents]]:
        """How many rows and numbers further each product sees, and its tap of each axis.

        Of an axis whose taps are taken at a time that is the first one.
        """
        *outer, last = self.axes
        one = Axis(1, 1, 1, 0, 1)
        split = [*outer[:-1], one] if self.below else outer
        pitches = [prod(self.rows[place + 1 :]) for place in range(len(outer))]
        found = []
        axes = (*split, one if self.beside else last)
        for tap in product(*(range(axis.kernel) for axis in axes)):
            rows = sum(
                k * axis.dilation * pitch
                for k, axis, pitch in zip(tap, outer, pitches, strict=False)
            )
            start, phase = divmod(tap[-1] * last.dilation, self.phases)
            found.append((rows, (phase * self.width + start) * self.batch, tap))
        return found

    def series(self) -> "Iterator[Series]":
        """The taps of depthwise windows, those of one phase of the last axis together."""
        last = self.axes[-1]
        period = self.phases // gcd(self.phases, last.dilation)
        step = last.dilation * period // self.phases * self.batch
        for rows, start, (*lead, _, tap) in self.taps:
            if tap < period:
                yield Series(rows, start, step, tuple(lead), slice(tap, None, period))

    @property
    def height(self) -> int:
        """How many rows of a matrix a product takes."""
        return int(self.each * (self.axes[-2].kernel if self.below else 1))

    @lru_cache(maxsize=1_000)  # noqa: B019 - `slabs_of` keeps them anyway
    def blocks(self, least: int = 1) -> tuple[tuple[int, int, Part], ...]:
        """Rows of windows, some at a time: the first row that they see, their number, and place.

        The place is a part of an array (N, C, *O) of all windows. There are `least` such blocks,
        or a multiple of that, or as many as there are rows.
        """
        return tuple(self._blocks(least))

    def _blocks(self, least: int) -> Iterator[tuple[int, int, Part]]:
        *lead, inner, _ = self.axes
        numbers = (self.filters + self.height) * self.group * self.columns
        outside = prod(axis.windows for axis in lead)
        step = max(1, BLOCK_BYTES // (numbers * self.itemsize))
        count = max(1, -(-inner.windows // step) * outside)
        shared = -(-count // least) * least  # as many for each thread
        step = max(1, -(-inner.windows * outside // shared))
        pitches = [prod(self.rows[place + 1 :]) for place in range(len(lead))]
        for place in product(*(range(axis.windows) for axis in lead)):
            row = sum(
                at * axis.stride * pitch
                for at, axis, pitch in zip(place, lead, pitches, strict=True)
            )
            before = (slice(None), slice(None), *(slice(at, at + 1) for at in place))
            for start in range(0, inner.windows, step):
                stop = min(start + step, inner.windows)
                rows = (slice(start, stop),) if self.rank > 1 else ()
                yield row + start * inner.stride, stop - start, (*before, *rows)

    def seen(self, memory: Array, row: int, count: int, rows: int, start: int) -> Array:
        """What a tap sees from some rows of windows: (count, group, height, columns)."""
        item = self.itemsize
        inner = self.axes[-2]
        between, group = self.pitch, prod(self.rows) * self.per_row
        if self.depthwise:
            group, between = self.pitch, inner.dilation * self.per_row
        return np.ndarray(
            (count, self.group, self.height, self.columns),
            memory.dtype,
            memory,
            ((row + rows) * self.per_row + start) * item,
            (inner.stride * self.per_row * item, group * item, between * item, item),
        )

    def seen_in_series(self, memory: Array, row: int, count: int, series: "Series") -> Array:
        """What a series of depthwise taps sees: (count, group, *taps of two axes, columns)."""
        seen = self.seen(memory, row, count, series.rows, series.start)
        shape = (*seen.shape[:3], len(range(self.axes[-1].kernel)[series.taps]), self.columns)
        strides = (*seen.strides[:3], series.step * self.itemsize, self.itemsize)
        return np.lib.stride_tricks.as_strided(seen, shape, strides)

    def rows_of(self, y: Array, place: Part) -> Array:
        """A part of an array (N, M, *O) of all windows as (rows, group, filters, columns)."""
        part = y[place]
        rows = part.transpose(memory_order(y.ndim))
        return rows.reshape(-1, self.group, y.shape[1] // self.group, self.columns)


def _turned(x: Array) -> Array:
    """A copy whose batch is innermost: of many samples at once, numbers beside share no line."""
    turned = in_order(scratch("turned", (x.size,), x.dtype), x.shape)
    samples = parts(len(x), TURNED)

    def turn(some: slice) -> None:
        turned[some] = x[some]

    spread(turn, samples, x.nbytes)
    return turned


def _copy(x: Array, place: Array, offset: int, stride: int) -> None:
    """Write x's positions offset, offset + stride, ... on the last axis but one, and zeros."""
    first = max(-(offset // stride), 0)
    seen = x[at(..., slice(first * stride + offset, None, stride), slice(None))]
    count = max(min(seen.shape[-2], place.shape[-2] - first), 0)
    place[..., first : first + count, :] = seen[..., :count, :]
    place[..., :first, :] = 0
    place[..., first + count :, :] = 0
