"""Layers that slide a window, but are built from operators of which no single one shows it."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from ..ir.graph import LEAVES, Graph, Layer, Value
from ..ir.types import TensorType
from ..ops.receptive_field import Slide


def spatial_axes(type: TensorType) -> range:
    """The axes of an input that are places: all of (N, L), L of (N, L, C), S of (N, C, *S)."""
    if type.dtype.is_categorical:
        return range(1, type.rank)
    return range(1, 2) if type.rank == 3 else range(2, type.rank)


def local(layer: Layer, x: TensorType) -> Mapping[int, Slide]:
    """A locally connected layer sees what a convolution sees."""
    taps = {}
    for i, axis in enumerate(spatial_axes(x)):
        kernel, stride, dilation = (
            given if isinstance(given := layer.arguments[name], int) else given[i]
            for name in ("kernel", "stride", "dilation")
        )
        span = dilation * (kernel - 1)
        taps[axis] = Slide(span + 1, stride, _padding_before(layer.arguments["pad"], i, span))
    return taps


def _padding_before(pad: Any, axis: int, span: int) -> int:
    """The padding before the first row of a spatial axis, as a layer's argument says it."""
    match pad:
        case "same":
            return span // 2
        case "valid":
            return 0
        case ((*before,), _):
            return int(before[axis])
        case (*both,):
            return int(both[axis])
        case _:
            return int(pad)


def pixel_shuffle(layer: Layer, x: TensorType) -> Mapping[int, Slide]:
    """Elements of a block see the same."""
    return dict.fromkeys(spatial_axes(x), Slide(1, Fraction(1, layer.arguments["factor"])))


# The reach and the stride on each axis of places of a layer, given it and the type that it takes.
LAYER_RULES: Mapping[str, Callable[[Layer, TensorType], Mapping[int, Slide]]] = {
    "LOCAL": local,
    "PIXELSHUFFLE": pixel_shuffle,
}


def sliding_layers(graph: Graph) -> Mapping[int, tuple[Value, Mapping[int, Slide]]]:
    """What such layers take, and how they slide on it, by the node of their output."""
    layers = {path: layer for path, layer in graph.layers.items() if layer.kind in LAYER_RULES}
    taken: dict[str, Value] = {}
    for _, node in graph.nodes():
        if node.scope in layers and node.scope not in taken and node.op_type not in LEAVES:
            x = node.input(0)
            taken[node.scope] = x
    return {
        layer.outputs[0].node: (taken[path], LAYER_RULES[layer.kind](layer, taken[path].type))
        for path, layer in layers.items()
    }
