"""Layers that start a chain, and those that pass on what comes."""

from typing import Literal

from ..expressions.arguments import Flag, Initializer, InputSize, Numbers, PerAxis, Positive
from ..ir.dim import BATCH, Dim, symbol
from ..ir.graph import Value
from ..ir.initializers import Init
from ..ir.types import DType, TensorType
from .layer_builder import LayerBuilder
from .layerdef import layer

DEFAULT_CLASSES = 10
InputType = Literal[
    "float32",
    "float64",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint64",
    "uint32",
    "uint16",
    "uint8",
    "bool",
]
SMALLEST_PICTURE = 8  # rows and columns, from which on `3x8x8` reads as channels first


@layer("INPUT", size="size", counts="size", choice="layout")
def input(
    build: LayerBuilder,
    *,
    size: InputSize = (32, 32, 3),
    layout: Literal["sequence"] | None = None,
    dtype: InputType = "float32",
    classes: Positive = DEFAULT_CLASSES,
) -> Value:
    """An input of the network; height x width x channels becomes (N, C, H, W).

    `scalar` is one number for each sample, (N), such as a step of time or a token.
    A capital name in place of a number, as in `(H, W, 3)`, is an extent that an input determines.
    `classes` is the width of the last `FC` that states none.
    """
    given = () if isinstance(size, str) else (size,) if isinstance(size, int) else size
    extents = tuple(symbol(e) if isinstance(e, str) else e for e in given)
    first = _channels_first(given) if layout is None else None
    if first is not None:
        last = "x".join(map(str, (*first[1:], first[0])))
        without = ", without the batch" if len(first) < len(given) else ""
        build.warn(
            "W116",
            f"has {given[-1]} channels of {'x'.join(map(str, given[:-1]))}: channels come last",
            help=f"for {first[0]} channels write `{build.spelling}({last})`{without}",
        )
    tokens = DType(dtype).is_categorical
    shape = _shape(build, extents, sequence=layout == "sequence", tokens=tokens)
    return build.input(build.scope, TensorType(DType(dtype), shape))


def _channels_first(given: tuple[int | str, ...]) -> tuple[int | str, ...] | None:
    """The part of a size that reads as channels first: all, or what follows a batch."""
    if _is_channels_first(given):
        return given
    return given[1:] if len(given) == 4 and _is_channels_first(given[1:]) else None


def _is_channels_first(given: tuple[int | str, ...]) -> bool:
    """Whether a size reads as PyTorch's `3x224x224`: one gray or three color channels in front."""
    if len(given) < 2:
        return False
    channels, *_, height, width = (*given, 0, 0) if len(given) < 3 else given
    if channels not in (1, 3) or not isinstance(height, int) or not isinstance(width, int):
        return False
    is_square = height == width and height >= SMALLEST_PICTURE
    return is_square or (channels == 3 and min(height, width) >= 4 * SMALLEST_PICTURE)


def _shape(
    build: LayerBuilder, extents: tuple[Dim, ...], *, sequence: bool, tokens: bool
) -> tuple[Dim, ...]:
    """The tensor's shape: sequences keep the author's order, images put channels first."""
    if sequence:
        return (BATCH, *_sequence(build, extents))
    if len(extents) > 4:
        raise build.fail("E201", "takes at most depth x height x width x channels", at="size")
    return (BATCH, *(extents if tokens else channels_first_shape(extents)))


def channels_first_shape(extents: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """A sample's shape, given the author's size: a vector, an image or a volume."""
    if len(extents) < 3:
        return (1, *extents) if len(extents) == 2 else extents
    return (extents[-1], *extents[:-1])


def _sequence(build: LayerBuilder, extents: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The length and the channels of a sequence."""
    if len(extents) != 2:
        message, help = "takes a size of length x channels for a sequence", None
        if len(extents) == 1:
            help = f"write `{build.spelling}({extents[0]}x1, sequence)` for one channel"
        raise build.fail("E201", message, at="size", help=help)
    return extents


@layer("PARAM", size="size", counts="size", choice="layout")
def parameter(
    build: LayerBuilder,
    *,
    size: PerAxis,
    layout: Literal["sequence"] | None = None,
    init: Initializer = Init("normal", (0.02,)),  # noqa: B008 - a frozen record
    value: Numbers | None = None,
    dtype: Literal["float32", "float64"] | None = None,
    buffer: Flag = False,
) -> Value:
    """A learned tensor that is the same for every sample, such as a class token.

    Two numbers are a sequence, length x channels; one is a vector, three are an image, four a
    volume. The parameter has the layer's own name, as in PyTorch, and has a batch of 1 that
    merges repeat: (1, C), (1, L, C), (1, C, H, W). `value` states its numbers in that order. The
    initial values are `normal(0.02)`, which ViT uses. A `buffer` lies with the weights, but nothing
    learns it and it counts as none, such as a table of positions (PyTorch's `register_buffer`).
    """
    extents = (size,) if isinstance(size, int) else size
    if layout == "sequence":
        _sequence(build, extents)
    if len(extents) > 4:
        raise build.fail("E201", "takes at most depth x height x width x channels", at="size")
    if dtype is not None:
        build.dtype = DType(dtype)
    shape = extents if len(extents) < 3 else (extents[-1], *extents[:-1])
    return build.Identity(build.tensor(shape, init=init, literal=value, buffer=buffer))


@layer("ID")
def identity(build: LayerBuilder, x: Value) -> Value:
    """The branch that does nothing (ONNX `Identity`)."""
    return build.Identity(x)


@layer("DETACH")
def detach(build: LayerBuilder, x: Value) -> Value:
    """The same numbers, through which no gradient passes (PyTorch's `detach`; ONNX `Identity`)."""
    return build.op("netc.Detach", (x,))[0]
