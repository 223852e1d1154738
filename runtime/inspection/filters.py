"""A layer's weights -> the images that it compares its input with: kernels, or templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from ...compiler.ir.graph import Graph, Node, Value
from ...grammar.diagnostics import did_you_mean, error
from ..kerneldef import Array

# Operators that compare with images, with how their weights come to be (out, in, ...).
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_DENSE = ("Gemm", "MatMul")
_MOVES = ("Flatten", "Reshape", "Identity", "Dropout")


@dataclass(frozen=True, slots=True)
class Filters:
    """The images of a layer.

    Attributes:
        layer: The layer's path.
        images: (filters, channels, height, width).
        templates: Whether they are a dense layer's, as large as its input.
        colours: Whether their three channels are those of a colour picture.
    """

    layer: str
    images: Array
    templates: bool
    colours: bool


def filters(
    graph: Graph,
    state: Mapping[str, Array],
    layer: str | None = None,
    *,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Filters:
    """The kernels of a convolution, or the weights of a dense layer in its input's shape.

    Args:
        graph: The network.
        state: Its weights.
        layer: The layer; by default the first convolution in two dimensions, or in a network
            without any the first dense layer whose input is an image.
        shapes: The extents of samples, by the name of the network's input: a flat input such as
            `INPUT(784)` may take pictures.

    Raises:
        NetError: E101, there is no such layer; E566, it has no such weights, or no layer has.
    """
    if layer is not None and layer not in graph.layers:
        known = list(graph.layers)
        help = did_you_mean(layer, known) or "`netc summary` lists the layers"
        raise error("E101", f"there is no layer `{layer}`", help=help)
    for kinds in (_CONVOLUTIONS, _DENSE):
        for _, node in graph.nodes():
            if node.op_type in kinds and layer in (None, node.scope):
                found = _images(graph, state, node, shapes or {})
                if found is not None:
                    return found
    if layer is None:
        help = "`netc show weights` draws the weights of any layer as histograms"
        raise error("E566", "no layer has weights that are images", help=help)
    kind = graph.layers[layer].kind
    raise error(
        "E566",
        f"the weights of `{layer}`, a {kind}, are not images",
        help="choose a convolution in two dimensions, or a dense layer on images",
    )


def _images(
    graph: Graph,
    state: Mapping[str, Array],
    node: Node,
    shapes: Mapping[str, tuple[int, ...]],
) -> Filters | None:
    """The images of an operator; None where its weights are none."""
    names = {value: name for name, value in graph.parameters.items()}
    x, weight, *_ = node.inputs
    if x is None or weight is None or weight not in names:
        return None
    array = np.asarray(state[names[weight]])
    if node.op_type in _CONVOLUTIONS:
        if array.ndim != 4:
            return None
        if node.op_type == "ConvTranspose":
            array = array.swapaxes(0, 1)
        return Filters(node.scope, array, templates=False, colours=_sees_colours(graph, x, array))
    if array.ndim != 2:
        return None
    rows = array if node.attributes.get("transB") else array.T
    source = _before_flattening(graph, x)
    given = next((shapes.get(n, ()) for n, value in graph.inputs.items() if value == source), ())
    known = [extent for extent in source.shape[1:] if isinstance(extent, int)]
    shape = list(given) if len(given) == 3 and prod(given) == prod(known) else known
    if len(shape) != 3 or prod(shape) != rows.shape[1]:
        return None
    images = rows.reshape(-1, *shape)
    colours = _sees_colours(graph, source, images)
    return Filters(node.scope, images, templates=True, colours=colours)


def _before_flattening(graph: Graph, x: Value) -> Value:
    """What a dense layer's input was before it was made a vector."""
    node = graph.producer(x)
    if node.op_type in _MOVES and node.inputs[0] is not None:
        return _before_flattening(graph, node.inputs[0])
    return x


def _sees_colours(graph: Graph, x: Value, images: Array) -> bool:
    """Whether three channels come from an input, as those of a colour picture do."""
    return images.shape[1] == 3 and _before_flattening(graph, x) in graph.inputs.values()
