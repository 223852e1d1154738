"""Windows, and Swin's attention within them, against loops and masks as torchvision has them."""

from collections.abc import Callable
from math import prod
from typing import Any

from support.layers import LayerRow, Oracle


def filled(x: Any, size: tuple[int, ...], shift: tuple[int, ...]) -> Any:
    """An image (N, C, *S), padded to whole windows and rolled, if there are several."""
    from torch.nn.functional import pad

    missing = [-extent % window for extent, window in zip(x.shape[2:], size, strict=True)]
    x = pad(x, [n for amount in reversed(missing) for n in (0, amount)])
    rolls = [0 if w >= e else -s for e, w, s in zip(x.shape[2:], size, shift, strict=True)]
    return x.roll(rolls, tuple(range(2, x.ndim)))


def windows_of(x: Any, size: tuple[int, ...]) -> list[Any]:
    """The windows (N, C, *size) of an image, row by row."""
    for axis, extent in enumerate(size, start=2):
        if x.shape[axis] > extent:
            parts = x.split(extent, axis)
            return [window for part in parts for window in windows_of(part, size)]
    return [x]


def cut(size: tuple[int, ...], shift: tuple[int, ...]) -> Oracle:
    """Windows as sequences: those of the first sample, then those of the second, ..."""

    def oracle(x: Any, state: Any) -> Any:
        import torch

        x = x.transpose(1, 2) if x.ndim == 3 else x
        parts = [
            part.flatten(2).transpose(1, 2) for part in windows_of(filled(x, size, shift), size)
        ]
        return torch.stack(parts, 1).flatten(0, 1)

    return oracle


def attended(
    heads: int,
    size: tuple[int, int],
    shift: tuple[int, int],
    bias: Callable[[Any], Any] | None = None,
) -> Oracle:
    """torchvision's `shifted_window_attention`, one window at a time.

    `bias` makes of the weights what is added in each window, by default the table's entries.
    """

    def oracle(x: Any, state: Any) -> Any:
        import torch

        image = filled(x, size, shift)
        table = state.get("l.relative_position_bias_table")
        added = relative_bias(table, size) if bias is None else bias(state)
        regions = region_map(image.shape[2:], size, shift)[None, None]
        results = []
        for window, region in zip(windows_of(image, size), windows_of(regions, size), strict=True):
            numbers = region.flatten()
            apart = (numbers[:, None] != numbers[None, :]) * -100.0
            tokens = window.flatten(2).transpose(1, 2)
            results.append(one_window(tokens, state, heads, added + apart))
        return torch.stack(results, 1).flatten(0, 1)

    return oracle


def region_map(extents: Any, size: tuple[int, int], shift: tuple[int, int]) -> Any:
    """Which of up to nine regions each position is of: torchvision's slices."""
    import torch

    bounds = [
        [(0, -s), (-s, -r), (-r, None)] if r and s < e else [(0, None)]
        for e, s, r in zip(extents, size, shift, strict=True)
    ]
    regions, count = torch.zeros(extents), 0
    for top, bottom in bounds[0]:
        for left, right in bounds[1]:
            regions[top:bottom, left:right] = count
            count += 1
    return regions


def relative_bias(table: Any, size: tuple[int, int]) -> Any:
    """(heads, L, L) from the table's row (dh + H - 1)(2 W - 1) + dw + W - 1."""
    import torch

    h, w = size
    places = [(i, j) for i in range(h) for j in range(w)]
    rows = [
        [table[(a - c + h - 1) * (2 * w - 1) + b - d + w - 1] for c, d in places] for a, b in places
    ]
    return torch.stack([torch.stack(row) for row in rows]).permute(2, 0, 1)


def linear_table(state: Any) -> Any:
    """The biases of a table that a dense layer makes of 49 rows of two numbers."""
    import torch

    numbers = torch.arange(49, dtype=torch.float64)
    given = torch.stack([numbers / 8, -numbers / 9], 1)
    table = given @ state["t0.weight"].T + state["t0.bias"]
    return relative_bias(table, (4, 4))


def one_window(tokens: Any, state: Any, heads: int, bias: Any) -> Any:
    """PyTorch's multi-head attention on (N, L, C) with a bias (heads, L, L)."""
    import torch

    x = tokens.transpose(0, 1)
    y, _ = torch.nn.functional.multi_head_attention_forward(
        *(x, x, x, x.shape[-1], heads),
        *(state["l.in_proj_weight"], state["l.in_proj_bias"], None, None, False, 0.0),
        *(state["l.out_proj.weight"], state["l.out_proj.bias"]),
        training=False,
        need_weights=False,
        attn_mask=bias.repeat(len(tokens), 1, 1),
    )
    return y.transpose(0, 1)


