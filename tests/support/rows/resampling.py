"""Enlarging images, and shuffling channels."""

from typing import Any

from support.layers import LayerRow, Oracle


def interpolated(factor: Any, mode: str) -> Oracle:
    """PyTorch's interpolation by a factor, `align_corners=False`."""
    return resized(scale_factor=factor, mode=mode)


def resized(**options: Any) -> Oracle:
    """PyTorch's interpolation."""

    def oracle(x: Any, state: Any) -> Any:
        from torch.nn.functional import interpolate

        sequence = x.ndim == 3
        x = x.transpose(1, 2) if sequence else x
        y = interpolate(x, **options)
        return y.transpose(1, 2) if sequence else y

    return oracle


def restored(x: Any, state: Any) -> Any:
    """A pooled image stretched to the size before."""
    from torch.nn.functional import interpolate, max_pool2d

    return interpolate(max_pool2d(x, 2), size=x.shape[2:], mode="bilinear")


def pixels_shuffled(factor: int) -> Oracle:
    """PyTorch's pixel shuffle."""

    def oracle(x: Any, state: Any) -> Any:
        from torch.nn.functional import pixel_shuffle

        return pixel_shuffle(x, factor)

    return oracle


def line_shuffled(x: Any, state: Any) -> Any:
    """A sequence whose channel c * 2 + i at l becomes channel c at 2 l + i."""
    return x.reshape(len(x), 5, 3, 2).transpose(2, 3).reshape(len(x), 10, 3)


def volume_shuffled(x: Any, state: Any) -> Any:
    """Slices by one shuffle of lines, rows and columns by PyTorch's."""
    from torch.nn.functional import pixel_shuffle

    n, c, d, h, w = x.shape
    blocks = x.reshape(n, c // 8, 2, 4, d, h, w).permute(0, 1, 4, 2, 3, 5, 6)
    flat = blocks.reshape(n * c // 8 * d * 2, 4, h, w)
    return pixel_shuffle(flat, 2).reshape(n, c // 8, 2 * d, 2 * h, 2 * w)


def channels_shuffled(groups: int, axis: int = 1) -> Oracle:
    """PyTorch's channel shuffle, on any axis."""

    def oracle(x: Any, state: Any) -> Any:
        from torch.nn.functional import channel_shuffle

        moved = x.movedim(axis, 1)
        moved = moved[..., None] if x.ndim == 2 else moved
        return channel_shuffle(moved, groups).reshape(moved.shape).movedim(1, axis).reshape(x.shape)

    return oracle


ROWS = [
    LayerRow("INPUT(4x5x3) -> UPSAMPLE as l", "8x10x3", torch=interpolated(2, "nearest")),
    LayerRow(
        "INPUT(4x5x3) -> UPSAMPLE(3, nearest) as l", "12x15x3", torch=interpolated(3, "nearest")
    ),
    LayerRow(
        "INPUT(4x5x3) -> UPSAMPLE(2, bilinear) as l", "8x10x3", torch=interpolated(2, "bilinear")
    ),
    LayerRow(
        "INPUT(4x5x3) -> UPSAMPLE(1x3, linear) as l",
        "4x15x3",
        torch=interpolated((1, 3), "bilinear"),
    ),
    LayerRow(
        "INPUT(300x1x2) -> UPSAMPLE(2x4, bilinear) as l",
        "600x4x2",
        torch=interpolated((2, 4), "bilinear"),
    ),
    LayerRow("INPUT(4x5x3) -> UPSAMPLE(1) as l", "4x5x3", torch=interpolated(1, "nearest")),
    LayerRow("INPUT(6x3, sequence) -> UPSAMPLE(4) as l", "24x3", torch=interpolated(4, "nearest")),
    LayerRow(
        "INPUT(6x3, sequence) -> UPSAMPLE(2, linear) as l", "12x3", torch=interpolated(2, "linear")
    ),
    LayerRow(
        "INPUT(3x4x2x3) -> UPSAMPLE(2x1x3) as l",
        "6x4x6x3",
        torch=interpolated((2, 1, 3), "nearest"),
    ),
    LayerRow(
        "INPUT(3x4x2x3) -> UPSAMPLE(2, trilinear) as l",
        "6x8x4x3",
        torch=interpolated(2, "trilinear"),
    ),
    *(
        LayerRow(f"INPUT(5x6x3) -> RESIZE({given}) as l", size, torch=resized(**options))
        for given, size, options in (
            ("7x9", "7x9x3", {"size": (7, 9)}),
            ("3", "15x18x3", {"scale_factor": 3.0}),
            ("7x9, linear", "7x9x3", {"size": (7, 9), "mode": "bilinear"}),
            ("1.5, linear", "7x9x3", {"scale_factor": 1.5, "mode": "bilinear"}),
            ("8x4, cubic", "8x4x3", {"size": (8, 4), "mode": "bicubic"}),
            (
                *("7x9, linear, align=yes", "7x9x3"),
                {"size": (7, 9), "mode": "bilinear", "align_corners": True},
            ),
            (
                *("factor=(0.5, 1.75), cubic", "2x10x3"),
                {"scale_factor": (0.5, 1.75), "mode": "bicubic"},
            ),
            (
                *("2x3, linear, antialias=yes", "2x3x3"),
                {"size": (2, 3), "mode": "bilinear", "antialias": True},
            ),
            (
                *("2x3, cubic, antialias=yes", "2x3x3"),
                {"size": (2, 3), "mode": "bicubic", "antialias": True},
            ),
        )
    ),
    LayerRow(
        "x = INPUT(5x6x3)\nx -> POOL -> RESIZE(like=x, linear) as l",
        "5x6x3",
        torch=restored,
    ),
    LayerRow(
        "INPUT(6x3, sequence) -> RESIZE(size=9, linear) as l",
        "9x3",
        torch=resized(size=9, mode="linear"),
    ),
    LayerRow(
        "INPUT(3x4x2x3) -> RESIZE(2x6x4, trilinear) as l",
        "2x6x4x3",
        torch=resized(size=(2, 6, 4), mode="trilinear"),
    ),
    LayerRow("INPUT(10x9x1) -> RESIZE(1.3, linear) as l", "13x11x1"),
    LayerRow("INPUT(4x5x12) -> PIXELSHUFFLE as l", "8x10x3", torch=pixels_shuffled(2)),
    LayerRow("INPUT(4x5x18) -> PIXELSHUFFLE(3) as l", "12x15x2", torch=pixels_shuffled(3)),
    LayerRow("INPUT(5x6, sequence) -> PIXELSHUFFLE(2) as l", "10x3", torch=line_shuffled),
    LayerRow("INPUT(2x3x4x16) -> PIXELSHUFFLE(2) as l", "4x6x8x2", torch=volume_shuffled),
    LayerRow("INPUT(4x5x12) -> CHANNELSHUFFLE(3) as l", "4x5x12", torch=channels_shuffled(3)),
    LayerRow(
        "INPUT(5x6, sequence) -> CHANNELSHUFFLE(2) as l", "5x6", torch=channels_shuffled(2, axis=2)
    ),
    LayerRow("INPUT(2x3x4x6) -> CHANNELSHUFFLE(3) as l", "2x3x4x6", torch=channels_shuffled(3)),
    LayerRow("INPUT(6) -> CHANNELSHUFFLE(groups=3) as l", "6", torch=channels_shuffled(3)),
]
