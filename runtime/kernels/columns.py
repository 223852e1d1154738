"""Row-major images -> what their windows see, copied to the columns of a matrix (im2col)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from ...compiler.ir.windows import Window
from ..kerneldef import Array
from .parts import at, parts, zero_around
from .scratch import scratch

# Columns of a matrix from which on a product is as fast as longer ones; measured.
LONG_ROW = 2048

Extents = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Some windows: all of a few samples, or some rows of one.

    Attributes:
        samples: The samples.
        rows: Which positions on the first axis.
        grid: How many there are on all axes.
    """

    samples: slice
    rows: slice
    grid: Extents

    @property
    def shape(self) -> Extents:
        """Samples, and positions on each axis."""
        rows = self.rows.stop - self.rows.start
        return (self.samples.stop - self.samples.start, rows, *self.grid[1:])

    @property
    def columns(self) -> slice:
        """Where its windows lie among all of a sample."""
        pitch = prod(self.grid[1:])
        return slice(self.rows.start * pitch, self.rows.stop * pitch)


def blocks_of(samples: int, grid: Extents, least: int = 0) -> list[Block]:
    """All windows of a batch, in blocks of about as many as a long row of columns holds.

    A block of several rows or samples is no longer than that, unless `least` samples are more.
    """
    every = slice(0, grid[0])
    if prod(grid) > LONG_ROW and least < 2:
        steps = parts(grid[0], max(1, LONG_ROW // prod(grid[1:])))
        return [Block(slice(n, n + 1), rows, grid) for n in range(samples) for rows in steps]
    step = max(1, least, LONG_ROW // prod(grid))
    return [Block(some, every, grid) for some in parts(samples, step)]


def columns_of(x: Array, window: Window, block: Block) -> Array:
    """What the windows of a block see of x (N, C, *S): scratch (C, taps, n, *positions)."""
    found = scratch("columns", (x.shape[1], prod(window.kernel), *block.shape), x.dtype)
    for tap, seen in enumerate(seen_by_taps(x, window, block)):
        found[:, tap] = seen.swapaxes(0, 1)
    return found


def seen_by_taps(x: Array, window: Window, block: Block) -> Iterator[Array]:
    """What each tap, in row-major order, sees of x (N, C, *S): (n, C, *positions)."""
    images = _padded(x[block.samples], window, block)
    for tap in product(*_places(window, block)):
        yield images[at(..., *tap)]


def _places(window: Window, block: Block) -> list[list[slice]]:
    """Where the taps of each axis see padded images of a block."""
    return [
        [slice(k * d, k * d + (count - 1) * s + 1, s) for k in range(kernel)]
        for kernel, d, s, count in zip(
            window.kernel, window.dilations, window.strides, block.shape[1:], strict=True
        )
    ]


def _padded(x: Array, window: Window, block: Block) -> Array:
    """What a block sees of its samples, with zeros where there is padding."""
    seen, inside, extents = [], [], []
    first = block.rows.start * window.strides[0]
    for axis, count in enumerate(block.shape[1:]):
        start = (first if axis == 0 else 0) - window.before[axis]
        extent = (count - 1) * window.strides[axis] + window.reach[axis]
        begin, end = max(start, 0), min(start + extent, x.shape[2 + axis])
        seen.append(slice(begin, max(begin, end)))
        inside.append(slice(begin - start, max(begin, end) - start))
        extents.append(extent)
    part: Array = x[at(..., *seen)]
    if part.shape[2:] == tuple(extents):
        return part
    padded = scratch("padded", (*x.shape[:2], *extents), x.dtype)
    zero_around(padded, [slice(None), slice(None), *inside])
    padded[at(..., *inside)] = part
    return padded
