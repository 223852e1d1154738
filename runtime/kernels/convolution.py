"""Convolutions over any number of spatial axes: matrix products with what windows see."""

from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, Finish, Layout, kernel
from .batch_innermost import channel_shares, convolve, within_groups
from .columns import LONG_ROW, Block, Extents, blocks_of, columns_of, seen_by_taps
from .products import multiply
from .scratch import scratch
from .slabs import axes_of, is_batch_innermost
from .workers import of_product, spread, workers

# What a depthwise convolution works on at a time: it stays in the second-level cache.
BLOCK_BYTES = 2**18


@kernel("Conv", out=True, layout=Layout.BATCH_INNERMOST, spreads=True, finishes=True)
def conv(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    group: int,
    out: Array | None = None,
    finish: Finish = None,
    **attributes: Any,
) -> Array:
    """x (N, C, *S), w (M, C / group, *K), b (M) => y (N, M, *O)."""
    window = window_of({**attributes, "kernel_shape": w.shape[2:]})
    extents = _integers(window.output(x.shape[2:]))
    y = np.empty((len(x), w.shape[0], *extents), x.dtype) if out is None else out
    if is_batch_innermost(y):
        convolve(x, w, b, y, axes_of(window, extents), finish)
    elif w.shape[1] == 1 and group > 1 and y.size:
        _depthwise(x, w, b, y, window, group, finish)
    elif y.size:
        _multiply(x, w, b, y, window, group, finish)
    return y


def _multiply(
    x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int, finish: Finish
) -> None:
    """Multiply the kernels with what windows see, a block of windows at a time.

    Threads take blocks or, where these are few, filters.
    """
    direct = _is_direct(x, y, window)
    whole = slice(0, y.shape[2])
    blocks = (
        [Block(slice(n, n + 1), whole, y.shape[2:]) for n in range(len(x))]
        if direct
        else blocks_of(len(x), y.shape[2:])
    )
    filters = len(w) // group
    kernels = w.reshape(group, filters, -1)
    work = of_product(y.size * w[0].size)
    every = slice(0, len(w))
    parts = [every] if len(blocks) >= workers() else channel_shares(group, filters)

    def compute(block: Block) -> None:
        seen = x[block.samples] if direct else columns_of(x, window, block)
        columns = seen.reshape(group, kernels.shape[2], -1)

        def take(part: slice) -> None:
            _product(kernels, columns, b, y, block, part)
            if finish is not None:
                finish((block.samples, part, block.rows))

        spread(take, parts, work // len(blocks))

    spread(compute, blocks, work if len(parts) == 1 else 0)


def _is_direct(x: Array, y: Array, window: Window) -> bool:
    """Whether samples are matrices as they are, and long enough to be taken one by one."""
    alone = set(window.kernel) == set(window.strides) == {1} and not any(window.pads)
    return alone and (len(x) == 1 or prod(y.shape[2:]) >= LONG_ROW // 8)


def _product(
    kernels: Array, columns: Array, b: Array | None, y: Array, block: Block, part: slice
) -> None:
    """Write what some filters make of a block's columns (group, C / group * taps, windows)."""
    group, filters, _ = kernels.shape
    groups, some = within_groups(part, group, filters)
    left, right = kernels[groups, some], columns[groups]
    shape = left.shape[:2]
    if block.shape[0] == 1:
        rows = y[block.samples.start, part].reshape(*shape, -1)
        target = rows[..., block.columns]
    else:
        target = scratch("product", (*shape, right.shape[2]), y.dtype)
    multiply(left, right, target)
    if b is not None:
        target += b[part].reshape(*shape, 1)
    if block.shape[0] > 1:
        found = target.reshape(part.stop - part.start, *block.shape).swapaxes(0, 1)
        y[block.samples, part, block.rows] = found


def _depthwise(
    x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int, finish: Finish
) -> None:
    """One input channel per group: multiply and add tap by tap, a block of planes at a time."""
    multiplier = w.shape[0] // group
    grid = y.shape[2:]
    ones = (1,) * len(grid)
    kernels = w.reshape(group, multiplier, -1, *ones)
    shifts = None if b is None else b.reshape(group, multiplier, *ones)
    target = y.reshape(len(y), group, multiplier, *grid)
    plane = multiplier * prod(grid) * x.itemsize
    channels = max(1, min(group, BLOCK_BYTES // plane))
    samples = max(1, min(len(x), BLOCK_BYTES // (plane * group)))

    def compute(place: tuple[int, int]) -> None:
        sample, first = place
        some, planes = slice(sample, sample + samples), slice(first, first + channels)
        total = target[some, planes]
        term = scratch("term", total.shape, x.dtype)
        block = Block(slice(0, len(total)), slice(0, grid[0]), grid)
        for tap, seen in enumerate(seen_by_taps(x[some, planes], window, block)):
            np.multiply(seen[:, :, None], kernels[planes, :, tap], out=term if tap else total)
            if tap:
                total += term
        if shifts is not None:
            total += shifts[planes]
        if finish is not None:
            finish((some, slice(first * multiplier, (first + channels) * multiplier)))

    places = product(range(0, len(x), samples), range(0, group, channels))
    spread(compute, list(places), y.size * w[0].size)


def _integers(extents: Any) -> Extents:
    """Extents that are known to be numbers, as NumPy's shapes are."""
    return tuple(extents)
