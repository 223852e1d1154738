"""The gradient of a max-pool: each window's goes to the first of its maxima."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, Layout, kernel
from .pooling import tap_ranges
from .slabs import is_batch_innermost
from .workers import spread

# What is worked on at a time, so that it stays in the cache from tap to tap.
BLOCK_BYTES = 2**20


@kernel("netc.MaxPoolGrad", out=True, layout=Layout.AS_ARGUMENT, spreads=True)
def max_pool_grad(
    x: Array, y: Array, dy: Array, *, out: Array | None = None, **attributes: Any
) -> Array:
    """X (N, C, *S), its maxima y (N, C, *O), dy like y => dx like x.

    Of equal maxima the first in row-major order gets dy; a NaN gets none.
    """
    window = window_of(attributes)
    dx = np.empty(x.shape, x.dtype) if out is None else out
    inner = is_batch_innermost(dx)
    taps = list(_taps(window, x.shape[2:], y.shape[2:]))
    apart = len(taps) == 1 or all(
        stride >= reach for stride, reach in zip(window.strides, window.reach, strict=True)
    )
    covered = apart and all(
        reach == stride and extent == windows * stride
        for reach, stride, extent, windows in zip(
            window.reach, window.strides, x.shape[2:], y.shape[2:], strict=True
        )
    )
    planes = [a if inner else a.reshape(1, -1, *a.shape[2:]) for a in (x, y, dy, dx)]
    size = planes[0].size // max(planes[0].shape[1], 1) * x.itemsize
    step = max(1, BLOCK_BYTES // max(size, 1))

    def compute(start: int) -> None:
        data, maxima, shares, gradient = (plane[:, start : start + step] for plane in planes)
        if not covered:
            gradient[...] = 0
        _scatter(data, maxima, shares, gradient, taps, apart=apart)

    spread(compute, range(0, planes[0].shape[1], step), 2 * x.nbytes)
    return dx


def _scatter(
    x: Array, y: Array, dy: Array, dx: Array, taps: list[tuple[Any, Any]], *, apart: bool
) -> None:
    """Tap by tap: where it sees the maximum, and none before it did, it gets dy."""
    missing = np.ones_like(y, bool)
    for outer, inner in taps:
        first = np.equal(x[inner], y[outer])
        first &= missing[outer]
        if apart:  # taps that never meet are written, which is faster than adding to zeros
            np.multiply(dy[outer], first, out=dx[inner])
        else:
            dx[inner] += dy[outer] * first
        missing[outer] ^= first


def _taps(window: Window, spatial: Any, extents: Any) -> Iterator[tuple[Any, Any]]:
    """For each tap, in row-major order, the windows whose tap lies in the data, and where."""
    axes = [
        list(tap_ranges(window, axis, spatial[axis], extents[axis])) for axis in range(window.rank)
    ]
    for tap in product(*axes):
        strided = zip(tap, window.strides, strict=True)
        yield (
            (..., *(slice(begin, end + 1) for _, begin, end in tap)),
            (..., *(slice(o + b * s, o + e * s + 1, s) for (o, b, e), s in strided)),
        )
