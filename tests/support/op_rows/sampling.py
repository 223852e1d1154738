"""Operators that read an image between its pixels."""

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Random, op_row

IMAGE, LINE = Random((None, 2, 4, 5)), Random((None, 2, 6))
PLACES = Random((None, 3, 2, 2), -1.4, 1.4)
REGIONS = Given([[0.2, 0.3, 3.1, 2.6], [1.1, 0.4, 4.9, 3.2], [0.0, 0.0, 2.0, 2.0]])
SAMPLES = Given([0, 1, 0], "int64")
OLDER = "it has only the versions before opset 22"


def sampled(
    x: Array, grid: Array, mode: str = "linear", padding_mode: str = "zeros", align_corners: int = 0
) -> Array:
    """Every pixel, and those that padding adds, weighed by its distance on each axis."""
    letters, places = "abc"[: x.ndim - 2], "ijk"[: grid.ndim - 2]
    weights = [
        _weights(grid[..., x.ndim - 3 - axis], extent, mode, padding_mode, bool(align_corners))
        for axis, extent in enumerate(x.shape[2:])
    ]
    terms = ",".join(f"n{places}{letter}" for letter in letters)
    return np.asarray(np.einsum(f"nx{letters},{terms}->nx{places}", x, *weights))


def _weights(at: Array, extent: int, mode: str, padding: str, align: bool) -> Array:
    """What each pixel of an axis weighs at each place."""
    at = (at + 1) / 2 * (extent - 1) if align else ((at + 1) * extent - 1) / 2
    low, high = (0, extent - 1) if align else (-0.5, extent - 0.5)
    at = _mirrored(at, low, high) if padding == "reflection" else at
    at = np.clip(at, 0, extent - 1) if padding == "border" and mode == "linear" else at
    weights = np.zeros((*at.shape, extent))
    for tap in range(-extent, 2 * extent):
        d = np.abs(at - tap)
        near = 1.25 * d**3 - 2.25 * d**2 + 1
        far = -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
        cubic = np.where(d < 1, near, np.where(d < 2, far, 0))
        mirrored = float(_mirrored(np.array(float(tap)), low, high))
        pixel = mirrored if padding == "reflection" else tap
        if padding != "zeros" or 0 <= tap < extent:
            share = cubic if mode == "cubic" else np.maximum(1 - d, 0)
            weights[..., int(min(max(pixel, 0), extent - 1))] += share
    return weights


def _mirrored(at: Array, low: float, high: float) -> Array:
    """Places mirrored at the borders, once at each after the other."""
    for _ in range(4):
        at = np.where(at < low, 2 * low - at, at)
        at = np.where(at > high, 2 * high - at, at)
    return at


def placed(theta: Array, size: Array, align_corners: int = 0) -> Array:
    """Coordinate by coordinate."""
    shape = tuple(size[2:])
    axes = [
        np.linspace(-1, 1, n) if align_corners else (np.arange(n) * 2 + 1) / n - 1 for n in shape
    ]
    y = np.zeros((len(theta), *shape, len(shape)))
    for place in np.ndindex(*shape):
        point = [axes[i][place[i]] for i in reversed(range(len(shape)))]
        y[(slice(None), *place)] = theta @ np.array([*point, 1.0])
    return y


def deformed(
    x: Array,
    w: Array,
    offsets: Array,
    b: Array | None = None,
    mask: Array | None = None,
    *,
    kernel_shape: tuple[int, int],
    group: int = 1,
    offset_group: int = 1,
    strides: tuple[int, int] = (1, 1),
    pads: tuple[int, ...] = (0, 0, 0, 0),
) -> Array:
    """Place by place and tap by tap, each pixel weighed by its distance."""
    n, channels, *extents = x.shape
    y = np.zeros((n, len(w), *offsets.shape[2:]))
    moved = offsets.reshape(n, offset_group, *kernel_shape, 2, *offsets.shape[2:])
    kept = np.ones((n, offset_group, *kernel_shape, *offsets.shape[2:]))
    kept = kept if mask is None else mask.reshape(kept.shape)
    for s, m, *place in np.ndindex(*y.shape):
        for c, *tap in np.ndindex(*w.shape[1:]):
            channel = m // (len(w) // group) * w.shape[1] + c
            head = channel // (channels // offset_group)
            shares = []
            for i in (0, 1):
                at = place[i] * strides[i] - pads[i] + tap[i] + moved[(s, head, *tap, i, *place)]
                shares.append(np.maximum(1 - np.abs(at - np.arange(extents[i])), 0))
            seen = shares[0] @ x[s, channel] @ shares[1]
            y[(s, m, *place)] += w[(m, c, *tap)] * seen * kept[(s, head, *tap, *place)]
    return y if b is None else y + b.reshape(-1, 1, 1)


