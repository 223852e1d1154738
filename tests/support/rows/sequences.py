"""Dense layers at every position, and embeddings."""

from typing import Any

from support.layers import LayerRow


def linear(x: Any, state: Any) -> Any:
    """PyTorch's `Linear` on the channels, wherever they lie."""
    from torch.nn.functional import linear

    axis = 1 if x.ndim >= 4 else -1
    return linear(x.movedim(axis, -1), state["l.weight"], state.get("l.bias")).movedim(-1, axis)


def embedded(x: Any, state: Any) -> Any:
    """PyTorch's `Embedding`, with the channels first in images."""
    from torch.nn.functional import embedding

    y = embedding(x, state["l.weight"])
    return y.movedim(-1, 1) if x.ndim > 2 else y


ROWS = [
    LayerRow("INPUT(7) -> LINEAR(5) as l", "5", 40, 35, torch=linear),
    LayerRow("INPUT(6x7, sequence) -> LINEAR(5) as l", "6x5", 40, 6 * 35, torch=linear),
    LayerRow("INPUT(6x7, sequence) -> LINEAR(5, bias=no) as l", "6x5", 35, 6 * 35, torch=linear),
    LayerRow("INPUT(4x6x7) -> LINEAR(5) as l", "4x6x5", 40, 24 * 35, torch=linear),
    LayerRow("INPUT(4x6x7) -> LINEAR(5, bias=no) as l", "4x6x5", 35, 24 * 35, torch=linear),
    LayerRow("INPUT(2x4x6x7) -> LINEAR(5) as l", "2x4x6x5", 40, 48 * 35, torch=linear),
    LayerRow(
        "INPUT(3x2, sequence) -> LINEAR(2, weight=[[1, 2], [3, 4]], bias_value=0.5) as l",
        "3x2",
        6,
        12,
        torch=linear,
    ),
    LayerRow("INPUT(6, dtype=int64) -> EMBED(9, 5) as l", "6x5", 45, torch=embedded),
    LayerRow(
        "INPUT(6, dtype=int64) -> EMBED(width=5, vocabulary=9, init=zeros) as l",
        "6x5",
        45,
        torch=embedded,
    ),
    LayerRow("INPUT(scalar, dtype=int64) -> EMBED(9, 5) as l", "5", 45, torch=embedded),
    LayerRow("INPUT((4, 6), dtype=int64) -> EMBED(9, 5) as l", "4x6x5", 45, torch=embedded),
    LayerRow(
        "INPUT(6x4, sequence) -> POSEMBED(6) as l",
        "6x4",
        24,
        torch=lambda x, state: x + state["l.weight"],
    ),
    LayerRow(
        "INPUT(6x4, sequence) -> POSEMBED as l",
        "6x4",
        24,
        torch=lambda x, state: x + state["l.weight"],
    ),
    LayerRow(
        "INPUT(6x4, sequence) -> POSEMBED(9) as l",
        "6x4",
        36,
        torch=lambda x, state: x + state["l.weight"][:6],
    ),
]
