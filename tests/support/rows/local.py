"""Locally connected layers on sequences, images and volumes."""

from itertools import product
from typing import Any

from support.layers import LayerRow, Oracle


def local(**settings: Any) -> Oracle:
    """A convolution by itself at every position; `pads` are (before, after) from the first axis."""

    def oracle(x: Any, state: Any) -> Any:
        import torch
        from torch.nn import functional

        x = x.transpose(1, 2) if x.ndim == 3 else x
        rank = x.ndim - 2
        weight, bias = state["l.weight"], state.get("l.bias")
        x = functional.pad(x, [side for pair in reversed(settings["pads"]) for side in pair])
        strides = settings.get("stride", (1,) * rank)
        dilation = settings.get("dilation", (1,) * rank)
        conv = getattr(functional, f"conv{rank}d")
        y = torch.zeros((len(x), weight.shape[rank], *weight.shape[:rank]), dtype=x.dtype)
        for place in product(*map(range, weight.shape[:rank])):
            seen = x
            for axis, (i, s, d) in enumerate(zip(place, strides, dilation, strict=True)):
                reach = d * (weight.shape[rank + 2 + axis] - 1) + 1
                seen = seen.narrow(2 + axis, i * s, reach)
            value = conv(seen, weight[place], dilation=dilation, groups=settings.get("groups", 1))
            y[(..., *place)] = value.flatten(1)
        y = y if bias is None else y + bias
        return y.transpose(1, 2) if rank == 1 else y

    return oracle


ROWS = [
    LayerRow(
        "INPUT(200x200) -> LOCAL(10x10, 1, bias=no) as l",
        "200x200x1",
        4_000_000,
        4_000_000,
        engines=False,
    ),
    LayerRow(
        "INPUT(150x1, sequence) -> LOCAL(kernel=3, 1, bias=no) as l",
        "150x1",
        450,
        450,
        torch=local(pads=((1, 1),)),
    ),
    LayerRow(
        "INPUT(6x5x2) -> LOCAL as l",
        "6x5x32",
        30 * 32 * 18 + 30 * 32,
        30 * 32 * 18,
        torch=local(pads=((1, 1), (1, 1))),
    ),
    LayerRow(
        "INPUT(6x5x2) -> LOCAL(2x3, 4, pad=valid) as l",
        "5x3x4",
        15 * 4 * 12 + 15 * 4,
        15 * 4 * 12,
        torch=local(pads=((0, 0), (0, 0))),
    ),
    LayerRow(
        "INPUT(7x6x2) -> LOCAL(3x2, 4, stride=2x1, pad=(0x1, 2x0)) as l",
        "4x6x4",
        24 * 4 * 12 + 24 * 4,
        24 * 4 * 12,
        torch=local(pads=((0, 2), (1, 0)), stride=(2, 1)),
    ),
    LayerRow(
        "INPUT(7x6x4) -> LOCAL(3x3, 6, dilation=2x1, groups=2) as l",
        "7x6x6",
        42 * 6 * 18 + 42 * 6,
        42 * 6 * 18,
        torch=local(pads=((2, 2), (1, 1)), dilation=(2, 1), groups=2),
    ),
    LayerRow(
        "INPUT(6x9x2) -> LOCAL(2x3, 3, stride=2x3, pad=0) as l",
        "3x3x3",
        9 * 3 * 12 + 9 * 3,
        9 * 3 * 12,
        torch=local(pads=((0, 0), (0, 0)), stride=(2, 3)),
    ),
    LayerRow(
        "INPUT(6x7x2) -> LOCAL(5x7, 3, pad=0) as l",
        "2x1x3",
        2 * 3 * 70 + 2 * 3,
        2 * 3 * 70,
        torch=local(pads=((0, 0), (0, 0))),
    ),
    LayerRow(
        "INPUT(7x6x2) -> LOCAL(1x1, 3, stride=2x1) as l",
        "4x6x3",
        24 * 3 * 2 + 24 * 3,
        24 * 3 * 2,
        torch=local(pads=((0, 0), (0, 0)), stride=(2, 1)),
    ),
    LayerRow(
        "INPUT(8x3, sequence) -> LOCAL(kernel=4, 2, stride=2, pad=1) as l",
        "4x2",
        4 * 2 * 12 + 4 * 2,
        4 * 2 * 12,
        torch=local(pads=((1, 1),), stride=(2,)),
    ),
    LayerRow(
        "INPUT(4x3x4x2) -> LOCAL(2x2x3, 3, pad=valid, stride=1x1x2) as l",
        "3x2x1x3",
        6 * 3 * 24 + 6 * 3,
        6 * 3 * 24,
        torch=local(pads=((0, 0),) * 3, stride=(1, 1, 2)),
    ),
]
