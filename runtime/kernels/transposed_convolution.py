"""Transposed convolutions: one matrix product for all taps, which are added up in place."""

from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.windows import Window, window_of
from ..kerneldef import Array, kernel

# Scratch memory for the products of all taps; a batch that needs more is taken in parts.
SCRATCH_BYTES = 64 * 2**20


@kernel("ConvTranspose")
def conv_transpose(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    group: int,
    output_padding: tuple[int, ...] | None,
    **attributes: Any,
) -> Array:
    """X (N, C, *S), w (C, M / group, *K), b (M) => y (N, M, *O)."""
    window = window_of({**attributes, "kernel_shape": w.shape[2:]})
    extra = output_padding or (0,) * window.rank
    spatial = window.scattered(x.shape[2:])
    extents = tuple(int(str(e)) + added for e, added in zip(spatial, extra, strict=True))
    filters = w.shape[1] * group
    y = np.zeros((len(x), filters, *extents), x.dtype)
    kernels = w.reshape(group, len(w) // group, -1).transpose(0, 2, 1)
    sample = filters * prod(window.kernel) * prod(x.shape[2:]) * x.itemsize
    step = max(1, SCRATCH_BYTES // max(sample, 1))
    for start in range(0, len(x), step):
        part = x[start : start + step]
        columns = part.reshape(len(part), group, len(w) // group, prod(x.shape[2:]))
        taps = np.matmul(kernels, columns).reshape(len(part), filters, -1, *x.shape[2:])
        _scatter(taps, y[start : start + step], window)
    if b is not None:
        y += b.reshape(-1, *(1,) * window.rank)
    return y


def _scatter(taps: Array, y: Array, window: Window) -> None:
    """Add tap k of input position i to output position i stride + k dilation - padding."""
    apart = all(
        kernel == 1 or stride >= reach
        for kernel, stride, reach in zip(window.kernel, window.strides, window.reach, strict=True)
    )
    axes = [
        [_moved(k * d - before, s, n, o) for k in range(kernel)]
        for kernel, d, before, s, n, o in zip(
            window.kernel,
            window.dilations,
            window.before,
            window.strides,
            taps.shape[3:],
            y.shape[2:],
            strict=True,
        )
    ]
    for tap, places in enumerate(product(*axes)):
        seen: Any = (slice(None), slice(None), tap, *(s for s, _ in places))
        there: Any = (..., *(t for _, t in places))
        # Taps that never meet are written, which is faster than adding to zeros.
        if apart:
            y[there] = taps[seen]
        else:
            y[there] += taps[seen]


def _moved(offset: int, stride: int, extent: int, limit: int) -> tuple[slice, slice]:
    """The input positions i that i stride + offset puts within the output, and where."""
    first = max(0, -(offset // stride))
    last = max(first, min(extent, (limit - 1 - offset) // stride + 1))
    start = first * stride + offset
    return slice(first, last), slice(start, max(start + (last - first - 1) * stride + 1, 0), stride)
