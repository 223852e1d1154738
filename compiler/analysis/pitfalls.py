"""Graph to warnings about what seldom trains: linear pairs, saturation, equal initial weights.

And normalizations of single values, which discard their input.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import partial
from typing import Any

from ...grammar.diagnostics import Diagnostic, pointers
from ..ir.dim import Dim
from ..ir.graph import LEAVES, Graph, Layer
from ..ir.initializers import CONSTANT_INITIALIZERS, Init
from ..ir.types import DType, author_extents, product
from .initial_values import activation_at

WEIGHTED = frozenset({"CONV", "DROPCONNECT", "DWCONV", "FC", "LINEAR", "LOCAL", "UPCONV"})
DENSE = frozenset({"FC"})

# What two dense layers may have between them and still be one linear map. `ID` is none of these:
# an author writes it where the two are meant.
LINEAR = frozenset({"BN", "DROPOUT", "FLATTEN", "RESHAPE"})

# What hands on the small slopes of a sigmoid. A gate's multiplication is none of these.
HANDING_ON = LINEAR | {"GAP", "GMP", "GN", "IN", "LN", "LRN", "POOL", "RMSNORM", "UPSAMPLE"}

# What treats all channels alike, also in training: chance and neighbours tell them apart.
ALIKE = HANDING_ON - {"DROPOUT", "LRN"}

RECURRENT = frozenset({"GRU", "LSTM", "RNN"})

# Layers all of whose units see the same, without chance.
SEEING_ALL = WEIGHTED - {"DROPCONNECT", "DWCONV"}

# How many values of a sample, of these extents, share the statistics of a normalization.
SHARED: Mapping[str, Callable[[Sequence[Dim], Mapping[str, Any]], Dim]] = {
    "GN": lambda extents, arguments: product(extents) // arguments["groups"],
    "IN": lambda extents, arguments: product(extents[:-1]),
    "LN": lambda extents, arguments: (
        product(extents) if arguments["axes"] == "all" else extents[-1]
    ),
    "RMSNORM": lambda extents, arguments: extents[-1],
    "SOFTMAX": lambda extents, arguments: extents[-1],
    "LOGSOFTMAX": lambda extents, arguments: extents[-1],
}


def pitfalls(graph: Graph) -> list[Diagnostic]:
    """Warnings about layers that seldom train well, one per place in the text."""
    found = (
        *_linear_pairs(graph),
        *_hidden_sigmoids(graph),
        *_equal_weights(graph),
        *_single_values(graph),
        *_fractions_of_bytes(graph),
        *_drops_between_no_layers(graph),
    )
    return list({(d.code, d.span or d.message): d for d in reversed(found)}.values())[::-1]


def _linear_pairs(graph: Graph) -> Iterable[Diagnostic]:
    """Dense layers without an activation between them: together they are one dense layer."""
    for first, second in _meetings(graph, DENSE, LINEAR, DENSE):
        spans = graph.layers[first].span, graph.layers[second].span
        yield Diagnostic(
            "W106",
            f"there is no activation between `{first}` and `{second}`, so they are one linear map",
            spans[1],
            also=() if spans[0] == spans[1] else pointers(spans[0], "this layer follows it"),
            help="put an activation between them, or `ID` where a linear map is meant",
        )


def _hidden_sigmoids(graph: Graph) -> Iterable[Diagnostic]:
    """Sigmoids whose values go to further weights; gates and outputs do not."""
    for sigmoid, layer in _meetings(graph, frozenset({"SIGMOID"}), HANDING_ON, WEIGHTED):
        yield Diagnostic(
            "W107",
            f"`{sigmoid}` is a sigmoid in a hidden layer: it saturates, and its slope is at most"
            " 0.25",
            graph.layers[sigmoid].span,
            also=pointers(graph.layers[layer].span, "more weights follow here"),
            help="use `RELU`, or `TANH` where values must be bounded",
        )


def _equal_weights(graph: Graph) -> Iterable[Diagnostic]:
    """Hidden layers whose weights start out all the same, so that their units stay the same.

    Units whose weights are the same still learn different things where what follows weighs them
    differently, unless they are 0 and what follows has no slope there.
    """
    for path in _hidden(graph):
        layer = graph.layers[path]
        if not _starts_equal(layer):
            continue
        if _always_meets(graph, layer, partial(_treats_alike, graph), _has_equal_weights):
            message, learned = "start with the same value, and so do those behind it", "the same"
        elif _yields_zero(layer) and _always_meets(graph, layer, _keeps_zero, _has_no_slope):
            message, learned = "start at 0, where the activation has no slope", "nothing"
        else:
            continue
        yield Diagnostic(
            "W108",
            f"all weights of the hidden layer `{path}` {message}",
            layer.span,
            help=f"its units all learn {learned}; remove `init` and `weight` to draw them at"
            " random",
        )


def _fractions_of_bytes(graph: Graph) -> Iterable[Diagnostic]:
    """Means and deviations of pictures from 0 to 1, where bytes from 0 to 255 are scaled."""
    for _, node in graph.nodes():
        layer = graph.layers.get(node.scope)
        if layer is None or (layer.kind, node.op_type) != ("NORMALIZE", "Cast"):
            continue  # bytes become real numbers there
        (taken,) = node.inputs
        mean, std = layer.arguments["mean"], layer.arguments["std"]
        is_given = not (_all_are(mean, 0) and _all_are(std, 1))
        if taken is not None and taken.dtype is DType.UINT8 and is_given and _most(mean, std) <= 1:
            yield Diagnostic(
                "W112",
                f"`{node.scope}` scales bytes, from 0 to 255, as if they were from 0 to 1",
                layer.span,
                help="`mean` and `std` are in the units of the input: multiply both by 255",
            )


def _drops_between_no_layers(graph: Graph) -> Iterable[Diagnostic]:
    """Dropout between the layers of a recurrent layer that is a single one."""
    for path, layer in graph.layers.items():
        given = layer.kind in RECURRENT and "dropout" not in layer.defaulted
        arguments = layer.arguments  # ONNX's operators of these names have others
        if given and arguments.get("dropout") and arguments.get("layers") == 1:
            yield Diagnostic(
                "W113",
                f"`{path}` drops nothing: its dropout is between layers, of which it has one",
                layer.span,
                help="give it more layers, or put a DROPOUT behind it",
            )


def _most(*numbers: Any) -> float:
    """The largest absolute number of some, and of lists of some."""
    return max(_most(*each) if isinstance(each, tuple) else abs(each) for each in numbers)


def _single_values(graph: Graph) -> Iterable[Diagnostic]:
    """Normalizations of one value each, of which they leave its sign at most."""
    for path, layer in graph.layers.items():
        shared = SHARED.get(layer.kind)
        extents = author_extents(layer.outputs[0].type) if shared else ()
        if shared and shared(extents, layer.arguments) == 1:
            left = "only the sign" if layer.kind == "RMSNORM" else "nothing"
            single = layer.kind == "SOFTMAX" and "use `SIGMOID` for a single probability"
            yield Diagnostic(
                "W111",
                f"`{path}` normalizes each value by itself: {left} of its input is left",
                layer.span,
                help=single or "normalize over several values, or leave it out",
            )


def single_samples(graph: Graph) -> Iterable[Diagnostic]:
    """Batch normalizations that batches of one sample leave one value per channel."""
    for path, layer in graph.layers.items():
        single = layer.kind == "BN" and not layer.frozen
        if single and product(author_extents(layer.outputs[0].type)[:-1]) == 1:
            yield Diagnostic(
                "W111",
                f"`{path}` has one value per channel in batches of 1 sample, so"
                " nothing of its input is left",
                layer.span,
                help="take larger batches, or use `LN`, which needs no batch",
            )


def _meetings(
    graph: Graph, starts: Set[str], passing: Set[str], ends: Set[str]
) -> Iterable[tuple[str, str]]:
    """Pairs of layers of which the first's values meet the second through `passing` layers only.

    Layers whose weights the author wrote down, or froze, are taken to be meant. Linear in the
    graph.
    """
    carried: dict[int, str] = {}
    for identifier, node in graph.nodes():
        layer = graph.layers.get(node.scope)
        if layer is None or node.op_type in LEAVES:
            continue
        arguments = (v.node for v in node.inputs if v is not None)
        met = next((carried[i] for i in arguments if i in carried), node.scope)
        meet = met != node.scope and layer.kind in ends
        if meet and _learns(graph, met) and _learns(graph, node.scope):
            yield met, node.scope
        if layer.kind in starts:
            carried[identifier] = node.scope
        elif met != node.scope and layer.kind in passing:
            carried[identifier] = met


def _learns(graph: Graph, path: str) -> bool:
    """Whether a layer's weights, if it has any, are drawn and trained."""
    weight = graph.parameters.get(f"{path}.weight")
    if weight is None:
        return True
    attributes = graph.producer(weight).attributes
    return bool(attributes["trainable"]) and attributes["literal"] is None


