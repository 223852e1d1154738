"""Convolution and pools window by window in plain loops, as PyTorch defines them."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]
Place = tuple[int, ...]


def _at(*index: Any) -> Any:
    """An index of several parts, of a type that is easier to write down."""
    return index


def _count(extent: int, reach: int, stride: int, before: int, after: int, *, ceil: bool) -> int:
    """How many windows start at 0, stride, ... and end in the padded data.

    With `ceil` one more, if any of the padded data is left and it starts before the data ends.
    """
    padded = extent + before + after
    count = len([s for s in range(0, padded, stride) if s + reach <= padded])
    left = (count - 1) * stride + reach < padded
    return count + (ceil and left and count * stride < extent + before)


def windows(
    spatial: Place,
    kernel: Place,
    *,
    strides: Place | None = None,
    pads: Place | None = None,
    dilations: Place | None = None,
    ceil_mode: int = 0,
) -> tuple[Place, Iterator[tuple[Place, list[tuple[Place, Place, bool]]]]]:
    """Output extents, and for each output position its taps, where they look, and if at data."""
    rank = len(kernel)
    strides, dilations = strides or (1,) * rank, dilations or (1,) * rank
    before, after = (pads or (0,) * 2 * rank)[:rank], (pads or (0,) * 2 * rank)[rank:]
    extents = tuple(
        _count(e, d * (k - 1) + 1, s, b, a, ceil=bool(ceil_mode))
        for e, k, d, s, b, a in zip(spatial, kernel, dilations, strides, before, after, strict=True)
    )

    def taps() -> Iterator[tuple[Place, list[tuple[Place, Place, bool]]]]:
        for position in product(*map(range, extents)):
            seen = []
            for tap in product(*map(range, kernel)):
                place = tuple(
                    p * s + t * d - b
                    for p, s, t, d, b in zip(position, strides, tap, dilations, before, strict=True)
                )
                # What lies beyond the padding, which only `ceil` looks at, is nothing at all.
                if all(q < e + a for q, e, a in zip(place, spatial, after, strict=True)):
                    inside = all(0 <= q < e for q, e in zip(place, spatial, strict=True))
                    seen.append((tap, place, inside))
            yield position, seen

    return extents, taps()


def convolution(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    group: int = 1,
    kernel_shape: Place = (),
    **geometry: Any,
) -> Array:
    """y[n, m, p] = b[m] + sum over c, tap of w[m, c, tap] x[n, c of m's group, p s + tap d - P]."""
    extents, positions = windows(x.shape[2:], w.shape[2:], **geometry)
    y = np.zeros((len(x), len(w), *extents))
    inputs, filters = w.shape[1], len(w) // group
    for position, taps in positions:
        for tap, place, inside in taps:
            if not inside:
                continue
            for g in range(group):
                data = x[_at(slice(None), slice(g * inputs, (g + 1) * inputs), *place)]
                part = slice(g * filters, (g + 1) * filters)
                y[_at(slice(None), part, *position)] += data @ w[_at(part, slice(None), *tap)].T
    return y if b is None else y + b.reshape(-1, *(1,) * (y.ndim - 2))


def _pool(x: Array, kernel: Place, reduce: Callable[..., Any], geometry: Any) -> Array:
    extents, positions = windows(x.shape[2:], kernel, **geometry)
    y = np.zeros((*x.shape[:2], *extents))
    for position, taps in positions:
        data = [x[_at(..., *place)] for _, place, inside in taps if inside]
        y[_at(..., *position)] = reduce(np.stack(data), len(taps))
    return y


def max_pool(x: Array, *, kernel_shape: Place, **geometry: Any) -> Array:
    """The maximum of the data in each window."""
    return _pool(x, kernel_shape, lambda data, size: data.max(0), geometry)


def average_pool(
    x: Array, *, kernel_shape: Place, count_include_pad: int = 0, **geometry: Any
) -> Array:
    """The mean of the data in each window, or their sum by the size of data and padding."""
    if count_include_pad:
        return _pool(x, kernel_shape, lambda data, size: data.sum(0) / size, geometry)
    return _pool(x, kernel_shape, lambda data, size: data.mean(0), geometry)


def max_pool_with_places(
    x: Array, *, kernel_shape: Place, storage_order: int = 0, **geometry: Any
) -> tuple[Array, Array]:
    """Maxima and the flat index of the first in each window."""
    spatial = x.shape[2:]
    extents, positions = windows(spatial, kernel_shape, **geometry)
    y = np.zeros((*x.shape[:2], *extents))
    index = np.zeros(y.shape, np.int64)
    order: Literal["F", "C"] = "F" if storage_order else "C"
    for position, taps in positions:
        places = [place for _, place, inside in taps if inside]
        data = np.stack([x[_at(..., *place)] for place in places])
        y[_at(..., *position)] = data.max(0)
        flat = np.array([np.ravel_multi_index(place, spatial, order=order) for place in places])
        index[_at(..., *position)] = flat[data.argmax(0)]
    planes = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *(1,) * len(spatial))
    return y, index + planes * int(np.prod(spatial))
