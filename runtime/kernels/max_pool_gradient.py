"""The gradient of a max-pool: each window's goes to the first of its maxima."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, kernel
from .pooling import tap_ranges

# What is worked on at a time, so that it stays in the cache from tap to tap.
BLOCK_BYTES = 2**18


@kernel("netc.MaxPoolGrad")
def max_pool_grad(x: Array, y: Array, dy: Array, **attributes: Any) -> Array:
    """X (N, C, *S), its maxima y (N, C, *O), dy like y => dx like x.

    Of equal maxima the first in row-major order gets dy; a NaN gets none.
    """
    window = window_of(attributes)
    planes = prod(x.shape[:2])
    spatial, extents = x.shape[2:], y.shape[2:]
    maxima, shares = (a.reshape(planes, *extents) for a in (y, dy))
    data, dx = x.reshape(planes, *spatial), np.zeros((planes, *spatial), x.dtype)
    taps = list(_taps(window, spatial, extents))
    apart = len(taps) == 1 or all(
        stride >= reach for stride, reach in zip(window.strides, window.reach, strict=True)
    )
    step = max(1, BLOCK_BYTES // (max(prod(spatial), 1) * x.itemsize))
    for start in range(0, planes, step):
        block = slice(start, start + step)
        _scatter(data[block], maxima[block], shares[block], dx[block], taps, apart=apart)
    return dx.reshape(x.shape)


def _scatter(
    x: Array, y: Array, dy: Array, dx: Array, taps: list[tuple[Any, Any]], *, apart: bool
) -> None:
    """Tap by tap: where it sees the maximum, and none before it did, it gets dy."""
    missing = np.ones(y.shape, bool)
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
            (slice(None), *(slice(begin, end + 1) for _, begin, end in tap)),
            (slice(None), *(slice(o + b * s, o + e * s + 1, s) for (o, b, e), s in strided)),
        )