def columns_as_image(x: Array, image: Array, block: Array, **attributes: object) -> Array:
    """Blocks side by side at a stride of their own extents do not overlap."""
    n, (h, w), (a, b) = len(x), image, block
    parts = x.reshape(n, -1, a, b, h // a, w // b)
    return np.asarray(parts.transpose(0, 1, 4, 2, 5, 3).reshape(n, -1, h, w))


ROWS = [
    *(
        op_row(
            *("GridSample", IMAGE, PLACES),
            mode=mode,
            padding_mode=padding,
            align_corners=align,
            formula=None if mode == "nearest" else sampled,
            no_gradient="" if mode == "linear" and padding != "reflection" else "it is not built",
        )
        for mode in ("linear", "nearest", "cubic")
        for padding in ("zeros", "border", "reflection")
        for align in (0, 1)
    ),
    op_row(
        *("GridSample", Random((2, 1, 3, 4, 2)), Random((2, 2, 2, 3, 3), -0.9, 0.9)),
        formula=sampled,
    ),
    op_row("AffineGrid", Random((2, 2, 3)), Known((2, 1, 3, 4)), formula=placed),
    op_row("AffineGrid", Random((2, 2, 3)), Known((2, 1, 3, 4)), formula=placed, align_corners=1),
    op_row("AffineGrid", Random((2, 3, 4)), Known((2, 1, 2, 3, 4)), formula=placed),
    op_row(
        *("RoiAlign", Random((2, 3, 5, 6)), REGIONS, SAMPLES),
        output_height=2,
        output_width=3,
        no_engine=OLDER,
    ),
    op_row(
        *("RoiAlign", Random((2, 3, 5, 6)), REGIONS, SAMPLES),
        output_height=2,
        output_width=2,
        sampling_ratio=2,
        spatial_scale=0.75,
        coordinate_transformation_mode="output_half_pixel",
        no_engine=OLDER,
    ),
    op_row(
        *("RoiAlign", Random((2, 3, 5, 6)), REGIONS, SAMPLES),
        mode="max",
        output_height=2,
        output_width=2,
        sampling_ratio=2,
        no_engine=OLDER,
    ),
    op_row(
        *("MaxRoiPool", Random((2, 3, 5, 6)), Given([[0, 0, 0, 3, 3], [1, 1, 1, 5, 4]])),
        pooled_shape=(2, 2),
        no_engine=OLDER,
        formula=lambda x, regions, pooled_shape: np.stack(
            [
                x[0, :, :4, :4].reshape(3, 2, 2, 2, 2).max((2, 4)),
                np.stack(
                    [
                        [x[1, :, r, c].max((1, 2)) for c in (slice(1, 4), slice(3, 6))]
                        for r in (slice(1, 3), slice(3, 5))
                    ]
                ).transpose(2, 0, 1),
            ]
        ),
    ),
    op_row(
        *("Col2Im", Random((None, 12, 4)), Known((4, 6)), Known((2, 3))),
        strides=(2, 3),
        formula=columns_as_image,
    ),
    op_row("Col2Im", Random((None, 8, 15)), Known((4, 6)), Known((2, 2))),
    op_row(
        "Col2Im",
        Random((2, 4, 12)),
        Known((5, 6)),
        Known((2, 2)),
        pads=(0, 1, 0, 1),
        strides=(2, 1),
        dilations=(2, 2),
    ),
    op_row(
        *("DeformConv", Random((2, 4, 5, 5)), Random((4, 2, 2, 2)), Random((2, 16, 4, 4))),
        *(Random((4,)), Random((2, 8, 4, 4))),
        formula=deformed,
        group=2,
        offset_group=2,
        kernel_shape=(2, 2),
    ),
    op_row(
        *("DeformConv", Random((2, 2, 5, 5)), Random((3, 2, 2, 2)), Random((2, 8, 3, 3), -2, 2)),
        strides=(2, 2),
        pads=(1, 1, 0, 0),
        kernel_shape=(2, 2),
        formula=deformed,
    ),
]
