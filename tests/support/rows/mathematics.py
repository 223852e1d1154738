"""Functions of each element, reductions, and a learned factor per channel."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from support.layers import LayerRow, Oracle

VECTOR, SEQUENCE = "INPUT(7)", "INPUT(5x4, sequence)"
IMAGE, VOLUME = "INPUT(4x5x3)", "INPUT(2x4x5x3)"

ELEMENTS: Mapping[str, Callable[[Any], Any]] = {
    "SQUARE": lambda x: x.square(),
    "EXP": lambda x: x.exp(),
    "ABS": lambda x: x.abs(),
    "NEG": lambda x: x.neg(),
}
OF_POSITIVE: Mapping[str, Callable[[Any], Any]] = {
    "SQRT": lambda x: x.sqrt(),
    "LOG": lambda x: x.log(),
    "RECIPROCAL": lambda x: x.reciprocal(),
}

# An input, what `axis=` says, the axes in PyTorch, and what is left.
REDUCED: Sequence[tuple[str, str, tuple[int, ...], str]] = [
    (VECTOR, "", (1,), "1"),
    (VECTOR, "axis=channels", (1,), "1"),
    (SEQUENCE, "", (1, 2), "1"),
    (SEQUENCE, "axis=length", (1,), "4"),
    (SEQUENCE, "axis=channels", (2,), "5x1"),
    (SEQUENCE, "axis=-1", (2,), "5x1"),
    (IMAGE, "", (1, 2, 3), "1"),
    (IMAGE, "axis=[height, width, channels]", (1, 2, 3), "1"),
    (IMAGE, "axis=[height, width]", (2, 3), "3"),
    (IMAGE, "axis=(0, 1)", (2, 3), "3"),
    (IMAGE, "axis=channels", (1,), "4x5x1"),
    (IMAGE, "axis=2", (1,), "4x5x1"),
    (IMAGE, "axis=height", (2,), "5x3"),
    (IMAGE, "axis=width", (3,), "4x3"),
    (IMAGE, "axis=[width, channels]", (1, 3), "4x1"),
    (IMAGE, "axis=[height, width], keep=yes", (2, 3), "1x1x3"),
    (IMAGE, "keep=yes", (1, 2, 3), "1x1x1"),
    (VOLUME, "", (1, 2, 3, 4), "1"),
    (VOLUME, "axis=depth", (2,), "4x5x3"),
    (VOLUME, "axis=[depth, width]", (2, 4), "4x3"),
    (VOLUME, "axis=[0, 1, 2]", (2, 3, 4), "3"),
    (VOLUME, "axis=channels", (1,), "2x4x5x1"),
    (VOLUME, "axis=[depth, channels]", (1, 2), "4x5x1"),
]
MODES: Mapping[str, str] = {
    "sum": "sum",
    "mean": "mean",
    "max": "amax",
    "min": "amin",
    "prod": "prod",
}


def elementwise(function: Callable[[Any], Any]) -> Oracle:
    """A function that needs no weights."""
    return lambda x, state: function(x)


def reduced(mode: str, axes: tuple[int, ...], *, keep: bool) -> Oracle:
    """PyTorch's reduction; then the channels, which stay, go behind what is left of an image."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        y = x
        for axis in axes:
            y = getattr(y, MODES[mode])(axis, keepdim=True)
        if keep:
            return y
        channels = 1 if x.ndim >= 4 else x.ndim - 1
        for axis in sorted(axes, reverse=True):
            y = y if axis == channels else y.squeeze(axis)
        return y.movedim(1, -1) if x.ndim >= 4 and y.ndim == 3 else y

    return oracle


def scaled(trailing: int) -> Oracle:
    """Times the weight, with spatial axes behind it."""
    return lambda x, state: x * state["l.weight"].reshape(-1, *(1,) * trailing)


ROWS = [
    *(
        LayerRow(f"{IMAGE} -> {name} as l", "4x5x3", torch=elementwise(function), low=-3, high=3)
        for name, function in ELEMENTS.items()
    ),
    *(
        LayerRow(f"{SEQUENCE} -> {name} as l", "5x4", torch=elementwise(function), low=0.1, high=9)
        for name, function in OF_POSITIVE.items()
    ),
    *(
        LayerRow(
            f"{source} -> REDUCE({mode}{', ' if axis else ''}{axis}) as l",
            size,
            torch=reduced(mode, axes, keep="keep" in axis),
        )
        for mode in MODES
        for source, axis, axes, size in REDUCED
    ),
    LayerRow(f"{IMAGE} -> REDUCE as l", "1", torch=reduced("sum", (1, 2, 3), keep=False)),
    LayerRow("INPUT(3) -> SLICE(0) -> REDUCE(max) as l", "1", torch=lambda x, state: x[:, :1]),
    LayerRow(f"{VECTOR} -> SCALE as l", "7", 7, torch=scaled(0)),
    LayerRow(f"{SEQUENCE} -> SCALE as l", "5x4", 4, torch=scaled(0)),
    LayerRow(f"{IMAGE} -> SCALE(init=constant(0.1)) as l", "4x5x3", 3, torch=scaled(2)),
    LayerRow(f"{IMAGE} -> SCALE(weight=[1, 2, 3]) as l", "4x5x3", 3, torch=scaled(2)),
    LayerRow(f"{VOLUME} -> SCALE as l", "2x4x5x3", 3, torch=scaled(3)),
    LayerRow(
        "INPUT(1) -> RECIPROCAL -> SCALE(weight=2, frozen=yes) -> SQUARE as l",
        "1",
        torch=lambda x, state: (2 / x) ** 2,
        low=0.5,
        high=2,
    ),
]
