"""Convolutions over any number of spatial axes: matrix products over gathered windows."""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.windows import Window, window_of
from ..kerneldef import Array, kernel

# Scratch memory for gathered windows: what stays in the second-level cache. A batch, or a part of
# it, that needs more is taken sample by sample.
SCRATCH_BYTES = 2**20
# What a depthwise convolution works on at a time, for the same reason.
BLOCK_BYTES = 2**19
# Up to this many wasted products per channel, tap and row, copying whole images is cheaper than
# copying their rows; measured.
WASTED_PRODUCTS = 256


@kernel("Conv")
def conv(x: Array, w: Array, b: Array | None = None, *, group: int, **attributes: Any) -> Array:
    """x (N, C, *S), w (M, C / group, *K), b (M) => y (N, M, *O)."""
    window = window_of({**attributes, "kernel_shape": w.shape[2:]})
    extents = tuple(map(_integer, window.output(x.shape[2:])))
    y = np.empty((len(x), w.shape[0], *extents), x.dtype)
    if y.size:
        _method(w, extents, x, window, group)(x, w, b, y, window, group)
    return y


def _method(
    w: Array, extents: tuple[int, ...], x: Array, window: Window, group: int
) -> Callable[..., None]:
    """How to compute a convolution of these shapes."""
    if w.shape[1] == 1 and group > 1:
        return _depthwise
    if set(window.kernel) == {1} and set(window.strides) == {1} and not any(window.pads):
        return _pointwise
    padded = prod(map(_integer, window.padded(x.shape[2:])[1:]))
    wasted = (padded - prod(extents[1:])) // max(prod(extents[1:-1]), 1)
    if set(window.strides) == {1} and w.shape[0] // group * wasted <= WASTED_PRODUCTS:
        return _shifted
    return _gathered


def _pointwise(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """A 1x1 convolution is a matrix product per sample: (M, C) (C, positions)."""
    _multiply(x.reshape(len(x), group, x.shape[1] // group, -1), w, b, y, group)


def _gathered(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """Gather the windows of a few samples (im2col), and multiply them with the kernels."""
    taps, positions = prod(window.kernel), prod(y.shape[2:])
    step = _samples(x, taps * positions)
    columns = np.empty((step, x.shape[1], taps, *y.shape[2:]), x.dtype)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        target = y[part]
        count = len(target)
        padded = _padded(x[part], window)
        for tap, seen in enumerate(_views(padded, window, y.shape[2:])):
            columns[:count, :, tap] = seen
        shape = (count, group, x.shape[1] // group * taps, positions)
        _multiply(columns[:count].reshape(shape), w, b, target, group)


def _shifted(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """Gather as in `_gathered`, at stride 1, for every position of the padded rows.

    What a tap sees from all these positions is the whole flat image, shifted: one long copy
    instead of one per row. What windows that wrap around the end of a row yield is dropped.
    """
    taps = prod(window.kernel)
    extents = tuple(map(_integer, window.padded(x.shape[2:])))
    pitches = [prod(extents[axis + 1 :]) for axis in range(window.rank)]
    reach = [
        [k * d * pitch for k in range(kernel)]
        for kernel, d, pitch in zip(window.kernel, window.dilations, pitches, strict=True)
    ]
    offsets = [sum(parts) for parts in product(*reach)]
    length = y.shape[2] * pitches[0]
    size = prod(extents)
    step = _samples(x, taps * length)
    flat = np.zeros((step, x.shape[1], max(size, offsets[-1] + length)), x.dtype)
    columns = np.empty((step, x.shape[1], taps, length), x.dtype)
    result = np.empty((step, w.shape[0], y.shape[2], *extents[1:]), x.dtype)
    images = flat[:, :, :size].reshape(step, x.shape[1], *extents)
    inner = _inner(window, x.shape[2:])
    kept: Any = (..., *(slice(extent) for extent in y.shape[2:]))
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        count = len(x[part])
        images[(slice(count), slice(None), *inner)] = x[part]
        for tap, offset in enumerate(offsets):
            columns[:count, :, tap] = flat[:count, :, offset : offset + length]
        shape = (count, group, x.shape[1] // group * taps, length)
        _multiply(columns[:count].reshape(shape), w, b, result[:count], group)
        y[part] = result[:count][kept]


def _samples(x: Array, gathered: int) -> int:
    """How many samples to take at a time, for so many gathered numbers per channel."""
    return max(1, min(len(x), SCRATCH_BYTES // max(x.shape[1] * gathered * x.itemsize, 1)))


def _multiply(columns: Array, w: Array, b: Array | None, y: Array, group: int) -> None:
    """w (M, C / group * K) times columns (n, group, C / group * K, positions), plus b, to y."""
    kernels = w.reshape(group, w.shape[0] // group, -1)
    target = y.reshape(len(y), group, w.shape[0] // group, -1)
    np.matmul(kernels, columns, out=target)
    if b is not None:
        target += b.reshape(group, -1, 1)


def _depthwise(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """One input channel per group: multiply and add tap by tap, a block of planes at a time."""
    channels, multiplier = x.shape[1], w.shape[0] // x.shape[1]
    kernels = w.reshape(channels, multiplier, -1, *(1,) * window.rank)
    target = y.reshape(len(y), channels, multiplier, *y.shape[2:])
    plane = max(target[0, 0].nbytes, 1)
    step = max(1, min(channels, BLOCK_BYTES // plane))
    samples = max(1, min(len(x), BLOCK_BYTES // (plane * channels)))
    scratch = np.empty((samples, step, *target.shape[2:]), x.dtype)
    for sample, first in product(range(0, len(x), samples), range(0, channels, step)):
        block: Any = slice(sample, sample + samples), slice(first, first + step)
        total, padded = target[block], _padded(x[block], window)
        term = scratch[: total.shape[0], : total.shape[1]]
        for tap, seen in enumerate(_views(padded, window, y.shape[2:])):
            factor = kernels[block[1], :, tap]
            np.multiply(seen[:, :, None], factor, out=term if tap else total)
            if tap:
                total += term
        if b is not None:
            total += b.reshape(channels, multiplier, *(1,) * window.rank)[block[1]]


def _padded(x: Array, window: Window) -> Array:
    """x with zeros around it, as far as the window asks for them."""
    if not any(window.pads):
        return x
    padded = np.zeros((*x.shape[:2], *map(_integer, window.padded(x.shape[2:]))), x.dtype)
    padded[(..., *_inner(window, x.shape[2:]))] = x
    return padded


def _inner(window: Window, spatial: tuple[int, ...]) -> tuple[Any, ...]:
    """Where the data lies within its padding."""
    return tuple(slice(b, b + e) for b, e in zip(window.before, spatial, strict=True))


def _views(padded: Array, window: Window, extents: tuple[int, ...]) -> Iterator[Array]:
    """For each tap, in row-major order, what it sees from every output position."""
    axes: list[list[Any]] = [
        [slice(k * d, k * d + (o - 1) * s + 1, s) for k in range(kernel)]
        for kernel, d, s, o in zip(
            window.kernel, window.dilations, window.strides, extents, strict=True
        )
    ]
    for place in product(*axes):
        yield padded[(..., *place)]


def _integer(extent: Any) -> int:
    assert isinstance(extent, int)
    return extent