def _hidden(graph: Graph) -> Iterable[str]:
    """Layers with weights from which a further layer with weights can be reached."""
    weighted_ahead: set[int] = set()
    ahead_of: dict[str, bool] = {}
    for identifier in range(len(graph) - 1, -1, -1):
        node = graph[identifier]
        layer = graph.layers.get(node.scope)
        weighted = layer is not None and layer.kind in WEIGHTED
        if weighted and node.op_type not in LEAVES:
            # The layer's last operator comes first here, and sees what is after the layer.
            ahead_of.setdefault(node.scope, identifier in weighted_ahead)
        if weighted or identifier in weighted_ahead:
            weighted_ahead.update(v.node for v in node.inputs if v is not None)
    return [path for path in graph.layers if ahead_of.get(path)]


def _starts_equal(layer: Layer) -> bool:
    """Whether a layer of several features starts with equal weights."""
    features = author_extents(layer.outputs[0].type)[-1]
    return features != 1 and _has_equal_weights(layer)


def _has_equal_weights(layer: Layer) -> bool:
    """Whether a layer's units and what they see are multiplied by equal numbers."""
    return layer.kind in SEEING_ALL and _is_equal(layer.arguments)


def _treats_alike(graph: Graph, layer: Layer) -> bool:
    return layer.kind in ALIKE or bool(activation_at(graph, graph.producer(layer.outputs[0])))