def swin(height: int, width: int, size: int, shift: int) -> LayerRow:
    """Attention of two heads within windows of an image of 8 channels."""
    positions, area = size * size, prod(-(-e // size) * size for e in (height, width))
    mask = ", mask=shifted" if shift else ""
    return LayerRow(
        f"INPUT({height}x{width}x8) -> WINDOW({size}, shift={shift})"
        f" -> ATTENTION(2, relative=yes{mask}) as l -> UNWINDOW",
        f"{positions}x8",
        4 * 8 * 8 + 4 * 8 + (2 * size - 1) ** 2 * 2,
        area * (4 * 8 * 8 + 2 * positions * 8),
        attended(2, (size, size), (shift, shift)),
    )


def restored(rest: str, image: str, torch: Oracle | None = None) -> LayerRow:
    """What comes behind windows is put back where it was."""
    program = f"INPUT({image}) -> {rest} -> RELU -> UNWINDOW as l"
    return LayerRow(program, image.split(",")[0], torch=torch or (lambda x, state: x.relu()))


ROWS = [
    LayerRow("INPUT(8x8x3) -> WINDOW(4) as l", "16x3", torch=cut((4, 4), (0, 0))),
    LayerRow("INPUT(8x6x3) -> WINDOW(4x2, shift=2x1) as l", "8x3", torch=cut((4, 2), (2, 1))),
    LayerRow("INPUT(7x9x3) -> WINDOW(4, shift=2) as l", "16x3", torch=cut((4, 4), (2, 2))),
    LayerRow("INPUT(4x9x3) -> WINDOW(size=5, shift=2) as l", "25x3", torch=cut((5, 5), (2, 2))),
    LayerRow("INPUT(9x3, sequence) -> WINDOW(4, shift=1) as l", "4x3", torch=cut((4,), (1,))),
    LayerRow(
        "INPUT(4x6x5x3) -> WINDOW(2x3x5, shift=1) as l", "30x3", torch=cut((2, 3, 5), (1, 1, 1))
    ),
    restored("WINDOW(4)", "8x8x3"),
    restored("WINDOW(4, shift=2)", "7x9x3"),
    restored("WINDOW(3x2x2, shift=2x1x0)", "5x4x3x2"),
    restored("WINDOW(16)", "7x9x3"),
    LayerRow(
        "INPUT(9x3, sequence) -> WINDOW(4, shift=1) -> UNWINDOW(4, shift=1) as l",
        "9x3",
        torch=lambda x, state: x,
    ),
    LayerRow(
        "INPUT(7x9x3) -> WINDOW(4, shift=2) -> ( ID | LINEAR(3, weight=1, bias=no) ) -> ADD"
        " -> UNWINDOW(size=4) as l",
        "7x9x3",
        torch=lambda x, state: x + x.sum(1, keepdim=True),
    ),
    swin(8, 8, size=4, shift=0),
    swin(8, 8, size=4, shift=2),
    swin(7, 9, size=4, shift=2),
    swin(4, 9, size=5, shift=3),
    swin(4, 4, size=4, shift=2),
    LayerRow(
        "PARAM(16x16x2) as b\nx = INPUT(8x8x8)\n"
        "x -> WINDOW(4, shift=2) -> ATTENTION(2, mask=[b, shifted]) as l -> UNWINDOW",
        "16x8",
        4 * 8 * 8 + 4 * 8,
        64 * (4 * 8 * 8 + 2 * 16 * 8),
        attended(2, (4, 4), (2, 2), lambda state: state["b"][0]),
    ),
    LayerRow(
        "t = CONST([[i / 8, -i / 9] for i in range(49)]) -> LINEAR(2) as t0\nx = INPUT(8x8x8)\n"
        "x -> WINDOW(4, shift=2) -> ATTENTION(2, relative=t, mask=shifted) as l -> UNWINDOW",
        "16x8",
        4 * 8 * 8 + 4 * 8,
        64 * (4 * 8 * 8 + 2 * 16 * 8),
        attended(2, (4, 4), (2, 2), linear_table),
    ),
]
