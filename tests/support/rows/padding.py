"""Padding and cropping."""

from typing import Any

from support.layers import LayerRow, Oracle


def padded(*sides: int, mode: str = "constant", value: float = 0.0) -> Oracle:
    """PyTorch's `pad`: sides of the last axis first; replication is its word for `edge`."""

    def oracle(x: Any, state: Any) -> Any:
        from torch.nn.functional import pad

        number = {"value": value} if mode == "constant" else {}
        return pad(x, sides, mode, **number)

    return oracle


def of_first(cut: Oracle) -> Oracle:
    """What a function makes of the first of several inputs."""
    return lambda x, state: cut(x[0], state)


CROPPED = "a = INPUT(7x8x3)\nb = INPUT(4x3x5)\na -> CROP(b) as l -> FC\nb -> FC"

ROWS = [
    LayerRow("INPUT(4x5x3) -> PAD(2) as l", "8x9x3", torch=padded(2, 2, 2, 2)),
    LayerRow(
        "INPUT(4x5x3) -> PAD(1x0, value=-2) as l", "6x5x3", torch=padded(0, 0, 1, 1, value=-2)
    ),
    LayerRow("INPUT(4x5x3) -> PAD((0x1, 2x3)) as l", "6x9x3", torch=padded(1, 3, 0, 2)),
    LayerRow("INPUT(4x5x3) -> PAD(0) as l", "4x5x3", torch=lambda x, state: x),
    LayerRow(
        "INPUT(4x5x3) -> PAD((3x4, 1x0), reflect) as l",
        "8x9x3",
        torch=padded(4, 0, 3, 1, mode="reflect"),
    ),
    LayerRow(
        "INPUT(4x5x3) -> PAD(pad=6, mode=edge) as l",
        "16x17x3",
        torch=padded(6, 6, 6, 6, mode="replicate"),
    ),
    LayerRow("INPUT(6x4, sequence) -> PAD(2) as l", "10x4", torch=padded(0, 0, 2, 2)),
    LayerRow("INPUT(3x4x5x2) -> PAD(1x2x0) as l", "5x8x5x2", torch=padded(0, 0, 2, 2, 1, 1)),
    LayerRow(
        "INPUT(4x5x3) -> PAD((0, 4), axis=channels) as l",
        "4x5x7",
        torch=padded(0, 0, 0, 0, 0, 4),
    ),
    LayerRow("INPUT(6) -> PAD(1, axis=0) as l", "8", torch=padded(1, 1)),
    LayerRow("INPUT(7x8x3) -> CROP(4x4) as l", "4x4x3", torch=lambda x, _: x[:, :, 1:5, 2:6]),
    LayerRow("INPUT(7x8x3) -> CROP(3) as l", "3x3x3", torch=lambda x, _: x[:, :, 2:5, 2:5]),
    LayerRow("INPUT(7x8x3) -> CROP(7x8) as l", "7x8x3", torch=lambda x, _: x),
    LayerRow(
        "INPUT(7x8x3) -> CROP(margin=(1x0, 2x3)) as l",
        "4x5x3",
        torch=lambda x, _: x[:, :, 1:5, :5],
    ),
    LayerRow("INPUT(7x8x3) -> CROP(margin=1) as l", "5x6x3", torch=lambda x, _: x[:, :, 1:6, 1:7]),
    LayerRow("INPUT(9x2, sequence) -> CROP(size=(4,)) as l", "4x2", torch=lambda x, _: x[:, 2:6]),
    LayerRow(CROPPED, "4x3x3", torch=of_first(lambda x, _: x[:, :, 1:5, 2:5])),
]
