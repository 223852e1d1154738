"""Pools over any number of spatial axes.

Maximum and sum are separable: a window is pooled along one axis after the other, each by as many
whole-array operations as the window has taps on that axis.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, Layout, kernel
from .scratch import scratch_like
from .workers import shares, spread

Slices = tuple[slice, ...]


@kernel("MaxPool", counts_outputs=True, out=True, layout=Layout.AS_ARGUMENT, spreads=True)
def max_pool(
    x: Array, *, outputs: int = 1, out: Array | None = None, **attributes: Any
) -> Array | tuple[Array, ...]:
    """The maximum of each window of x (N, C, *S), and on demand its flat index in x.

    Padding never wins. Of equal maxima the first in row-major order counts.
    """
    window = window_of(attributes)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    y = _by_channels(
        partial(_pooled, window=window, join=np.maximum, neutral=lowest), x, window, out
    )
    if outputs == 1:
        return y
    return y, _flat_places(x, y, window, column_major=bool(attributes["storage_order"]))


@kernel("AveragePool", out=True, layout=Layout.AS_ARGUMENT, spreads=True)
def average_pool(
    x: Array, *, count_include_pad: int, out: Array | None = None, **attributes: Any
) -> Array:
    """The mean of each window of x (N, C, *S), over data or, on demand, data and padding.

    What `ceil_mode` adds beyond the padding never counts.
    """
    window = window_of(attributes)
    spatial = x.shape[2:]

    def pool(x: Array, out: Array) -> None:
        _pooled(x, window, np.add, 0, out)
        for axis in range(window.rank):
            counts = np.zeros(out.shape[2 + axis], x.dtype)
            pads = (window.before[axis], window.after[axis]) if count_include_pad else (0, 0)
            for _, first, last in tap_ranges(window, axis, spatial[axis], len(counts), pads):
                counts[first : last + 1] += 1
            np.maximum(counts, 1, out=counts)  # a window on padding alone gives 0
            out /= counts.reshape((-1,) + (1,) * (window.rank - 1 - axis))

    return _by_channels(pool, x, window, out)


@kernel("LpPool")
def lp_pool(x: Array, *, p: int, **attributes: Any) -> Array:
    """(sum |x|^p)^(1 / p) over each window of x (N, C, *S); padding is zero."""
    with np.errstate(over="ignore"):  # an infinite norm is the answer
        powers = x * x if p == 2 else np.abs(x) ** p
        sums = _pooled(powers, window_of(attributes), np.add, 0)
    return np.sqrt(sums, out=sums) if p == 2 else np.power(sums, 1 / p, out=sums)


@kernel("netc.StochasticPool")
def stochastic_pool(x: Array, **attributes: Any) -> Array:
    """Sum x^2 / sum x over each window of x (N, C, *S): the mean at inference, 0 for all zeros."""
    window = window_of(attributes)
    values = _pooled(x, window, np.add, 0)
    values[values == 0] = 1
    return np.divide(_pooled(x * x, window, np.add, 0), values, out=values)


@kernel("GlobalAveragePool", out=True)
def global_average_pool(x: Array, *, out: Array | None = None) -> Array:
    """The mean of each channel of x (N, C, *S), as (N, C, 1, ...)."""
    y: Array = x.mean(tuple(range(2, x.ndim)), keepdims=True, out=out)
    return y


@kernel("GlobalMaxPool")
def global_max_pool(x: Array) -> Array:
    """The maximum of each channel of x (N, C, *S), as (N, C, 1, ...)."""
    y: Array = x.max(tuple(range(2, x.ndim)), keepdims=True)
    return y


@kernel("MaxUnpool")
def max_unpool(x: Array, indices: Array, shape: Array | None = None, **attributes: Any) -> Array:
    """Zeros of `shape` with x (N, C, *S) at flat indices; by default the windows just fit."""
    if shape is None:
        window = window_of(attributes)
        spatial = [
            (n - 1) * s + k - b - a
            for n, s, k, b, a in zip(
                x.shape[2:],
                window.strides,
                window.kernel,
                window.before,
                window.after,
                strict=True,
            )
        ]
        target = [*x.shape[:2], *spatial]
    else:
        target = [int(extent) for extent in shape]
    y = np.zeros(prod(target), x.dtype)
    y[indices.reshape(-1)] = x.reshape(-1)
    return y.reshape(target)


def _by_channels(pool: Callable[..., object], x: Array, window: Window, out: Array | None) -> Array:
    """Call a function with channels of x (N, C, *S) and of what windows yield, some per thread."""
    shape: Any = (*x.shape[:2], *window.output(x.shape[2:]))
    y = np.empty_like(x, shape=shape) if out is None else out

    def compute(part: slice) -> None:
        pool(x[:, part], out=y[:, part])

    spread(compute, shares(x.shape[1]), x.size)
    return y


def _pooled(
    x: Array,
    window: Window,
    join: Callable[..., Array],
    neutral: float,
    out: Array | None = None,
) -> Array:
    """Each window's elements joined, the outermost axis first, where memory runs are longest."""
    extents = window.output(x.shape[2:])
    for axis, extent in enumerate(extents):
        assert isinstance(extent, int)
        target = out
        if axis < len(extents) - 1:
            left = x[_on(2 + axis, slice(extent))]
            fits = left.shape[2 + axis] == extent
            target = scratch_like(left, f"pooled {axis}", x.dtype) if fits else None
        x = _pooled_axis(x, window, axis, extent, join, neutral, target)
    return x


