"""The gradient of a convolution with respect to its weight: products of lines of samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, kernel
from .batch_innermost import weight_gradient
from .lines import Extents, Lines, Shifts, Stack, lines_of, write
from .products import SMALL, correlate
from .slabs import axes_of, is_batch_innermost

# Scratch memory for what is multiplied at a time: it stays in the second-level cache.
SCRATCH_BYTES = 2**18
# From this length on a product of one sample is worth being taken separately; measured.
LONG_PRODUCT = 128


@kernel("netc.ConvWeightGrad", out=True, spreads=True)
def conv_weight_grad(
    x: Array, dy: Array, *, group: int, out: Array | None = None, **attributes: Any
) -> Array:
    """X (N, C, *S), dy (N, M, *O) => dw (M, C / group, *K).

    With a stride of s, each tap sees one of the s phases x[i::s], which is a convolution of
    stride 1 with the taps that see it.
    """
    window = window_of(attributes)
    channels = x.shape[1] // group
    dw = np.empty((dy.shape[1], channels, *window.kernel), x.dtype) if out is None else out
    if is_batch_innermost(dy) and x.size:
        weight_gradient(x, dy, dw, axes_of(window, dy.shape[2:]), group)
        return dw
    dw[...] = 0
    if not x.size or not dy.size:
        return dw
    alone = set(window.kernel) == {1} and not any(window.pads)
    if alone and x.shape[2:] == dy.shape[2:] and prod(x.shape[2:]) >= LONG_PRODUCT:
        left, right = (a.reshape(len(a), group, a.shape[1] // group, -1) for a in (dy, x))
        correlate(left, right, dw.reshape(group, -1, channels))
        return dw
    axes = [_phases(window, axis) for axis in range(window.rank)]
    for phase in product(*axes):
        strided = zip(phase, window.strides, strict=True)
        start: Any = (..., *(slice(p.start, None, stride) for p, stride in strided))
        taps: Any = (..., *(p.taps for p in phase))
        part = x[start]
        if part.size:
            dw[taps] = _correlated(part, dy, [p.shifts for p in phase], group)
    return dw


@dataclass(frozen=True, slots=True)
class _Phase:
    """The taps of an axis that see x[start::stride], and how far each is shifted in that."""

    start: int
    taps: slice
    shifts: Sequence[int]


def _phases(window: Window, axis: int) -> Iterator[_Phase]:
    stride, dilation = window.strides[axis], window.dilations[axis]
    offsets = [k * dilation - window.before[axis] for k in range(window.kernel[axis])]
    period = stride // np.gcd(stride, dilation)
    for first in range(min(period, len(offsets))):
        taps = slice(first, None, period)
        yield _Phase(offsets[first] % stride, taps, [o // stride for o in offsets[taps]])


def _correlated(x: Array, dy: Array, shifts: Shifts, group: int) -> Array:
    """Sum dy[o] x[o + shift] over samples and positions => (M, C / group, *numbers of shifts)."""
    lines = lines_of(x.shape[2:], dy.shape[2:], shifts)
    sizes = x.shape[1] // group, dy.shape[1] // group
    sum_up = _by_lines if lines.are_worthwhile(*sizes, summed=False) else _by_windows
    counts = tuple(map(len, shifts))
    total = sum_up(x, dy, lines, shifts, group)
    result = total.reshape(*counts[:-1], dy.shape[1], counts[-1], x.shape[1] // group)
    rank = len(counts)
    return result.transpose(rank - 1, rank + 1, *range(rank - 1), rank)


def _by_lines(x: Array, dy: Array, lines: Lines, shifts: Shifts, group: int) -> Array:
    """A matrix product per shift of the outer axes => (those, group, M, shifts of the last * C)."""
    batch, channels, filters = len(x), x.shape[1] // group, dy.shape[1] // group
    stacked = len(lines.last) * channels
    size = lines.pitch * stacked * x.itemsize
    groups = max(1, min(group, SCRATCH_BYTES // (size * batch)))
    samples = max(1, min(batch, SCRATCH_BYTES // (size * groups)))
    small = SMALL // (filters * stacked * lines.pitch)
    samples = min(samples, small) if small > 1 else samples
    stack = Stack(lines, samples, groups, channels, x.dtype)
    gradients = np.zeros((groups, filters, stack.length), x.dtype)
    total = np.zeros((len(lines.offsets), group, filters, stacked), x.dtype)
    for start, first in product(range(0, group, groups), range(0, batch, samples)):
        stop = min(start + groups, group)
        block = slice(first, first + samples)
        left = gradients[: stop - start]
        part = dy[block, start * filters : stop * filters]
        write(left, samples, lines.padded, part, lines.windows)
        rows = stack.fill(x[block, start * channels : stop * channels])
        for tap, seen in enumerate(stack.views(rows)):
            correlate(left[None], seen[None], total[tap, start:stop])
    return total


def _by_windows(x: Array, dy: Array, lines: Lines, shifts: Shifts, group: int) -> Array:
    """The same by copying what each shift sees, for few windows among many zeros."""
    batch, channels, filters = len(x), x.shape[1] // group, dy.shape[1] // group
    taps, counts = len(lines.offsets) * len(lines.last), lines.windows
    size = prod(counts) * taps * x.shape[1] * x.itemsize
    samples = max(1, min(batch, SCRATCH_BYTES // size))
    columns = np.zeros((group, taps, channels, samples, *counts), x.dtype)
    gradients = np.zeros((group, filters, samples * prod(counts)), x.dtype)
    total = np.zeros((group, filters, taps * channels), x.dtype)
    for first in range(0, batch, samples):
        block = slice(first, first + samples)
        count = len(x[block])
        write(gradients, samples, counts, dy[block], counts)
        parts = x[block].reshape(count, group, channels, *x.shape[2:])
        parts = parts.transpose(1, 2, 0, *range(3, parts.ndim))
        for tap, places in enumerate(_places(shifts, x.shape[2:], counts)):
            inside: Any = (..., slice(count), *(o for o, _ in places))
            visible: Any = (..., *(seen for _, seen in places))
            columns[:, tap][inside] = parts[visible]
        seen = columns.reshape(group, taps * channels, -1)
        correlate(gradients[None], seen[None], total)
    outer, last = len(lines.offsets), len(lines.last)
    split = total.reshape(group, filters, outer, last * channels)
    return split.transpose(2, 0, 1, 3)


def _places(
    shifts: Shifts, spatial: Extents, counts: Extents
) -> Iterator[tuple[tuple[slice, slice], ...]]:
    """For each tap and axis, the windows where it sees data, and the data that it sees."""
    axes = []
    for moves, extent, count in zip(shifts, spatial, counts, strict=True):
        firsts = [min(max(-move, 0), count) for move in moves]
        lasts = [
            max(min(extent - move, count), first) for move, first in zip(moves, firsts, strict=True)
        ]
        axes.append(
            [
                (slice(first, last), slice(first + move, last + move))
                for move, first, last in zip(moves, firsts, lasts, strict=True)
            ]
        )
    return product(*axes)
