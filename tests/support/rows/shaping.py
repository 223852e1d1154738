"""Other extents, and another order of axes."""

from typing import Any

from support.layers import LayerRow, Oracle


def positions(x: Any, state: Any) -> Any:
    """An image's positions in a row, as ViT takes them."""
    return x.flatten(2).transpose(1, 2)


def as_image(height: int, width: int) -> Oracle:
    """A row of positions as an image again."""
    return lambda x, state: x.transpose(1, 2).unflatten(2, (height, width))


def permuted(*axes: int) -> Oracle:
    """PyTorch's `permute`."""
    return lambda x, state: x.permute(*axes)


ROWS = [
    LayerRow("INPUT(4x5x3) -> RESHAPE(20x3) as l", "20x3", torch=positions),
    LayerRow("INPUT(2x4x5x3) -> RESHAPE(40x3) as l", "40x3", torch=positions),
    LayerRow("INPUT(20x3, sequence) -> RESHAPE(4x5x3) as l", "4x5x3", torch=as_image(4, 5)),
    LayerRow(
        "INPUT(4x5x6) -> RESHAPE(10x12) as l",
        "10x12",
        torch=lambda x, state: x.permute(0, 2, 3, 1).reshape(-1, 10, 12),
    ),
    LayerRow(
        "INPUT(28x12) -> RESHAPE(28x12) as l -> LSTM(3, last)",
        "28x12",
        torch=lambda x, state: x.squeeze(1),
    ),
    LayerRow(
        "INPUT(2x3x4x5) -> RESHAPE(6x20) as l",
        "6x20",
        torch=lambda x, state: x.permute(0, 2, 3, 4, 1).reshape(-1, 6, 20),
    ),
    LayerRow(
        "INPUT(28x12, sequence) -> RESHAPE(28x12x1) as l",
        "28x12x1",
        torch=lambda x, state: x.unsqueeze(1),
    ),
    LayerRow(
        "INPUT(6x20, sequence) -> RESHAPE(2x3x4x5) as l",
        "2x3x4x5",
        torch=lambda x, state: x.reshape(-1, 2, 3, 4, 5).permute(0, 4, 1, 2, 3),
    ),
    LayerRow(
        "INPUT(6x4x3) -> RESHAPE(2x4x9) as l",
        "2x4x9",
        torch=lambda x, state: x.reshape(-1, 9, 2, 4),
    ),
    LayerRow(
        "INPUT(6x4x8) -> RESHAPE(2x6x4x4) as l",
        "2x6x4x4",
        torch=lambda x, state: x.reshape(-1, 4, 2, 6, 4),
    ),
    LayerRow("INPUT(4x5x3) -> RESHAPE(60) as l", "60", torch=lambda x, state: x.flatten(1)),
    LayerRow(
        "INPUT(20x3, sequence) -> RESHAPE(60) as l", "60", torch=lambda x, state: x.flatten(1)
    ),
    LayerRow(
        "INPUT(20x3, sequence) -> RESHAPE(10x6) as l",
        "10x6",
        torch=lambda x, state: x.reshape(-1, 10, 6),
    ),
    LayerRow(
        "INPUT(60) -> RESHAPE(size=20x3) as l", "20x3", torch=lambda x, state: x.reshape(-1, 20, 3)
    ),
    LayerRow(
        "INPUT(60) -> RESHAPE(4x5x3) as l", "4x5x3", torch=lambda x, state: x.reshape(-1, 3, 4, 5)
    ),
    LayerRow(
        "INPUT(4x5x3) -> RESHAPE((2, -1, 3)) as l",
        "2x10x3",
        torch=lambda x, state: x.reshape(-1, 3, 2, 10),
    ),
    LayerRow(
        "INPUT(20x6, sequence) -> RESHAPE(-1) as l", "120", torch=lambda x, state: x.flatten(1)
    ),
    LayerRow(
        "INPUT(12, dtype=int64) -> RESHAPE(12) as l -> EMBED(4, 2)",
        "12",
        torch=lambda x, state: x,
    ),
    LayerRow("INPUT(4x5x3) -> PERMUTE((1, 0, 2)) as l", "5x4x3", torch=permuted(0, 1, 3, 2)),
    LayerRow("INPUT(4x5x3) -> PERMUTE((2, 0, 1)) as l", "3x4x5", torch=permuted(0, 3, 1, 2)),
    LayerRow(
        "INPUT(4x5x3) -> PERMUTE((channels, height, width)) as l",
        "3x4x5",
        torch=permuted(0, 3, 1, 2),
    ),
    LayerRow("INPUT(4x5, sequence) -> PERMUTE((-1, length)) as l", "5x4", torch=permuted(0, 2, 1)),
    LayerRow(
        "INPUT(2x4x5x3) -> PERMUTE((width, depth, height, channels)) as l",
        "5x2x4x3",
        torch=permuted(0, 1, 4, 2, 3),
    ),
    LayerRow("INPUT(4x5x3) -> PERMUTE((0, 1, 2)) as l", "4x5x3", torch=lambda x, state: x),
]
