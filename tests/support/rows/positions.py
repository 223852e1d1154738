"""Positions as waves and as rotations."""

from typing import Any

from support.layers import LayerRow, Oracle
from support.rows.constants import added, waves


def rotated(heads: int, *, pairs: bool = False, base: float = 10_000.0) -> Oracle:
    """Pairs of channels as complex numbers, turned by their position."""

    def oracle(x: Any, state: Any) -> Any:
        import torch

        count, length, channels = x.shape
        each = channels // heads
        turned = x.reshape(count, length, heads, each)
        first, second = (turned[..., i::2] for i in (0, 1)) if pairs else turned.chunk(2, -1)
        rates = base ** (-torch.arange(0, each, 2, dtype=x.dtype) / each)
        angles = torch.arange(length, dtype=x.dtype)[:, None, None] * rates
        z = torch.complex(first, second) * torch.polar(torch.ones_like(angles), angles)
        parts = (z.real, z.imag)
        y = torch.stack(parts, -1) if pairs else torch.cat(parts, -1)
        return y.reshape(x.shape)

    return oracle


ROWS = [
    LayerRow("INPUT(6x4, sequence) -> SINUSOIDAL as l", "6x4", torch=added(waves)),
    LayerRow("INPUT(7x8, sequence) -> ROPE as l", "7x8", torch=rotated(1)),
    LayerRow("INPUT(7x8, sequence) -> ROPE(2) as l", "7x8", torch=rotated(2)),
    LayerRow("INPUT(7x8, sequence) -> ROPE(2, pairs) as l", "7x8", torch=rotated(2, pairs=True)),
    LayerRow(
        "INPUT(7x8, sequence) -> ROPE(4, base=500_000.0) as l",
        "7x8",
        torch=rotated(4, base=500_000.0),
    ),
]
