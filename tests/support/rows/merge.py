"""Merges with the language's broadcasting, and learned tensors that start a branch."""

from collections.abc import Callable, Mapping
from typing import Any

from support.layers import LayerRow, Oracle

VECTORS = "a = INPUT(4)\nb = INPUT(4)\n"
SEQUENCES = "a = INPUT(5x4, sequence)\nb = INPUT(5x4, sequence)\n"
IMAGES = "a = INPUT(4x5x3)\nb = INPUT(4x5x3)\n"
VOLUMES = "a = INPUT(2x4x5x3)\nb = INPUT(2x4x5x3)\n"
# A second tensor that is smaller, and the shape that it broadcasts from in PyTorch.
BROADCAST = [
    ("a = INPUT(4)\nb = INPUT(1)\n", "4", (-1, 1)),
    ("a = INPUT(5x4, sequence)\nb = INPUT(4)\n", "5x4", (-1, 1, 4)),
    ("a = INPUT(5x4, sequence)\nb = INPUT(1)\n", "5x4", (-1, 1, 1)),
    ("a = INPUT(5x4, sequence)\nb = INPUT(5x1, sequence)\n", "5x4", (-1, 5, 1)),
    ("a = INPUT(5x4, sequence)\nb = INPUT(1x4, sequence)\n", "5x4", (-1, 1, 4)),
    ("a = INPUT(4x5x3)\nb = INPUT(3)\n", "4x5x3", (-1, 3, 1, 1)),
    ("a = INPUT(4x5x3)\nb = INPUT(1)\n", "4x5x3", (-1, 1, 1, 1)),
    ("a = INPUT(4x5x3)\nb = INPUT(4x1x3)\n", "4x5x3", (-1, 3, 4, 1)),
    ("a = INPUT(4x5x3)\nb = INPUT(4x5x1)\n", "4x5x3", (-1, 1, 4, 5)),
    ("a = INPUT(2x4x5x3)\nb = INPUT(3)\n", "2x4x5x3", (-1, 3, 1, 1, 1)),
    ("a = INPUT(2x4x5x3)\nb = INPUT(1x4x5x3)\n", "2x4x5x3", (-1, 3, 1, 4, 5)),
]


def larger(a: Any, b: Any) -> Any:
    """The maximum of two."""
    return a.maximum(b)


BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "ADD": lambda a, b: a + b,
    "MUL": lambda a, b: a * b,
    "SUB": lambda a, b: a - b,
    "MAX": larger,
    "MEAN": lambda a, b: (a + b) / 2,
}


def merged(function: Callable[[Any, Any], Any], shape: tuple[int, ...] | None = None) -> Oracle:
    """Two inputs, the second in a shape that PyTorch broadcasts."""
    return lambda x, state: function(x[0], x[1] if shape is None else x[1].reshape(shape))


def turned(function: Callable[[Any, Any], Any], shape: tuple[int, ...]) -> Oracle:
    """Two inputs that meet in the other order."""
    return lambda x, state: function(x[1].reshape(shape), x[0])


def joined(axis: int) -> Oracle:
    """Two inputs side by side."""
    return lambda x, state: __import__("torch").cat(x, axis)


def dotted(axis: int, shape: tuple[int, ...] | None = None) -> Oracle:
    """The sum of products."""
    return merged(lambda a, b: (a * b).sum(axis, keepdim=True), shape)


def with_token(x: Any, state: Mapping[str, Any]) -> Any:
    """ViT's class token in front of each sample's sequence."""
    import torch

    return torch.cat([state["cls"].expand(len(x), -1, -1), x], 1)


def tiled(x: Any, state: Mapping[str, Any]) -> Any:
    """A vector at every position, beside an image's channels."""
    import torch

    image, vector = x
    return torch.cat([image, vector[:, :, None, None].expand(-1, -1, *image.shape[2:])], 1)


MEET = "( a | b ) -> "

