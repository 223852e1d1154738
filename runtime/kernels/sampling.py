"""Reading an image between its pixels, at places that are computed."""

from collections.abc import Iterator
from itertools import product
from math import ceil, prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import window_of
from ...compiler.ops.sampling import coordinates
from ..kerneldef import Array, kernel
from .resampling import CURVES

CUBIC = -0.75  # the parameter of cubic convolution


@kernel("GridSample")
def grid_sample(
    x: Array, grid: Array, *, mode: str, padding_mode: str, align_corners: int
) -> Array:
    """x (N, C, *S) at places (N, *O, R), the last axis's coordinate first => y (N, C, *O)."""
    n, channels, *extents = x.shape
    points, taps = prod(grid.shape[1:-1]), []
    for axis, size in enumerate(extents):
        at = grid[..., len(extents) - 1 - axis].reshape(n, points).astype(np.float64)
        at = (at + 1) / 2 * (size - 1) if align_corners else ((at + 1) * size - 1) / 2
        borders = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
        taps.append(list(_neighbours(at, size, mode, padding_mode, borders)))
    pixels = x.reshape(n, channels, prod(extents))
    y = np.zeros((n, channels, points), np.float64)
    for chosen in product(*taps):
        place, weight = np.zeros((), np.intp), np.ones(())
        for size, (index, share) in zip(extents, chosen, strict=True):
            place, weight = place * size + index, weight * share
        y += np.take_along_axis(pixels, place[:, None], 2) * weight[:, None]
    return y.astype(x.dtype).reshape(n, channels, *grid.shape[1:-1])


def _neighbours(
    at: Array, size: int, mode: str, padding: str, borders: tuple[float, float]
) -> Iterator[tuple[Array, Array]]:
    """For each neighbour on an axis its index, and what it weighs: beyond the border by padding."""
    at = np.rint(at) if mode == "nearest" else at
    if padding == "border" and mode != "cubic":
        at = np.clip(at, 0, size - 1)
    elif padding == "reflection":
        at = _reflected(at, *borders)
    curve, reach = (None, 0) if mode == "nearest" else CURVES[mode]
    first = np.floor(at) if curve else np.rint(at)
    for step in range(1 - reach, reach + 1) if curve else (0,):
        tap = first + step
        weight = curve(np.abs(at - tap), CUBIC) if curve else np.ones_like(at)
        if padding == "zeros":
            weight = np.where((tap >= 0) & (tap < size), weight, 0)
        elif padding == "reflection":
            tap = _reflected(tap, *borders)
        yield np.clip(tap, 0, size - 1).astype(np.intp), weight


def _reflected(at: Array, low: float, high: float) -> Array:
    """Places mirrored at both borders until they lie between them."""
    span = high - low
    if span == 0:
        return np.full_like(at, low)
    away = np.abs(at - low) % (2 * span)
    return np.asarray(np.minimum(away, 2 * span - away) + low)


@kernel("AffineGrid")
def affine_grid(theta: Array, size: Array, *, align_corners: int) -> Array:
    """theta (N, R, R + 1) times the coordinates of each pixel, the last axis's first, and 1."""
    spatial = [int(extent) for extent in size[2:]]
    lines = [np.array(coordinates(extent, bool(align_corners))) for extent in spatial]
    places = np.stack([*np.meshgrid(*lines, indexing="ij")[::-1], np.ones(spatial)], -1)
    found = places.reshape(-1, len(spatial) + 1) @ theta.transpose(0, 2, 1)
    return found.astype(theta.dtype).reshape(len(theta), *spatial, len(spatial))


@kernel("RoiAlign")
def roi_align(
    x: Array,
    regions: Array,
    samples: Array,
    *,
    mode: str,
    output_height: int,
    output_width: int,
    sampling_ratio: int,
    spatial_scale: float,
    coordinate_transformation_mode: str,
) -> Array:
    """Regions of x (N, C, H, W) in a grid of bins: means, or maxima, of places between pixels."""
    half = coordinate_transformation_mode == "half_pixel"
    shape = (output_height, output_width)
    y = np.zeros((len(regions), x.shape[1], *shape), x.dtype)
    for number, (region, sample) in enumerate(zip(regions, samples, strict=True)):
        left, top, right, bottom = region.astype(np.float64) * spatial_scale - 0.5 * half
        sides = [bottom - top, right - left]
        if not half:
            sides = [max(side, 1.0) for side in sides]
        taps = [
            _bin_taps(start, side, bins, size, sampling_ratio)
            for start, side, bins, size in zip((top, left), sides, shape, x.shape[2:], strict=True)
        ]
        y[number] = _binned(x[int(sample)], *taps, largest=mode == "max")
    return y


def _bin_taps(
    start: float, side: float, bins: int, size: int, ratio: int
) -> tuple[Array, Array, Array, Array]:
    """For each bin's places (bins, places) on an axis the pixels around, and what they weigh."""
    count = ratio if ratio > 0 else max(ceil(side / bins), 1)
    at = start + (np.arange(bins)[:, None] + (np.arange(count) + 0.5) / count) * (side / bins)
    outside = (at < -1) | (at > size)
    at = np.clip(at, 0, size - 1)
    low = np.minimum(at.astype(np.intp), size - 1)
    share = at - low
    return (
        low,
        np.minimum(low + 1, size - 1),
        np.where(outside, 0, 1 - share),
        np.where(outside, 0, share),
    )


