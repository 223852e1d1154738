"""Convolutions: full and depthwise, on sequences, images and volumes."""

from typing import Any

from support.layers import LayerRow, Oracle


def conv(**settings: Any) -> Oracle:
    """PyTorch's convolution of the input's rank; `pads` are (before, after) from the first axis."""

    def oracle(x: Any, state: Any) -> Any:
        from torch.nn import functional

        sequence = x.ndim == 3
        x = x.transpose(1, 2) if sequence else x
        arguments = dict(settings)
        sides = [side for pair in reversed(arguments.pop("pads", ())) for side in pair]
        x = functional.pad(x, sides) if sides else x
        function = getattr(functional, f"conv{x.ndim - 2}d")
        y = function(x, state["l.weight"], state.get("l.bias"), **arguments)
        return y.transpose(1, 2) if sequence else y

    return oracle


CONV = [
    LayerRow(
        "INPUT(9x7x3) -> CONV as l",
        "9x7x32",
        32 * 3 * 9 + 32,
        9 * 7 * 32 * 3 * 9,
        torch=conv(padding=1),
    ),
    LayerRow(
        "INPUT(9x7x3) -> CONV(5x3, 4, bias=no) as l",
        "9x7x4",
        4 * 3 * 15,
        9 * 7 * 4 * 3 * 15,
        torch=conv(padding=(2, 1)),
    ),
    LayerRow(
        "INPUT(9x7x3) -> CONV(1x1, 5) as l",
        "9x7x5",
        5 * 3 + 5,
        9 * 7 * 5 * 3,
        torch=conv(),
    ),
    LayerRow(
        "INPUT(9x8x3) -> CONV(1x1, 5, stride=2) as l",
        "5x4x5",
        5 * 3 + 5,
        5 * 4 * 5 * 3,
        torch=conv(stride=2),
    ),
    LayerRow(
        "INPUT(9x7x3) -> CONV(3x3, 4, stride=2) as l",
        "5x4x4",
        4 * 3 * 9 + 4,
        5 * 4 * 4 * 3 * 9,
        torch=conv(stride=2, padding=1),
    ),
    LayerRow(
        "INPUT(11x7x3) -> CONV(3x3, 4, stride=3x1, pad=2x0) as l",
        "5x5x4",
        4 * 3 * 9 + 4,
        5 * 5 * 4 * 3 * 9,
        torch=conv(stride=(3, 1), padding=(2, 0)),
    ),
    LayerRow(
        "INPUT(9x7x3) -> CONV(3x3, 4, pad=valid) as l",
        "7x5x4",
        4 * 3 * 9 + 4,
        7 * 5 * 4 * 3 * 9,
        torch=conv(),
    ),
    LayerRow(
        "INPUT(6x5x2) -> CONV(2x4, 3) as l",
        "6x5x3",
        3 * 2 * 8 + 3,
        6 * 5 * 3 * 2 * 8,
        torch=conv(pads=((0, 1), (1, 2))),
    ),
    LayerRow(
        "INPUT(6x5x2) -> CONV(3x3, 3, pad=(1x0, 0x2)) as l",
        "5x5x3",
        3 * 2 * 9 + 3,
        5 * 5 * 3 * 2 * 9,
        torch=conv(pads=((1, 0), (0, 2))),
    ),
    LayerRow(
        "INPUT(10x9x2) -> CONV(3x3, 3, dilation=2x3) as l",
        "10x9x3",
        3 * 2 * 9 + 3,
        10 * 9 * 3 * 2 * 9,
        torch=conv(padding=(2, 3), dilation=(2, 3)),
    ),
    LayerRow(
        "INPUT(8x7x6) -> CONV(3x3, 4, groups=2) as l",
        "8x7x4",
        4 * 3 * 9 + 4,
        8 * 7 * 4 * 3 * 9,
        torch=conv(padding=1, groups=2),
    ),
    LayerRow(
        "INPUT(8x7x4) -> CONV(3x3, 8, groups=4, stride=2, dilation=2) as l",
        "4x4x8",
        8 * 1 * 9 + 8,
        4 * 4 * 8 * 9,
        torch=conv(padding=2, groups=4, stride=2, dilation=2),
    ),
    LayerRow(
        "INPUT(11x3, sequence) -> CONV(kernel=3, 4) as l",
        "11x4",
        4 * 3 * 3 + 4,
        11 * 4 * 3 * 3,
        torch=conv(padding=1),
    ),
    LayerRow(
        "INPUT(11x4, sequence) -> CONV(kernel=4, 6, stride=2, pad=1, dilation=2, groups=2) as l",
        "4x6",
        6 * 2 * 4 + 6,
        4 * 6 * 2 * 4,
        torch=conv(padding=1, stride=2, dilation=2, groups=2),
    ),
    LayerRow(
        "INPUT(6x5x4x2) -> CONV(3x3x3, 3) as l",
        "6x5x4x3",
        3 * 2 * 27 + 3,
        6 * 5 * 4 * 3 * 2 * 27,
        torch=conv(padding=1),
    ),
    LayerRow(
        "INPUT(6x5x4x4) -> CONV(2x3x1, 6, stride=2x1x3, pad=1x0x0, groups=2) as l",
        "4x3x2x6",
        6 * 2 * 6 + 6,
        4 * 3 * 2 * 6 * 2 * 6,
        torch=conv(stride=(2, 1, 3), padding=(1, 0, 0), groups=2),
    ),
    LayerRow(
        "INPUT(3x3x1) -> CONV(2x2, 1, pad=0, weight=[[[[1, 2], [3, 4]]]], bias_value=5) as l",
        "2x2x1",
        5,
        16,
        torch=conv(),
    ),
]

DWCONV = [
    LayerRow(
        "INPUT(9x7x3) -> DWCONV as l",
        "9x7x3",
        3 * 9 + 3,
        9 * 7 * 3 * 9,
        torch=conv(padding=1, groups=3),
    ),
    LayerRow(
        "INPUT(9x7x3) -> DWCONV(5x5, multiplier=4, stride=2, bias=no) as l",
        "5x4x12",
        12 * 25,
        5 * 4 * 12 * 25,
        torch=conv(padding=2, stride=2, groups=3),
    ),
    LayerRow(
        "INPUT(8x9x2) -> DWCONV(2x3, multiplier=2, pad=(1x0, 0x1), dilation=2) as l",
        "7x6x4",
        4 * 6 + 4,
        7 * 6 * 4 * 6,
        torch=conv(pads=((1, 0), (0, 1)), dilation=2, groups=2),
    ),
    LayerRow(
        "INPUT(9x7x1) -> DWCONV(multiplier=3) as l",
        "9x7x3",
        3 * 9 + 3,
        9 * 7 * 3 * 9,
        torch=conv(padding=1),
    ),
    LayerRow(
        "INPUT(11x5, sequence) -> DWCONV(kernel=3, stride=2, multiplier=2) as l",
        "6x10",
        10 * 3 + 10,
        6 * 10 * 3,
        torch=conv(padding=1, stride=2, groups=5),
    ),
    LayerRow(
        "INPUT(5x6x4x3) -> DWCONV(3x3x3, dilation=1x2x1) as l",
        "5x6x4x3",
        3 * 27 + 3,
        5 * 6 * 4 * 3 * 27,
        torch=conv(padding=(1, 2, 1), dilation=(1, 2, 1), groups=3),
    ),
]

ROWS = CONV + DWCONV