def _yields_zero(layer: Layer) -> bool:
    """Whether a layer's weights and biases start at 0."""
    weight, init = layer.arguments.get("weight"), layer.arguments.get("init")
    zero = init.name == "zeros" if weight is None and isinstance(init, Init) else False
    return (zero or (weight is not None and _all_are(weight, 0))) and _is_unbiased(layer)


def _keeps_zero(layer: Layer) -> bool:
    return layer.kind in LINEAR and _is_unbiased(layer)


def _is_unbiased(layer: Layer) -> bool:
    bias = layer.arguments.get("bias_value")
    return bias is None or _all_are(bias, 0)


def _has_no_slope(layer: Layer) -> bool:
    """Whether a layer's slope at 0 is 0."""
    return layer.kind in ("RELU", "RELU6")


def _is_equal(arguments: Mapping[str, Any]) -> bool:
    weight, init = arguments.get("weight"), arguments.get("init")
    if weight is not None:
        first = weight
        while isinstance(first, tuple):
            first = first[0]
        return _all_are(weight, first)
    return isinstance(init, Init) and init.name in CONSTANT_INITIALIZERS


def _all_are(literal: Any, number: float) -> bool:
    if isinstance(literal, tuple):
        return all(_all_are(item, number) for item in literal)
    return bool(literal == number)


def _always_meets(
    graph: Graph, layer: Layer, passes: Callable[[Layer], bool], ends: Callable[[Layer], bool]
) -> bool:
    """Whether all that a layer yields goes through layers that pass into layers that end."""
    outputs = set(graph.outputs.values())
    seen: set[str] = set()
    ahead = [layer]
    while ahead:
        values = ahead.pop().outputs
        readers = {graph[i].scope for value in values for i in graph.consumers(value)} - seen
        seen |= readers
        found = [graph.layers.get(path) for path in readers]
        if not outputs.isdisjoint(values) or None in found:
            return False
        further = [each for each in found if each is not None and not ends(each)]
        if not all(map(passes, further)):
            return False
        ahead += further
    return True
