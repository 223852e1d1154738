"""Transposed convolutions on sequences, images and volumes."""

from typing import Any

from support.layers import LayerRow, Oracle


def transposed(**settings: Any) -> Oracle:
    """PyTorch's transposed convolution of the input's rank; `crop` cuts it (before, after)."""

    def oracle(x: Any, state: Any) -> Any:
        from torch.nn import functional

        sequence = x.ndim == 3
        x = x.transpose(1, 2) if sequence else x
        arguments = dict(settings)
        crop = arguments.pop("crop", ())
        function = getattr(functional, f"conv_transpose{x.ndim - 2}d")
        y = function(x, state["l.weight"], state.get("l.bias"), **arguments)
        for axis, (before, after) in enumerate(crop, start=2):
            y = y.narrow(axis, before, y.shape[axis] - before - after)
        return y.transpose(1, 2) if sequence else y

    return oracle


ROWS = [
    LayerRow(
        "INPUT(5x4x3) -> UPCONV as l",
        "10x8x32",
        3 * 32 * 4 + 32,
        5 * 4 * 3 * 32 * 4,
        torch=transposed(stride=2),
    ),
    LayerRow(
        "INPUT(5x4x3) -> DECONV(6, 2x2, bias=no) as l",
        "10x8x6",
        3 * 6 * 4,
        5 * 4 * 3 * 6 * 4,
        torch=transposed(stride=2),
    ),
    LayerRow(
        "INPUT(5x4x3) -> UPCONV(4x4, 6, pad=1) as l",
        "10x8x6",
        3 * 6 * 16 + 6,
        5 * 4 * 3 * 6 * 16,
        torch=transposed(stride=2, padding=1),
    ),
    LayerRow(
        "INPUT(5x4x3) -> UPCONV(3x3, 6, pad=1, output_pad=1) as l",
        "10x8x6",
        3 * 6 * 9 + 6,
        5 * 4 * 3 * 6 * 9,
        torch=transposed(stride=2, padding=1, output_padding=1),
    ),
    LayerRow(
        "INPUT(5x4x3) -> UPCONV(3x3, 6, pad=same) as l",
        "10x8x6",
        3 * 6 * 9 + 6,
        5 * 4 * 3 * 6 * 9,
        torch=transposed(stride=2, padding=1, output_padding=1),
    ),
    LayerRow(
        "INPUT(5x4x3) -> UPCONV(4x2, 6, pad=same, stride=1x4) as l",
        "5x16x6",
        3 * 6 * 8 + 6,
        5 * 4 * 3 * 6 * 8,
        torch=transposed(stride=(1, 4), output_padding=(0, 2), crop=((1, 2), (0, 0))),
    ),
    LayerRow(
        "INPUT(5x4x3) -> UPCONV(3x3, 6, pad=valid) as l",
        "11x9x6",
        3 * 6 * 9 + 6,
        5 * 4 * 3 * 6 * 9,
        torch=transposed(stride=2),
    ),
    LayerRow(
        "INPUT(5x4x3) -> UPCONV(3x3, 6, pad=(0x2, 1x0)) as l",
        "10x7x6",
        3 * 6 * 9 + 6,
        5 * 4 * 3 * 6 * 9,
        torch=transposed(stride=2, crop=((0, 1), (2, 0))),
    ),
    LayerRow(
        "INPUT(5x4x3) -> UPCONV(3x2, 6, stride=2x3, dilation=2, output_pad=1x2) as l",
        "14x14x6",
        3 * 6 * 6 + 6,
        5 * 4 * 3 * 6 * 6,
        torch=transposed(stride=(2, 3), dilation=2, output_padding=(1, 2)),
    ),
    LayerRow(
        "INPUT(5x4x6) -> UPCONV(3x3, 4, groups=2, pad=1) as l",
        "9x7x4",
        6 * 2 * 9 + 4,
        5 * 4 * 6 * 2 * 9,
        torch=transposed(stride=2, padding=1, groups=2),
    ),
    LayerRow(
        "INPUT(1x1x7) -> UPCONV(4x4, 5, stride=1) as l",
        "4x4x5",
        7 * 5 * 16 + 5,
        7 * 5 * 16,
        torch=transposed(),
    ),
    LayerRow(
        "INPUT(6x3, sequence) -> UPCONV(kernel=4, 5, pad=1) as l",
        "12x5",
        3 * 5 * 4 + 5,
        6 * 3 * 5 * 4,
        torch=transposed(stride=2, padding=1),
    ),
    LayerRow(
        "INPUT(4x3x2x3) -> UPCONV(2x2x2, 5) as l",
        "8x6x4x5",
        3 * 5 * 8 + 5,
        4 * 3 * 2 * 3 * 5 * 8,
        torch=transposed(stride=2),
    ),
    LayerRow(
        "INPUT(4x3x2x4) -> UPCONV(3x3x2, 6, stride=2x1x2, groups=2, pad=1x1x0) as l",
        "7x3x4x6",
        4 * 3 * 18 + 6,
        4 * 3 * 2 * 4 * 3 * 18,
        torch=transposed(stride=(2, 1, 2), padding=(1, 1, 0), groups=2),
    ),
    LayerRow(
        "INPUT(2x2x1) -> UPCONV(2x2, 1, weight=[[[[1, 2], [3, 4]]]], bias_value=5) as l",
        "4x4x1",
        5,
        16,
        torch=transposed(stride=2),
    ),
]
