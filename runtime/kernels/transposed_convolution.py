"""Transposed convolutions: one matrix product for all taps, which are added up in place.

At stride 1 they are convolutions with the kernels reversed, which may be faster.
"""

from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, Finish, Layout, kernel
from .batch_innermost import convolve_transposed
from .convolution import conv
from .slabs import axes_of, is_batch_innermost

# So many products cost what a copied number does; measured.
PRODUCTS_PER_COPY = 64
# Scratch memory for the products of all taps; a batch that needs more is taken in parts.
SCRATCH_BYTES = 64 * 2**20


@kernel("ConvTranspose", out=True, layout=Layout.BATCH_INNERMOST, spreads=True, finishes=True)
def conv_transpose(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    group: int,
    output_padding: tuple[int, ...] | None,
    out: Array | None = None,
    finish: Finish = None,
    **attributes: Any,
) -> Array:
    """X (N, C, *S), w (C, M / group, *K), b (M) => y (N, M, *O)."""
    window = window_of({**attributes, "kernel_shape": w.shape[2:]})
    extra = output_padding or (0,) * window.rank
    spatial = window.scattered(x.shape[2:])
    extents = tuple(int(str(e)) + added for e, added in zip(spatial, extra, strict=True))
    filters = w.shape[1] * group
    if out is not None and is_batch_innermost(out):
        convolve_transposed(x, w, b, out, axes_of(window, x.shape[2:]), group, finish)
        return out
    if _is_cheaper_as_convolution(x, window, extra, (filters, *extents)):
        return _as_convolution(x, w, b, window, group, out, finish)
    y = np.empty((len(x), filters, *extents), x.dtype) if out is None else out
    y[...] = 0
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
    if finish is not None:
        finish(())
    return y


def _is_cheaper_as_convolution(
    x: Array, window: Window, extra: tuple[int, ...], sample: tuple[int, ...]
) -> bool:
    """Whether copying what windows of x see is less work than adding up y's taps; measured.

    A tap is written, read and added, where a convolution copies its row.
    """
    sides = zip(window.reach * 2, window.pads, strict=True)
    if set(window.strides) != {1} or any(extra) or any(pad >= reach for reach, pad in sides):
        return False
    filters, *extents = sample
    taps, before, after = prod(window.kernel), prod(x.shape[2:]), prod(extents)
    wasted = filters * x.shape[1] * taps * max(after - before, 0) // PRODUCTS_PER_COPY
    copied = x.shape[1] * window.kernel[-1] * after
    return bool(copied + wasted <= 3 * filters * taps * before)


def _as_convolution(
    x: Array,
    w: Array,
    b: Array | None,
    window: Window,
    group: int,
    out: Array | None,
    finish: Finish,
) -> Array:
    """The convolution with the kernels reversed, and padding in place of cropping."""
    parts = w.reshape(group, len(w) // group, *w.shape[1:])
    axes = tuple(range(3, parts.ndim))
    kernels = np.flip(parts.transpose(0, 2, 1, *axes), axes)
    befores, afters = (
        tuple(reach - 1 - pad for reach, pad in zip(window.reach, pads, strict=True))
        for pads in (window.before, window.after)
    )
    y: Array = conv(
        x,
        np.ascontiguousarray(kernels).reshape(-1, len(w) // group, *window.kernel),
        b,
        group=group,
        out=out,
        finish=finish,
        strides=None,
        pads=befores + afters,
        dilations=window.dilations,
    )
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
