"""Pools over any number of spatial axes.

Maximum and sum are separable: a window is pooled along one axis after the other, each by as many
whole-array operations as the window has taps on that axis.
"""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from ...compiler.windows import Window, window_of
from ..kerneldef import Array, kernel

Index = tuple[slice, ...]


@kernel("MaxPool", counts_outputs=True)
def max_pool(x: Array, *, outputs: int = 1, **attributes: Any) -> Array | tuple[Array, ...]:
    """The maximum of each window of x (N, C, *S), and on demand its flat index in x.

    Padding never wins. Of equal maxima the first in row-major order counts.
    """
    window = window_of(attributes)
    if outputs == 1:
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        return _pooled(x, window, np.maximum, lowest)
    y, places = _maxima(x, window)
    return y, _flat(places, x, column_major=bool(attributes["storage_order"]))


@kernel("AveragePool")
def average_pool(x: Array, *, count_include_pad: int, **attributes: Any) -> Array:
    """The mean of each window of x (N, C, *S), over data or, on demand, data and padding.

    What `ceil_mode` adds beyond the padding never counts.
    """
    window = window_of(attributes)
    y = _pooled(x, window, np.add, 0)
    spatial = x.shape[2:]
    for axis in range(window.rank):
        counts = np.zeros(y.shape[2 + axis], x.dtype)
        pads = (window.before[axis], window.after[axis]) if count_include_pad else (0, 0)
        for _, first, last in _ranges(window, axis, spatial[axis], len(counts), pads):
            counts[first : last + 1] += 1
        np.maximum(counts, 1, out=counts)  # a window on padding alone gives 0
        y /= counts.reshape((-1,) + (1,) * (window.rank - 1 - axis))
    return y


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


@kernel("GlobalAveragePool")
def global_average_pool(x: Array) -> Array:
    """The mean of each channel of x (N, C, *S), as (N, C, 1, ...)."""
    return x.mean(tuple(range(2, x.ndim)), keepdims=True)


@kernel("GlobalMaxPool")
def global_max_pool(x: Array) -> Array:
    """The maximum of each channel of x (N, C, *S), as (N, C, 1, ...)."""
    y: Array = x.max(tuple(range(2, x.ndim)), keepdims=True)
    return y


@kernel("MaxUnpool")
def max_unpool(
    x: Array, indices: Array, shape: Array | None = None, **attributes: Any
) -> Array:
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


def _pooled(x: Array, window: Window, join: Callable[..., Array], neutral: float) -> Array:
    """Each window's elements joined, the outermost axis first, where memory runs are longest."""
    extents = window.output(x.shape[2:])
    for axis, extent in enumerate(extents):
        assert isinstance(extent, int)
        x = _pooled_axis(x, window, axis, extent, join, neutral)
    return x


def _pooled_axis(
    x: Array, window: Window, axis: int, count: int, join: Callable[..., Array], neutral: float
) -> Array:
    place = 2 + axis
    taps = list(_taps(window, axis, x.shape[place], count))
    whole = slice(0, count)
    full = [inner for outer, inner in taps if outer == whole]
    partial = [(outer, inner) for outer, inner in taps if outer != whole]
    shape = (*x.shape[:place], count, *x.shape[place + 1 :])
    if len(full) > 1:
        y = join(x[_on(place, full[0])], x[_on(place, full[1])])
    elif full:
        y = x[_on(place, full[0])].copy()
    else:
        y = np.full(shape, neutral, x.dtype)
    for inner in full[2:]:
        join(y, x[_on(place, inner)], out=y)
    for outer, inner in partial:
        part = y[_on(place, outer)]
        join(part, x[_on(place, inner)], out=part)
    return y


def _taps(window: Window, axis: int, extent: int, count: int) -> Iterator[tuple[slice, slice]]:
    """For each tap of an axis, the windows whose tap lies in the data, and what it sees there."""
    stride = window.strides[axis]
    for offset, first, last in _ranges(window, axis, extent, count):
        seen = slice(offset + first * stride, offset + last * stride + 1, stride)
        yield slice(first, last + 1), seen


def _ranges(
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


def _on(axis: int, part: slice) -> Index:
    return (*(slice(None),) * axis, part)


def _maxima(x: Array, window: Window) -> tuple[Array, list[Array]]:
    """Each window's maximum and its place on every spatial axis.

    The last axis is pooled first: of equal maxima, then, the first row and in it the first column
    win.
    """
    extents = window.output(x.shape[2:])
    places: list[Array] = []
    for axis in reversed(range(window.rank)):
        count = extents[axis]
        assert isinstance(count, int)
        x, place = _maxima_axis(x, window, axis, count)
        places = [place, *(np.take_along_axis(p, place, 2 + axis) for p in places)]
    return x, places


def _maxima_axis(x: Array, window: Window, axis: int, count: int) -> tuple[Array, Array]:
    """Maxima along one axis, and their places on it."""
    at = 2 + axis
    extent = x.shape[at]
    shape = (*x.shape[:at], count, *x.shape[at + 1 :])
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    y = np.full(shape, lowest, x.dtype)
    place = np.zeros(shape, np.int64)
    line = (-1,) + (1,) * (x.ndim - 1 - at)
    unset = np.ones(count, bool)  # windows whose first tap in the data is still to come
    for outer, inner in _taps(window, axis, extent, count):
        candidate, best = x[_on(at, inner)], y[_on(at, outer)]
        better = (candidate > best) | np.isnan(candidate) | unset[outer].reshape(line)
        unset[outer] = False
        np.copyto(best, candidate, where=better)
        positions = np.arange(extent)[inner].reshape(line)
        np.copyto(place[_on(at, outer)], positions, where=better)
    return y, place


def _flat(places: list[Array], x: Array, *, column_major: bool) -> Array:
    """Places as indices into x, flattened; `column_major` flattens the spatial axes so."""
    spatial = x.shape[2:]
    order = range(len(spatial)) if column_major else reversed(range(len(spatial)))
    steps = dict.fromkeys(range(len(spatial)), 1)
    step = 1
    for axis in order:
        steps[axis] = step
        step *= spatial[axis]
    planes = np.arange(prod(x.shape[:2]), dtype=np.int64) * step
    index: Array = planes.reshape(*x.shape[:2], *(1,) * len(spatial))
    for axis, place in enumerate(places):
        index = index + place * steps[axis]
    return index
