"""Pictures of a network's layers: filters, weights, activations, receptive fields."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compiler.analysis.receptive_fields import ReceptiveField, receptive_fields, seen_by
from ..compiler.analysis.sliding_layers import spatial_axes
from ..compiler.emit.palette import family
from ..compiler.ir.dim import Dim
from ..compiler.ir.graph import Graph, Value
from ..grammar.diagnostics import NetError, error
from ..loading import compile
from ..network import Network
from ..prediction import given_samples
from ..runtime.data.adapting import adapter
from ..runtime.engines.plan import resolve_fetches
from ..runtime.inspection.filters import filters as find_filters
from ..runtime.kerneldef import Array
from ..runtime.plots.activation_curves import ActivationCurve, draw_activations
from ..runtime.plots.canvas import PictureFile
from ..runtime.plots.filters import draw_filters
from ..runtime.plots.receptive_field import draw_receptive_field
from ..runtime.plots.weight_histograms import LayerWeights, draw_weights
from ..runtime.run_folder.trained import Trained
from .samples import as_pictures

if TYPE_CHECKING:
    from ..choices import PictureFormat
    from ..evaluable import Origin
    from ..summary.rows import LayerRow
    from ..trainable import Weights


CURVE_POINTS = 1001  # of a curve


def filters(
    net: Network,
    path: "str | PathLike[str]",
    weights: "Weights | None" = None,
    *,
    run: "Origin | None" = None,
    layer: str | None = None,
    most: int | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw the kernels of a convolution, or a dense layer's weights as templates of its input.

    Args:
        net: The network.
        path: The picture's file.
        weights: Weights by name, or a file of them, instead of the run's.
        run: A run, or its folder.
        layer: The layer; by default the first convolution, or else the first dense layer on images.
        most: How many filters are drawn; by default 64, or 16 of several channels.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: There are no weights (E546), they do not fit (E501), there is no such layer
            (E101), or none whose weights are images (E566); or the file cannot be written.
    """
    trained = net.trained(run, weights)
    net.check_weights(trained.weights)
    facts = trained.facts
    shapes = {name: facts.shapes.get(source, ()) for source, name in facts.inputs.items()}
    found = find_filters(net.graph, trained.weights, layer, shapes=shapes)
    count, _, height, width = found.images.shape
    what = "templates" if found.templates else "filters"
    outputs = {value: name for name, value in net.graph.outputs.items()}
    output = outputs.get(net.graph.layers[found.layer].outputs[0], "")
    names = facts.outputs[output].names if output in facts.outputs else ()
    title = f"{found.layer}: {count} {what} of {height}x{width}"
    file = PictureFile(fspath(path), title, format)
    draw_filters(found.images, file, colours=found.colours, most=most, names=names)


