"""Samples as lines: rows one after another, so that every tap of a window sees one long view.

Between rows lie as many zeros as taps reach beyond them; a tap that is shifted by some rows and
columns is the same line from another place on, and needs no copy. What it yields at the zeros
belongs to no window, and is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..kerneldef import Array

Extents = tuple[int, ...]
Shifts = Sequence[Sequence[int]]

# So many products cost what a copied number does; measured.
PRODUCTS_PER_COPY = 64


@dataclass(frozen=True, slots=True)
class Lines:
    """How samples lie in a line, for taps that are shifted by `shifts` on each axis.

    Attributes:
        seen: The data's extents, as far as any shift sees them.
        windows: How many windows there are on each axis.
        padded: The extents with the zeros after them, of data and of windows alike.
        lead: Where the first element of data lies.
        tail: How far the line of data reaches beyond that of windows.
        offsets: Where a shift of the outer axes starts, for all of them in row-major order.
        last: Where a shift of the last axis starts.
    """

    seen: Extents
    windows: Extents
    padded: Extents
    lead: int
    tail: int
    offsets: Extents
    last: Extents

    @property
    def pitch(self) -> int:
        """Elements from one sample to the next."""
        return prod(self.padded)

    def are_worthwhile(self, channels: int, filters: int, *, summed: bool) -> bool:
        """Whether they are less work than copying what each tap sees, for all products at once.

        Against that stand products at the zeros and, where the outer axes' products are `summed`
        up in memory, these sums, at half the cost of a copy.
        """
        rows, columns = len(self.offsets), len(self.last)
        windows = prod(self.windows)
        spared = channels * (rows * columns * windows - columns * self.pitch)
        sums = filters * (rows - 1) * self.pitch // 2 if summed else 0
        wasted = channels * filters * rows * columns * (self.pitch - windows)
        return wasted <= PRODUCTS_PER_COPY * (spared - sums)


def lines_of(spatial: Extents, windows: Extents, shifts: Shifts) -> Lines:
    """Lines with so many zeros that no shift sees another row's data."""
    seen, padded, leads = [], [], []
    for extent, count, moves in zip(spatial, windows, shifts, strict=True):
        lead, reach = max(-min(moves), 0), count + max(moves)
        seen.append(max(min(extent, reach), 1))
        padded.append(max(seen[-1] + lead, reach, count))
        leads.append(lead)
    pitches = [prod(padded[axis + 1 :]) for axis in range(len(padded))]
    starts = [
        [(lead + move) * pitch for move in moves]
        for lead, moves, pitch in zip(leads, shifts, pitches, strict=True)
    ]
    lead = sum(lead * pitch for lead, pitch in zip(leads, pitches, strict=True))
    return Lines(
        seen=tuple(seen),
        windows=tuple(windows),
        padded=tuple(padded),
        lead=lead,
        tail=max(lead, sum(max(line) for line in starts)),
        offsets=tuple(map(sum, product(*starts[:-1]))),
        last=tuple(starts[-1]),
    )


class Stack:
    """Memory for the lines of a few samples, the last axis's shifts stacked as channels.

    So a matrix product takes all taps of a row at once. The zeros are written once.
    """

    def __init__(self, lines: Lines, samples: int, groups: int, channels: int, dtype: Any) -> None:
        self.lines, self.samples = lines, samples
        self.length = samples * lines.pitch
        self.width = self.length + lines.tail - max(lines.last)
        self.line = np.zeros((groups, channels, self.length + lines.tail), dtype)
        self.rows = np.empty((groups, len(lines.last), channels, self.width), dtype)

    def fill(self, x: Array) -> Array:
        """X (n, groups * channels, *S) as (groups, shifts * channels, positions)."""
        groups, channels = x.shape[1] // self.line.shape[1], self.line.shape[1]
        line, rows = self.line[:groups], self.rows[:groups]
        place = line[:, :, self.lines.lead : self.lines.lead + self.length]
        write(place, self.samples, self.lines.padded, x, self.lines.seen)
        for number, start in enumerate(self.lines.last):
            rows[:, number] = line[:, :, start : start + self.width]
        return rows.reshape(groups, len(self.lines.last) * channels, self.width)

    def views(self, rows: Array) -> list[Array]:
        """What the taps of each row see from all positions, given what `fill` returned."""
        return [rows[:, :, start : start + self.length] for start in self.lines.offsets]


def write(target: Array, samples: int, padded: Extents, data: Array, extents: Extents) -> None:
    """Write data (n, groups * channels, *S), cropped to extents, into lines (groups, channels, :).

    Samples that are missing count as zeros.
    """
    groups, channels = target.shape[:2]
    count, axes = len(data), range(3, 3 + len(extents))
    place = target.reshape(groups, channels, samples, *padded)
    inside: Any = (slice(None), slice(None), slice(count), *map(slice, extents))
    visible: Any = (..., *map(slice, extents))
    parts = data.reshape(count, groups, channels, *data.shape[2:])[visible]
    place[inside] = parts.transpose(1, 2, 0, *axes)
    if count < samples:
        place[:, :, count:] = 0
