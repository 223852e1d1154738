"""Interpolation, and the shuffle of channels into space."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil, prod
from typing import NamedTuple

import numpy as np

from ...compiler.ops.resampling import CROP, changes_of
from ..kerneldef import Array, Layout, kernel

# Up to this extent a dense matrix of interpolation weights beats picking the two neighbours.
DENSE_EXTENT = 256

# Where in the input an output position lies, by (position, scale, input extent, output extent).
COORDINATES: Mapping[str, Callable[[Array, float, int, int], Array]] = {
    "half_pixel": lambda o, scale, before, after: (o + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda o, scale, before, after: (
        (o + 0.5) / scale - 0.5 if after > 1 else o * 0.0
    ),
    "asymmetric": lambda o, scale, before, after: o / scale,
    "half_pixel_symmetric": lambda o, scale, before, after: (
        before / 2 * (1 - after / (before * scale)) + (o + 0.5) / scale - 0.5
    ),
    "align_corners": lambda o, scale, before, after: o * ((before - 1) / max(after - 1, 1)),
}

ROUNDINGS: Mapping[str, Callable[[Array], Array]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda at: np.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: np.floor(at + 0.5),
}


@kernel("Resize", out=True, layout=Layout.AS_ARGUMENT)
def resize(
    x: Array,
    region: Array | None = None,
    scales: Array | None = None,
    sizes: Array | None = None,
    *,
    mode: str,
    coordinate_transformation_mode: str,
    nearest_mode: str,
    axes: Sequence[int] | None,
    cubic_coeff_a: float,
    exclude_outside: int,
    antialias: int,
    keep_aspect_ratio_policy: str,
    extrapolation_value: float,
    out: Array | None = None,
) -> Array:
    """X (*S), scales or sizes, one per axis or per one of `axes` => y, axis by axis.

    `region` holds all starts, then all ends of what is cropped, as shares of the axes; beyond the
    borders stands `extrapolation_value`.
    """
    crops = coordinate_transformation_mode == CROP
    given = None if sizes is None else tuple(map(int, sizes))
    factors = None if scales is None else tuple(map(float, scales))
    bounds = tuple(map(float, region)) if crops and region is not None else None
    changes = changes_of(x.shape, factors, given, axes, bounds, keep_aspect_ratio_policy)
    y, beyond = x, []
    for number, (axis, change) in enumerate(changes.items()):
        before, after = x.shape[axis], int(change.after)  # type: ignore[arg-type]  # known
        scale, places = float(change.scale or 1), np.arange(after, dtype=np.float64)
        if bounds:
            start, end = bounds[number :: len(changes)]
            at = _cropped(places, start, end, before)
            beyond.append((axis, (at < 0) | (at > before - 1)))
        elif scale == 1 and after == before:
            continue
        else:
            at = COORDINATES[coordinate_transformation_mode](places, scale, before, after)
        if mode == "nearest":
            target = out if axis == max(changes) else None
            y = _picked(y, axis, ROUNDINGS[nearest_mode](at), target)
        elif mode == "linear" and not antialias and not exclude_outside:
            y = _interpolated(y, axis, at)
        else:
            width = min(scale, 1.0) if antialias else 1.0
            curve, reach = CURVES[mode]
            weights = _weights(at, partial(curve, a=cubic_coeff_a), reach, width)
            if exclude_outside or antialias:
                weights = _normalized(weights, before, inside=bool(exclude_outside))
            y = _multiplied(y, axis, _matrix(weights, before).astype(x.dtype))
    for axis, outside in beyond:
        y = y if y is not x else x.copy()
        y[(slice(None),) * axis + (outside,)] = extrapolation_value
    if out is not None and y is not out:
        out[...] = y
        return out
    return y if y is not x else x.copy()


def _cropped(places: Array, start: float, end: float, extent: int) -> Array:
    """Where positions lie between two shares of an axis; its middle where there is one alone."""
    if len(places) == 1:
        return places + 0.5 * (start + end) * (extent - 1)
    return start * (extent - 1) + places * ((end - start) * (extent - 1) / (len(places) - 1))


def _triangle(d: Array, a: float) -> Array:
    """The weight of a neighbour at a distance, where interpolation is linear."""
    return np.asarray(np.maximum(1 - d, 0))


def _cubic(d: Array, a: float) -> Array:
    """That of cubic convolution (Keys 1981, equation 4)."""
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.asarray(np.where(d < 1, near, np.where(d < 2, far, 0)))


# The weight of a neighbour at a distance, and from which one on it is 0.
CURVES: Mapping[str, tuple[Callable[..., Array], int]] = {
    "linear": (_triangle, 1),
    "cubic": (_cubic, 2),
}


class Weights(NamedTuple):
    """The neighbours of each position, and what each weighs, both (after, neighbours)."""

    taps: Array
    shares: Array


def _weights(at: Array, curve: Callable[[Array], Array], reach: int, width: float) -> Weights:
    """The neighbours of positions; a `width` below 1 weighs as many more, against aliasing."""
    side = ceil(reach / width)
    taps = np.floor(at)[:, None] + np.arange(1 - side, side + 1)
    return Weights(taps, curve(np.abs(at[:, None] - taps) * width))


def _normalized(weights: Weights, extent: int, *, inside: bool) -> Weights:
    """Weights that sum to 1; with `inside` what lies beyond the border weighs nothing."""
    taps, shares = weights
    if inside:
        shares = np.where((taps >= 0) & (taps < extent), shares, 0)
    return Weights(taps, shares / shares.sum(1, keepdims=True))


def _matrix(weights: Weights, extent: int) -> Array:
    """Weights as (after, before); beyond the border stands the border's element."""
    taps, shares = weights
    matrix = np.zeros((len(taps), extent))
    rows = np.broadcast_to(np.arange(len(taps))[:, None], taps.shape)
    np.add.at(matrix, (rows, np.clip(taps, 0, extent - 1).astype(np.intp)), shares)
    return matrix