def weights(
    net: Network,
    path: "str | PathLike[str]",
    weights: "Weights | None" = None,
    *,
    run: "Origin | None" = None,
    seed: int = 0,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw a histogram of the weights of each layer.

    Args:
        net: The network.
        path: The picture's file.
        weights: Weights by name, or a file of them, instead of the run's.
        run: A run, or its folder. Without it and `weights`, the initial weights are drawn.
        seed: The seed for these.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: The network has no weights (E566), they do not fit, or the file cannot be written.
    """
    given = run is not None or weights is not None
    state = net.trained(run, weights).weights if given else net.initialize(seed)
    net.check_weights(state)
    layers = weights_of_layers(net.graph, state)
    if not layers:
        raise error("E566", f"`{net.name}` has no weights", help="its layers learn nothing")
    title = f"{net.name}: weights" if given else f"{net.name}: initial weights, seed {seed}"
    draw_weights(layers, PictureFile(fspath(path), title, format))


def weights_of_layers(graph: Graph, state: Mapping[str, Array]) -> list[LayerWeights]:
    """What each layer learns, by the layer's path, without running statistics."""
    found: dict[str, dict[str, Array]] = {}
    for name, value in graph.parameters.items():
        if not graph.producer(value).attributes["buffer"]:
            layer, _, own = name.rpartition(".")
            found.setdefault(layer, {})[own] = np.asarray(state[name])
    return [LayerWeights(name, arrays) for name, arrays in found.items()]


def activations(
    net: Network,
    path: "str | PathLike[str]",
    weights: "Weights | None" = None,
    *,
    run: "Origin | None" = None,
    span: float = 5.0,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw the curves of the activations that a network uses, and of their derivatives.

    Args:
        net: The network.
        path: The picture's file.
        weights: Weights of learned activations, by name or a file of them, instead of the run's.
        run: A run, or its folder; without it and `weights`, learned slopes are the initial ones.
        span: The argument goes from -span to span.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: The network has no activations (E566), the weights do not fit (E501), the span is
            not positive (E103), or the file cannot be written.
    """
    if not 0 < span < float("inf"):
        raise error("E103", f"the span must be a positive number, not `{span}`")
    given = run is not None or weights is not None
    state = net.trained(run, weights).weights if given else net.initialize()
    net.check_weights(state)
    curves = list(activation_curves(net, state, np.linspace(-span, span, CURVE_POINTS)))
    if not curves:
        help = "layers such as RELU, TANH or SIGMOID are activations of single numbers"
        raise error("E566", f"`{net.name}` has no activations with a curve", help=help)
    draw_activations(curves, PictureFile(fspath(path), f"{net.name}: activations", format))


def activation_curves(
    net: Network, state: Mapping[str, Array], x: Array
) -> Iterator[ActivationCurve]:
    """The values and derivatives of each activation, by its own operators and their gradients.

    A learned activation has the mean of its channels' slopes.
    """
    known: set[str] = set()
    for row in net.layers:
        if family(row.kind) != "activation" or (call := _call(row)) in known:
            continue
        known.add(call)
        alone = compile(f"INPUT(1) -> {call}")
        if any(node.op_type in ("Softmax", "LogSoftmax") for _, node in alone.graph.nodes()):
            continue  # of one channel they are constant
        own = {
            name: np.mean(state[f"{row.name}.{name.rpartition('.')[2]}"], keepdims=True).ravel()
            for name in alone.graph.parameters
        }
        yield _curve(alone, call, own, x)


def _call(row: "LayerRow") -> str:
    """An activation as a program spells it, without what is default, or learned."""
    learned = "weight" in row.arguments
    return row.kind if learned or row.defaulted >= row.arguments.keys() else row.called()


def _curve(alone: Network, call: str, state: Mapping[str, Array], x: Array) -> ActivationCurve:
    inputs = {"input": x[:, None]}
    y = alone.run(inputs, state, dtype="float64", fetch=["output"])["output"].ravel()
    try:
        _, slopes = alone.value_and_grad(
            *(inputs, None, state), of="output", wrt=["input"], dtype="float64", training=False
        )
    except NetError as failure:
        if failure.diagnostics[0].code != "E131":
            raise
        return ActivationCurve(call, x, y, None)
    return ActivationCurve(call, x, y, slopes["input"].ravel())


def receptive(
    net: Network,
    label: str,
    path: "str | PathLike[str]",
    x: Any = None,
    *,
    at: int | tuple[int, int] | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw what one element of a layer's output sees of the input, a picture or a sequence.

    Args:
        net: The network.
        label: The layer, or a label.
        path: The picture's file.
        x: What it is drawn over: a picture's path, or an array; by default an empty area.
        at: The element's row and column, by default those in the middle; of a sequence, which has
            one row, a position is enough.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: There is no such layer (E101) or element (E103), the input is neither a picture
            nor a sequence (E566), `x` is not what it takes (E529), or the file cannot be written.
    """
    value = resolve_fetches(net.graph, [label])[label]
    seen, size = _seen(net, label, value)
    axes = _spatial(value) if seen.strides is not None else (1,) * len(size)
    extents = [int(extent) for extent in (1, *axes)[-2:] if isinstance(extent, int)]
    place = _place(label, extents, (0, at) if isinstance(at, int) else at, len(size))
    field = seen if len(size) == 2 else _of_one_row(seen)
    height, width = (1, *size)[-2:]
    box = seen_by(field, place, (height, width))
    stride, note = "", "every element sees all of it"
    if seen.strides is not None:
        stride = f", stride {_times(seen.strides)}"
        ranges = [f"{low:g} to {high - 1:g}" for low, high in (box[::2], box[1::2])]
        lines = ("rows", "columns") if len(size) == 2 else ("positions",)
        where = ", ".join(map(" ".join, zip(lines, ranges[-len(size) :], strict=True)))
        element = ", ".join(map(str, place[-len(size) :]))
        note = f"element {element} of {_times(axes)}: {where}"
    title = f"{label} sees {_times(seen.extents)} of {_times(size)}{stride}"
    file = PictureFile(fspath(path), title, format)
    picture = None if x is None else _picture(net, x)
    draw_receptive_field((height, width), box, file, picture=picture, note=note)


def _seen(net: Network, label: str, value: Value) -> tuple[ReceptiveField, tuple[int, ...]]:
    """The receptive field of a layer in a picture or a sequence, and how large the latter is.

    Raises:
        NetError: E566, there is none.
    """
    paths = {layer.outputs[0]: name for name, layer in net.graph.layers.items() if layer.outputs}
    seen = receptive_fields(net.graph).get(paths.get(value, label))
    spatial = _spatial(net.graph.inputs[net.inputs[0].name]) if net.inputs else ()
    size = tuple(extent for extent in spatial if isinstance(extent, int))
    extents = seen.extents if seen is not None else ()
    whole = all(isinstance(extent, int) for extent in extents)
    if seen is not None and whole and len(spatial) == len(size) == len(extents) in (1, 2):
        return seen, size
    raise error(
        "E566",
        f"`{label}` has no receptive field in a picture",
        help="it is drawn where the input is a picture or a sequence of a known size, such as "
        "`INPUT(32x32x3)` or `INPUT(128x1, sequence)`",
    )


def _of_one_row(seen: ReceptiveField) -> ReceptiveField:
    """A field in a sequence as one in a picture of one row."""
    strides = None if seen.strides is None else (1.0, *seen.strides)
    starts = None if seen.starts is None else (0.0, *seen.starts)
    return ReceptiveField((1, *seen.extents), strides, starts)


def _picture(net: Network, x: Any) -> Array:
    """What is given, (C, H, W) of one channel or three; a sequence is a picture of one row."""
    name = net.inputs[0].name
    given = given_samples(net.model, Trained({}), x)
    sample = next(iter(given.data.take([0]).inputs.values()))
    feed = adapter("what is given", f"input `{name}`", sample, net.graph.inputs[name].type)
    array = feed(sample)
    if array.ndim < 4:  # (N, L) or (N, L, C)
        array = array.reshape(*array.shape[:2], -1).transpose(0, 2, 1)[:, :, None]
    found: Array = as_pictures(array)[0]
    return found


def _spatial(value: Value) -> tuple[Dim, ...]:
    """Rows and columns of a picture, or the length of a sequence."""
    return tuple(value.shape[axis] for axis in spatial_axes(value.type))


def _times(extents: Iterable[Any]) -> str:
    return "x".join(f"{e:g}" if isinstance(e, float) else str(e) for e in extents)


def _place(
    label: str, extents: Sequence[int], at: tuple[int, int] | None, axes: int
) -> tuple[int, int]:
    """The row and column of an element; the row of a sequence is 0.

    Raises:
        NetError: E103, there is none.
    """
    height, width = extents
    row, column = at if at is not None else (height // 2, width // 2)
    if not (0 <= row < height and 0 <= column < width):
        help = "rows and columns count from 0" if axes == 2 else "positions count from 0"
        size, place = _times(extents[-axes:]), ", ".join(map(str, (row, column)[-axes:]))
        raise error("E103", f"`{label}` is {size} and has no {place}", help=help)
    return row, column
