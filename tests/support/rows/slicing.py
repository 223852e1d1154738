"""Slicing, splitting and rolling."""

from typing import Any

from support.layers import LayerRow, Oracle


def rolled(shifts: tuple[int, ...], axes: tuple[int, ...]) -> Oracle:
    """PyTorch's `roll`."""
    return lambda x, state: x.roll(shifts, axes)


def mapped_apart(x: Any, state: Any) -> Any:
    """Three parts of the channels, two of them mapped, side by side again."""
    import torch

    first, second, third = x.chunk(3, 1)
    return torch.cat([first, second.relu(), third.tanh()], 1)


ROWS = [
    LayerRow("INPUT(7x8x5) -> SLICE(1, 3) as l", "7x8x2", torch=lambda x, _: x[:, 1:3]),
    LayerRow("INPUT(7x8x5) -> SLICE(-3, end) as l", "7x8x3", torch=lambda x, _: x[:, -3:]),
    LayerRow(
        "INPUT(7x8x5) -> SLICE(start=1, stop=-1, axis=width) as l",
        "7x6x5",
        torch=lambda x, _: x[..., 1:-1],
    ),
    LayerRow("INPUT(7x8, sequence) -> SLICE(0, axis=length) as l", "8", torch=lambda x, _: x[:, 0]),
    LayerRow("INPUT(7x8, sequence) -> SLICE(-1) as l", "7", torch=lambda x, _: x[..., -1]),
    LayerRow("INPUT(7x8x5) -> SLICE(2) as l", "7x8", torch=lambda x, _: x[:, 2]),
    LayerRow(
        "INPUT(7x8x5) -> SLICE(2, axis=0) as l",
        "8x5",
        torch=lambda x, _: x[:, :, 2].transpose(1, 2),
    ),
    LayerRow(
        "INPUT(2x7x8x5) -> SLICE(1, axis=height) as l", "2x8x5", torch=lambda x, _: x[:, :, :, 1]
    ),
    LayerRow(
        "INPUT(2x7x8x5) -> SLICE(3) as l", "2x7x8", torch=lambda x, _: x[:, 3].permute(0, 3, 1, 2)
    ),
    LayerRow("INPUT(6, dtype=int64) -> SLICE(1, 4, axis=length) as l -> EMBED(4, 2)", "3"),
    LayerRow(
        "INPUT(4x5x6) -> SPLIT(3) -> ( ID | RELU | TANH ) -> CONCAT as l",
        "4x5x6",
        torch=mapped_apart,
    ),
    LayerRow(
        "INPUT(4x6, sequence) -> SPLIT(2, axis=length) -> ( ID | RELU ) -> ADD as l",
        "2x6",
        torch=lambda x, _: x[:, :2] + x[:, 2:].relu(),
    ),
    LayerRow("INPUT(4x6, sequence) -> SPLIT(parts=1) as l", "4x6", torch=lambda x, _: x),
    LayerRow("INPUT(4x5x3) -> ROLL(1) as l", "4x5x3", torch=rolled((1, 1), (2, 3))),
    LayerRow("INPUT(4x5x3) -> ROLL((-1, 7)) as l", "4x5x3", torch=rolled((-1, 7), (2, 3))),
    LayerRow("INPUT(4x5x3) -> ROLL(2, axis=width) as l", "4x5x3", torch=rolled((2,), (3,))),
    LayerRow(
        "INPUT(4x5x3) -> ROLL((1, 2), axis=(channels, height)) as l",
        "4x5x3",
        torch=rolled((1, 2), (1, 2)),
    ),
    LayerRow("INPUT(6x4, sequence) -> ROLL(-2) as l", "6x4", torch=rolled((-2,), (1,))),
    LayerRow("INPUT(6) -> ROLL(shift=2) as l", "6", torch=rolled((2,), (1,))),
    LayerRow("INPUT(6) -> ROLL(0) as l", "6", torch=lambda x, _: x),
]