def _binned(x: Array, rows: Any, columns: Any, *, largest: bool) -> Array:
    """Bins (C, h, w) of an image (C, H, W): the mean of its places, or the largest part of one."""
    parts = [
        x[:, rows[i][:, :, None, None], columns[j]]
        * (rows[2 + i][:, :, None, None] * columns[2 + j])
        for i in (0, 1)
        for j in (0, 1)
    ]
    if largest:
        return np.asarray(np.maximum.reduce(parts).max(axis=(2, 4)))
    return np.asarray(np.add.reduce(parts).mean(axis=(2, 4)))


@kernel("MaxRoiPool")
def max_roi_pool(
    x: Array, regions: Array, *, pooled_shape: tuple[int, int], spatial_scale: float
) -> Array:
    """The maxima of regions of x (N, C, H, W), in a grid of bins; 0 for a bin without pixels."""
    y = np.zeros((len(regions), x.shape[1], *pooled_shape), x.dtype)
    for number, (sample, *corners) in enumerate(regions):
        left, top, right, bottom = (int(np.floor(c * spatial_scale + 0.5)) for c in corners)
        spans = [
            list(_bins(start, end, bins, size))
            for start, end, bins, size in zip(
                (top, left), (bottom, right), pooled_shape, x.shape[2:], strict=True
            )
        ]
        for (i, rows), (j, columns) in product(*map(enumerate, spans)):
            part = x[int(sample), :, rows, columns]
            if part.size:
                y[number, :, i, j] = part.max(axis=(1, 2))
    return y


def _bins(start: int, end: int, bins: int, size: int) -> Iterator[slice]:
    """The pixels of each bin between two places, both included."""
    side = max(end - start + 1, 1) / bins
    for number in range(bins):
        first, last = int(np.floor(number * side)), ceil((number + 1) * side)
        yield slice(min(max(first + start, 0), size), min(max(last + start, 0), size))


@kernel("Col2Im")
def col2im(x: Array, image: Array, block: Array, **attributes: Any) -> Array:
    """Columns (N, C * prod K, L) added up at the places of their blocks in images (N, C, *S)."""
    window = window_of({**attributes, "kernel_shape": tuple(int(k) for k in block)})
    extents = [int(extent) for extent in image]
    counts = [int(count) for count in window.output(extents)]  # type: ignore[arg-type]  # known
    channels = x.shape[1] // prod(window.kernel)
    columns = x.reshape(len(x), channels, *window.kernel, *counts)
    y = np.zeros((*columns.shape[:2], *map(int, window.padded(extents))), x.dtype)  # type: ignore[arg-type]
    every: Any = (slice(None),) * window.rank
    for tap in product(*map(range, window.kernel)):
        places = (
            slice(t * d, t * d + (c - 1) * s + 1, s)
            for t, d, c, s in zip(tap, window.dilations, counts, window.strides, strict=True)
        )
        y[(slice(None), slice(None), *places)] += columns[(slice(None), slice(None), *tap, *every)]
    kept = (slice(b, b + e) for b, e in zip(window.before, extents, strict=True))
    return np.ascontiguousarray(y[(slice(None), slice(None), *kept)])


@kernel("DeformConv")
def deform_conv(
    x: Array,
    w: Array,
    offsets: Array,
    b: Array | None = None,
    mask: Array | None = None,
    *,
    group: int,
    offset_group: int,
    **attributes: Any,
) -> Array:
    """A convolution that sees x (N, C, *S) beside the places of its taps, by offsets, masked.

    `offsets` are (N, G * prod K * R, *O), for each group of channels and tap R of them; `mask` is
    (N, G * prod K, *O) (Dai et al. 2017; Zhu et al. 2019).
    """
    window = window_of({**attributes, "kernel_shape": w.shape[2:]})
    n, channels, *extents = x.shape
    counts = [int(count) for count in window.output(extents)]  # type: ignore[arg-type]  # known
    taps, points = prod(window.kernel), prod(counts)
    moved = offsets.reshape(n, offset_group, taps, len(extents), points)
    heads = x.reshape(n * offset_group, channels // offset_group, *extents)
    seen = np.empty((n, offset_group, channels // offset_group, taps, points), x.dtype)
    starts = np.indices(counts).reshape(len(extents), points)
    for number, tap in enumerate(product(*map(range, window.kernel))):
        places = [
            starts[axis] * window.strides[axis]
            - window.before[axis]
            + tap[axis] * window.dilations[axis]
            + moved[:, :, number, axis].reshape(-1, points)
            for axis in range(len(extents))
        ]
        at = np.stack([2 * p / max(e - 1, 1) - 1 for p, e in zip(places, extents, strict=True)], -1)
        grid = at[..., ::-1].reshape(len(heads), points, *(1,) * (len(extents) - 1), len(extents))
        found = grid_sample(heads, grid, mode="linear", padding_mode="zeros", align_corners=1)
        seen[:, :, :, number] = found.reshape(n, offset_group, -1, points)
    if mask is not None:
        seen *= mask.reshape(n, offset_group, 1, taps, points)
    columns = seen.reshape(n, group, channels // group * taps, points)
    kernels = w.reshape(group, len(w) // group, -1)
    y: Array = np.matmul(kernels, columns).reshape(n, len(w), *counts)
    return y if b is None else y + b.reshape(-1, *(1,) * len(counts))
