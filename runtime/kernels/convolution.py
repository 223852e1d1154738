"""Convolutions over any number of spatial axes: matrix products over lines or gathered windows."""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, kernel
from .lines import Extents, Lines, Stack, lines_of

# Scratch memory for gathered windows: what stays in the second-level cache. A batch, or a part of
# it, that needs more is taken sample by sample.
SCRATCH_BYTES = 2**20
# The same for lines, whose products are read once more.
LINE_BYTES = 2**19
# What a depthwise convolution works on at a time, for the same reason.
BLOCK_BYTES = 2**18
# Up to this many wasted products per channel, tap and row, copying whole images is cheaper than
# copying their rows; measured.
WASTED_PRODUCTS = 256


@kernel("Conv")
def conv(x: Array, w: Array, b: Array | None = None, *, group: int, **attributes: Any) -> Array:
    """x (N, C, *S), w (M, C / group, *K), b (M) => y (N, M, *O)."""
    window = window_of({**attributes, "kernel_shape": w.shape[2:]})
    extents = _integers(window.output(x.shape[2:]))
    y = np.empty((len(x), w.shape[0], *extents), x.dtype)
    if y.size:
        _method(x, w, y, window, group)(x, w, b, y, window, group)
    return y


def _method(x: Array, w: Array, y: Array, window: Window, group: int) -> Callable[..., None]:
    """How to compute a convolution with these weights."""
    if w.shape[1] == 1 and group > 1:
        return _depthwise
    if set(window.kernel) == {1} and set(window.strides) == {1} and not any(window.pads):
        return _pointwise
    if set(window.strides) == {1} and x.size:
        sizes = w.shape[1], len(w) // group
        if _lines(x, y, window).are_worthwhile(*sizes, summed=True):
            return _lined
    return _gathered


def _lines(x: Array, y: Array, window: Window) -> Lines:
    """Samples as lines, for the taps of a window of stride 1."""
    axes = zip(window.kernel, window.dilations, window.before, strict=True)
    shifts = [[k * d - before for k in range(kernel)] for kernel, d, before in axes]
    return lines_of(x.shape[2:], y.shape[2:], shifts)


