"""Constants, which merges repeat along the batch."""

from typing import Any

from support.layers import LayerRow, Oracle


def added(make: Any) -> Oracle:
    """The input with a table added."""
    return lambda x, state: x + make(x)


def times(number: float) -> Oracle:
    """The input multiplied by a number."""
    return lambda x, state: number * x


def waves(x: Any) -> Any:
    """The sines and cosines of positions, one number at a time."""
    from math import cos, sin

    rows = [
        [(sin, cos)[c % 2](p / 10_000 ** (c // 2 * 2 / x.shape[2])) for c in range(x.shape[2])]
        for p in range(x.shape[1])
    ]
    return x.new_tensor(rows)


def line(x: Any) -> Any:
    """Numbers at equal distances."""
    import torch

    return torch.linspace(-1, 2, x.shape[1], dtype=x.dtype)


ROWS = [
    LayerRow("x = INPUT(5)\n( x | CONST(0.5) ) -> MUL as l", "5", torch=times(0.5)),
    LayerRow(
        "x = INPUT(3)\n( x | CONST([1, 2.5, -3]) as c ) -> ADD as l",
        "3",
        torch=added(lambda x: x.new_tensor([1, 2.5, -3])),
    ),
    LayerRow(
        "x = INPUT(2x3, sequence)\n( x | CONST([[1, 2, 3], [4, 5, 6]]) ) -> ADD as l",
        "2x3",
        torch=added(lambda x: x.new_tensor([[1, 2, 3], [4, 5, 6]])),
    ),
    LayerRow(
        "x = INPUT(2x2x1)\n( x | CONST([[[1, 2], [3, 4]]]) ) -> ADD as l",
        "2x2x1",
        torch=added(lambda x: x.new_tensor([[1, 2], [3, 4]])),
    ),
    LayerRow(
        "x = INPUT(3x1, sequence)\n( x | CONST([i^2 for i in range(3)], sequence) ) -> ADD as l",
        "3x1",
        torch=added(lambda x: x.new_tensor([[0], [1], [4]])),
    ),
    LayerRow(
        "x = INPUT(6x4, sequence)\n( x | CONST(sinusoidal(6, 4)) ) -> ADD as l",
        "6x4",
        torch=added(waves),
    ),
    LayerRow("x = INPUT(4)\n( x | CONST(linspace(-1, 2, 4)) ) -> ADD as l", "4", torch=added(line)),
    LayerRow(
        "x = INPUT(3x3, sequence)\n( x | CONST(eye(3)) ) -> ADD as l",
        "3x3",
        torch=added(lambda x: x.new_ones(3).diag()),
    ),
    LayerRow(
        "x = INPUT(4x4, sequence)\n( x | CONST(causal(4), dtype=float32) ) -> ADD as l",
        "4x4",
        torch=added(lambda x: x.new_ones(4, 4).tril()),
    ),
    LayerRow(
        "x = INPUT(3x3, sequence)\n( x | CONST(relative(3), dtype=float32) ) -> ADD as l",
        "3x3",
        torch=added(lambda x: x.new_tensor([[2, 1, 0], [3, 2, 1], [4, 3, 2]])),
    ),
    LayerRow("CONST(eye(3)) as l", "3x3", torch=None),
]