def _picked(x: Array, axis: int, at: Array, out: Array | None) -> Array:
    """The elements at given positions, those beyond the border clamped to it."""
    index = np.clip(at, 0, x.shape[axis] - 1).astype(np.intp)
    factor, rest = divmod(len(index), max(x.shape[axis], 1))
    if not rest and np.array_equal(index, np.arange(len(index)) // max(factor, 1)):
        shape = (*x.shape[:axis], len(index), *x.shape[axis + 1 :])
        y = np.empty_like(x, shape=shape) if out is None else out
        for start in range(factor):
            y[(slice(None),) * axis + (slice(start, None, factor),)] = x
        return y
    return x.take(index, axis)


def _interpolated(x: Array, axis: int, at: Array) -> Array:
    """Weighted means of the two neighbours of each position."""
    extent = x.shape[axis]
    at = np.clip(at, 0, extent - 1)
    low = np.minimum(at.astype(np.intp), max(extent - 2, 0))
    high = np.minimum(low + 1, extent - 1)
    share = (at - low).astype(x.dtype)
    if extent <= DENSE_EXTENT:
        return _dense(x, axis, low, high, share)
    wide = share.reshape(-1, *(1,) * (x.ndim - 1 - axis))
    y: Array = x.take(high, axis)
    start = x.take(low, axis)
    y -= start
    y *= wide
    y += start
    return y


def _dense(x: Array, axis: int, low: Array, high: Array, share: Array) -> Array:
    """The same as one matrix product per slice."""
    rows = np.arange(len(low))
    weights = np.zeros((len(low), x.shape[axis]), x.dtype)
    weights[rows, low] = 1 - share
    weights[rows, high] += share
    return _multiplied(x, axis, weights)


def _multiplied(x: Array, axis: int, weights: Array) -> Array:
    """Weights (after, before) times x (..., before, ...) along an axis."""
    if axis == x.ndim - 1:
        return np.asarray(np.matmul(x, weights.T))
    slices = x.reshape(*x.shape[: axis + 1], prod(x.shape[axis + 1 :]))
    y: Array = np.matmul(weights, slices)
    return y.reshape(*x.shape[:axis], len(weights), *x.shape[axis + 1 :])


@kernel("DepthToSpace")
def depth_to_space(x: Array, *, blocksize: int, mode: str) -> Array:
    """X (N, C b^2, H, W) => y (N, C, H b, W b); `CRD` takes channel-major blocks, `DCR` others."""
    n, channels, h, w = x.shape
    b, kept = blocksize, channels // blocksize**2
    if mode == "CRD":
        blocks = x.reshape(n, kept, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    else:
        blocks = x.reshape(n, b, b, kept, h, w).transpose(0, 3, 4, 1, 5, 2)
    y = np.empty((n, kept, h * b, w * b), x.dtype)
    y.reshape(n, kept, h, b, w, b)[...] = blocks
    return y


@kernel("SpaceToDepth")
def space_to_depth(x: Array, *, blocksize: int, mode: str | None = None) -> Array:
    """Blocks of space as channels: the block's place before the channel, or with `CRD` after it."""
    n, c, h, w = x.shape
    b = blocksize
    apart = x.reshape(n, c, h // b, b, w // b, b)
    order = (0, 1, 3, 5, 2, 4) if mode == "CRD" else (0, 3, 5, 1, 2, 4)
    return apart.transpose(order).reshape(n, c * b * b, h // b, w // b)