def _pooled_axis(
    x: Array,
    window: Window,
    axis: int,
    count: int,
    join: Callable[..., Array],
    neutral: float,
    out: Array | None,
) -> Array:
    place = 2 + axis
    taps = list(_taps(window, axis, x.shape[place], count))
    whole = slice(0, count)
    full = [inner for outer, inner in taps if outer == whole]
    cut = [(outer, inner) for outer, inner in taps if outer != whole]
    shape = (*x.shape[:place], count, *x.shape[place + 1 :])
    if len(full) > 1:
        y = join(x[_on(place, full[0])], x[_on(place, full[1])], out=out)
    else:
        y = np.empty_like(x, shape=shape) if out is None else out
        y[...] = x[_on(place, full[0])] if full else neutral
    for inner in full[2:]:
        join(y, x[_on(place, inner)], out=y)
    for outer, inner in cut:
        part = y[_on(place, outer)]
        join(part, x[_on(place, inner)], out=part)
    return y


def _taps(window: Window, axis: int, extent: int, count: int) -> Iterator[tuple[slice, slice]]:
    """For each tap of an axis, the windows whose tap lies in the data, and what it sees there."""
    stride = window.strides[axis]
    for offset, first, last in tap_ranges(window, axis, extent, count):
        seen = slice(offset + first * stride, offset + last * stride + 1, stride)
        yield slice(first, last + 1), seen


def tap_ranges(
    window: Window, axis: int, extent: int, count: int, pads: tuple[int, int] = (0, 0)
) -> Iterator[tuple[int, int, int]]:
    """For each tap its offset in window 0, and the first and last window where it sees data.

    With `pads` as much padding before and after counts as data, too.
    """
    stride = window.strides[axis]
    for tap in range(window.kernel[axis]):
        offset = tap * window.dilations[axis] - window.before[axis]
        first = max(-((pads[0] + offset) // stride), 0)
        last = min((extent + pads[1] - 1 - offset) // stride, count - 1)
        if last >= first:
            yield offset, first, last


def _on(axis: int, part: slice) -> Slices:
    return (*(slice(None),) * axis, part)


def _flat_places(x: Array, y: Array, window: Window, *, column_major: bool) -> Array:
    """The index in x, flattened, of the first element of each window that is its maximum y."""
    spatial = x.shape[2:]
    axes = range(window.rank)
    if column_major:
        steps = [prod(spatial[:axis]) for axis in axes]
    else:
        steps = [prod(spatial[axis + 1 :]) for axis in axes]
    ranges = [list(tap_ranges(window, a, spatial[a], y.shape[2 + a])) for a in axes]
    first = _first_taps(x, y, window, ranges)
    offsets = [sum(r[0] * s for r, s in zip(tap, steps, strict=True)) for tap in product(*ranges)]
    if not offsets:  # every window lies on padding alone
        return np.zeros(y.shape, np.int64)
    index: Array = np.array(offsets, np.int64)[first]
    index += np.arange(prod(x.shape[:2])).reshape(*x.shape[:2], *(1,) * window.rank) * prod(spatial)
    for axis, step in enumerate(steps):
        starts = np.arange(y.shape[2 + axis]) * (window.strides[axis] * step)
        index += starts.reshape((-1,) + (1,) * (window.rank - 1 - axis))
    return index


def _first_taps(
    x: Array, y: Array, window: Window, ranges: Sequence[Sequence[tuple[int, int, int]]]
) -> Array:
    """The number, in row-major order, of the first tap that sees y; of a NaN where y is one."""
    none = prod(map(len, ranges))
    first = np.full(y.shape, none, np.min_scalar_type(none))
    top = np.iinfo(first.dtype).max
    for sees in (np.equal, lambda seen, _: np.isnan(seen)):
        for number, tap in enumerate(product(*ranges)):
            outer: Any = (..., *(slice(begin, end + 1) for _, begin, end in tap))
            inner: Any = (
                ...,
                *(
                    slice(offset + begin * s, offset + end * s + 1, s)
                    for (offset, begin, end), s in zip(tap, window.strides, strict=True)
                ),
            )
            # Arithmetic on bytes is many times faster than a masked copy: the tap's number where
            # it sees the maximum, and the largest number elsewhere.
            missed = sees(x[inner], y[outer]).astype(first.dtype) * top ^ top
            np.minimum(first[outer], missed | number, out=first[outer])
        if x.dtype.kind != "f" or not (first == none).any():
            break
    first[first == none] = 0  # a window on padding alone
    return first