ROWS = [
    *(
        LayerRow(f"{sources}{MEET}{name} as l", size, torch=merged(function))
        for name, function in BINARY.items()
        for sources, size in (
            (VECTORS, "4"),
            (SEQUENCES, "5x4"),
            (IMAGES, "4x5x3"),
            (VOLUMES, "2x4x5x3"),
        )
    ),
    *(
        LayerRow(f"{sources}{MEET}{name} as l", size, torch=merged(function, shape))
        for name, function in BINARY.items()
        for sources, size, shape in BROADCAST
    ),
    *(
        LayerRow(f"{sources}( b | a ) -> {name} as l", size, torch=turned(function, shape))
        for name, function in BINARY.items()
        for sources, size, shape in BROADCAST
    ),
    LayerRow(
        "INPUT(4x5x3) -> ( ID | SQUARE | NEG ) -> ADD as l",
        "4x5x3",
        torch=lambda x, state: x * x,
    ),
    LayerRow(
        "INPUT(4x5x3) -> ( ID | SQUARE | NEG ) -> MUL as l",
        "4x5x3",
        torch=lambda x, state: -(x**4),
    ),
    LayerRow(
        "INPUT(4x5x3) -> ( ID | SQUARE | NEG ) -> MAX as l",
        "4x5x3",
        torch=lambda x, state: x.abs(),
    ),
    LayerRow(
        "INPUT(4x5x3) -> ( ID | SQUARE | NEG | REDUCE ) -> MEAN as l",
        "4x5x3",
        torch=lambda x, state: (x * x + x.sum((1, 2, 3), keepdim=True)) / 4,
    ),
    # Squeeze and excitation, and a spatial gate.
    LayerRow(
        "INPUT(4x5x3) -> ( ID | GAP -> SIGMOID ) -> MUL as l",
        "4x5x3",
        torch=lambda x, state: x * x.mean((2, 3), keepdim=True).sigmoid(),
    ),
    LayerRow(
        "INPUT(4x5x3) -> ( ID | REDUCE(max, axis=channels) -> SIGMOID ) -> MUL as l",
        "4x5x3",
        torch=lambda x, state: x * x.amax(1, keepdim=True).sigmoid(),
    ),
    LayerRow(f"{VECTORS}{MEET}DOT as l", "1", torch=dotted(1)),
    LayerRow(f"{SEQUENCES}{MEET}DOT as l", "5x1", torch=dotted(2)),
    LayerRow(f"{IMAGES}{MEET}DOT as l", "4x5x1", torch=dotted(1)),
    LayerRow(f"{VOLUMES}{MEET}DOT as l", "2x4x5x1", torch=dotted(1)),
    LayerRow(
        f"a = INPUT(5x4, sequence)\nb = INPUT(4)\n{MEET}DOT as l",
        "5x1",
        torch=dotted(2, (-1, 1, 4)),
    ),
    LayerRow(
        f"a = INPUT(4x5x3)\nb = INPUT(3)\n{MEET}DOT as l", "4x5x1", torch=dotted(1, (-1, 3, 1, 1))
    ),
    LayerRow(f"{VECTORS}{MEET}CONCAT as l", "8", torch=joined(1)),
    LayerRow(f"{SEQUENCES}{MEET}CONCAT as l", "5x8", torch=joined(2)),
    LayerRow(f"{SEQUENCES}{MEET}CONCAT(length) as l", "10x4", torch=joined(1)),
    LayerRow(f"{IMAGES}{MEET}CONCAT as l", "4x5x6", torch=joined(1)),
    LayerRow(f"{IMAGES}{MEET}CONCAT(axis=height) as l", "8x5x3", torch=joined(2)),
    LayerRow(f"{IMAGES}{MEET}CONCAT(1) as l", "4x10x3", torch=joined(3)),
    LayerRow(f"{IMAGES}{MEET}CONCAT(axis=-1) as l", "4x5x6", torch=joined(1)),
    LayerRow(f"{VOLUMES}{MEET}CONCAT(axis=depth) as l", "4x4x5x3", torch=joined(2)),
    LayerRow(
        f"a = INPUT(6, dtype=int64)\nb = INPUT(5, dtype=int64)\n{MEET}CONCAT as l",
        "11",
        torch=joined(1),
    ),
    LayerRow(f"a = INPUT(4x5x3)\nb = INPUT(2)\n{MEET}CONCAT as l", "4x5x5", torch=tiled),
    LayerRow(
        f"a = INPUT(5x4, sequence)\nb = INPUT(4)\n{MEET}CONCAT(length) as l",
        "6x4",
        torch=lambda x, state: __import__("torch").cat([x[0], x[1][:, None]], 1),
    ),
    LayerRow("INPUT(3) -> ( PARAM(3) as l | ID ) -> ADD", "3", 3, engines=False),
    LayerRow("INPUT(5x4, sequence) -> ( PARAM(5x4) as l | ID ) -> ADD", "5x4", 20, engines=False),
    LayerRow(
        "INPUT(4x5x3) -> ( PARAM(4x5x3, frozen=yes) as l | ID ) -> ADD", "4x5x3", 60, engines=False
    ),
    LayerRow("INPUT(5x4, sequence) -> ( PARAM(1x4) as cls | ID ) -> CONCAT(length) as l", "6x4"),
    LayerRow(
        "INPUT(5x4, sequence) -> ( PARAM(1x4) as cls | ID ) -> CONCAT(axis=length) as l",
        "6x4",
        torch=with_token,
    ),
    LayerRow(
        "INPUT(5x4, sequence) -> ( PARAM(4) as p | ID ) -> MAX as l",
        "5x4",
        torch=lambda x, state: x.maximum(state["p"]),
    ),
    LayerRow(
        "p = PARAM(4x5x3) as table\nINPUT(4x5x3) -> ( ID | p ) -> SUB as l",
        "4x5x3",
        torch=lambda x, state: x - state["table"],
    ),
    LayerRow(
        "INPUT(4x5x3) -> ( ID | PARAM(3, init=zeros) as gain ) -> MUL as l",
        "4x5x3",
        torch=lambda x, state: x * state["gain"][:, :, None, None],
    ),
    LayerRow(
        "INPUT(2x4x5x3) -> ( PARAM(2x4x5x1) as p | ID ) -> CONCAT as l",
        "2x4x5x4",
        torch=lambda x, state: __import__("torch").cat(
            [state["p"].expand(len(x), -1, -1, -1, -1), x], 1
        ),
    ),
    LayerRow(
        "INPUT(3) -> ( ID | PARAM(3, value=[1, 2, 3]) as p ) -> DOT as l",
        "1",
        torch=lambda x, state: x @ __import__("torch").tensor([[1.0], [2], [3]], dtype=x.dtype),
    ),
]