def _lined(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """Add up a matrix product per tap of the outer axes, for lines of a few samples at a time."""
    lines = _lines(x, y, window)
    filters, channels = len(w) // group, w.shape[1]
    size = lines.pitch * len(lines.last) * x.shape[1] * x.itemsize
    samples = max(1, min(len(x), LINE_BYTES // size))
    stack = Stack(lines, samples, group, channels, x.dtype)
    # (taps of the outer axes, group, M / group, taps of the last axis * C / group)
    parts = w.reshape(group, filters, channels, -1, window.kernel[-1]).transpose(3, 0, 1, 4, 2)
    kernels = np.ascontiguousarray(parts).reshape(-1, group, filters, window.kernel[-1] * channels)
    total, term = np.empty((2, group, filters, stack.length), x.dtype)
    inside: Any = (..., *map(slice, lines.windows))
    for start in range(0, len(x), samples):
        block = slice(start, start + samples)
        for tap, seen in enumerate(stack.views(stack.fill(x[block]))):
            np.matmul(kernels[tap], seen, out=term if tap else total)
            if tap:
                total += term
        if b is not None:
            total += b.reshape(group, filters, 1)
        found = total.reshape(len(w), samples, *lines.padded)[inside]
        y[block] = found.transpose(1, 0, *range(2, y.ndim))[: len(y[block])]


def _pointwise(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """A 1x1 convolution is a matrix product per sample: (M, C) (C, positions)."""
    _multiply(x.reshape(len(x), group, x.shape[1] // group, -1), w, b, y, group)


def _gathered(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """Gather the windows of a few samples (im2col), and multiply them with the kernels."""
    view = _view_of(x, y, window, products=w.shape[0] // group)
    taps = prod(window.kernel)
    sample = x.shape[1] * taps * prod(view.grid) * x.itemsize
    step = max(1, min(len(x), SCRATCH_BYTES // max(sample, 1)))
    columns = np.empty((step, x.shape[1], taps, *view.grid), x.dtype)
    result = np.empty((step, w.shape[0], *view.grid), x.dtype)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        count = len(x[part])
        for tap, seen in enumerate(view.taps(x[part])):
            columns[:count, :, tap] = seen
        gathered = columns[:count].reshape(count, group, x.shape[1] // group * taps, -1)
        _multiply(gathered, w, b, result[:count], group)
        y[part] = view.kept(result[:count])


def _multiply(columns: Array, w: Array, b: Array | None, y: Array, group: int) -> None:
    """w (M, C / group * K) times columns (n, group, C / group * K, positions), plus b, to y."""
    kernels = w.reshape(group, w.shape[0] // group, -1)
    target = y.reshape(len(y), group, w.shape[0] // group, -1)
    np.matmul(kernels, columns, out=target)
    if b is not None:
        target += b.reshape(group, -1, 1)


def _depthwise(x: Array, w: Array, b: Array | None, y: Array, window: Window, group: int) -> None:
    """One input channel per group: multiply and add tap by tap, a block of planes at a time."""
    multiplier = w.shape[0] // group
    view = _view_of(x, y, window, products=1)
    ones = (1,) * len(view.grid)
    kernels = w.reshape(group, multiplier, -1, *ones)
    shifts = None if b is None else b.reshape(group, multiplier, *ones)
    target = y.reshape(len(y), group, multiplier, *y.shape[2:])
    plane = multiplier * prod(view.grid) * x.itemsize
    channels = max(1, min(group, BLOCK_BYTES // plane))
    samples = max(1, min(len(x), BLOCK_BYTES // (plane * group)))
    scratch = np.empty((2, samples, channels, multiplier, *view.grid), x.dtype)
    for sample, first in product(range(0, len(x), samples), range(0, group, channels)):
        block: Any = slice(sample, sample + samples), slice(first, first + channels)
        part = x[block]
        total, term = scratch[:, : len(part), : part.shape[1]]
        for tap, seen in enumerate(view.taps(part)):
            np.multiply(seen[:, :, None], kernels[block[1], :, tap], out=term if tap else total)
            if tap:
                total += term
        if shifts is not None:
            total += shifts[block[1]]
        target[block] = view.kept(total)


class _RowView:
    """What each tap sees from every output position.

    Attributes:
        grid: The positions that `taps` refers to: here, the output's.
    """

    def __init__(self, window: Window, spatial: Extents, extents: Extents) -> None:
        self.window = window
        self.grid = extents
        self.padded = _integers(window.padded(spatial))
        self.inner: Any = tuple(
            slice(b, b + e) for b, e in zip(window.before, spatial, strict=True)
        )

    def taps(self, x: Array) -> Iterator[Array]:
        """For each tap, in row-major order, an array (n, C, *grid)."""
        images = x
        if any(self.window.pads):
            images = np.zeros((*x.shape[:2], *self.padded), x.dtype)
            images[(..., *self.inner)] = x
        window = self.window
        axes: list[list[Any]] = [
            [slice(k * d, k * d + (o - 1) * s + 1, s) for k in range(kernel)]
            for kernel, d, s, o in zip(
                window.kernel, window.dilations, window.strides, self.grid, strict=True
            )
        ]
        for place in product(*axes):
            yield images[(..., *place)]

    def kept(self, result: Array) -> Array:
        """The output's positions (..., *extents) of a result (..., *grid)."""
        return result


class _FlatView:
    """What each tap sees, at stride 1, from every position of the padded rows.

    All of that is the whole flat image, shifted: one long copy instead of one per row. What
    windows that wrap around the end of a row yield is dropped at the end.
    """

    def __init__(self, window: Window, spatial: Extents, extents: Extents) -> None:
        self.extents = extents
        self.padded = _integers(window.padded(spatial))
        pitches = [prod(self.padded[axis + 1 :]) for axis in range(window.rank)]
        reach = [
            [k * d * pitch for k in range(kernel)]
            for kernel, d, pitch in zip(window.kernel, window.dilations, pitches, strict=True)
        ]
        self.offsets = [sum(parts) for parts in product(*reach)]
        self.grid = (extents[0] * pitches[0],)
        self.inner: Any = tuple(
            slice(b, b + e) for b, e in zip(window.before, spatial, strict=True)
        )

    def taps(self, x: Array) -> Iterator[Array]:
        """For each tap, in row-major order, an array (n, C, *grid)."""
        (length,), size = self.grid, prod(self.padded)
        flat = np.zeros((*x.shape[:2], max(size, self.offsets[-1] + length)), x.dtype)
        images = flat[:, :, :size].reshape(*x.shape[:2], *self.padded)
        images[(..., *self.inner)] = x
        for offset in self.offsets:
            yield flat[:, :, offset : offset + length]

    def kept(self, result: Array) -> Array:
        """The output's positions (..., *extents) of a result (..., *grid)."""
        rows = result.reshape(*result.shape[:-1], self.extents[0], *self.padded[1:])
        inside: Any = (..., *map(slice, self.extents))
        kept: Array = rows[inside]
        return kept


def _view_of(x: Array, y: Array, window: Window, *, products: int) -> _RowView | _FlatView:
    """The cheaper view, for so many products with each number that is seen."""
    view = _FlatView if set(window.strides) == {1} else _RowView
    extents = y.shape[2:]
    rows = prod(extents[:-1])
    wasted = extents[0] * prod(_integers(window.padded(x.shape[2:])[1:])) - prod(extents)
    if products * wasted > rows * WASTED_PRODUCTS:
        view = _RowView
    return view(window, x.shape[2:], extents)


def _integers(extents: Any) -> Extents:
    """Extents that are known to be numbers, as NumPy's shapes are."""
    return tuple(extents)
