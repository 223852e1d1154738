"""A network and a sample -> the feature maps of each level, from low to high."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ...compiler.ir.graph import Graph, Value
from ...compiler.layers.layerdef import LAYERS
from ...grammar.diagnostics import error
from ..kerneldef import Array
from ..plots.feature_maps import Level
from .probes import Probe

LEVEL_FILES = ("convolution", "pooling", "transposed_convolution", "adaptive_pooling", "local")
PASSED_FILES = ("activation", "normalization")  # what a level's maps pass at once
MOST_LEVELS = 12  # levels, where none are chosen


def feature_maps(
    graph: Graph,
    state: Mapping[str, Array],
    feeds: Mapping[str, Array],
    *,
    layers: Sequence[str] = (),
    most: int = 8,
) -> list[Level]:
    """The maps of convolutions and pools, each after its normalization and activation.

    Args:
        graph: The network, mode-neutral.
        state: Its weights.
        feeds: One sample, with the batch's axis.
        layers: Which layers; by default all, or of many the last ones of each resolution.
        most: How many channels of each.

    Raises:
        NetError: E566, there are no feature maps; E101, there is no such layer.
    """
    found = _levels(graph)
    if not found and not layers:
        help = "feature maps are what convolutions and pools make of images"
        raise error("E566", f"`{graph.name}` has no feature maps", help=help)
    if layers:
        found = {name: found.get(name, name) for name in layers}
    elif len(found) > MOST_LEVELS:
        found = _spread(graph, found)
    probe = Probe.of(graph, found.values())
    values = probe.read(feeds, state)
    for name, last in found.items():
        if values[last].ndim != 4:
            help = "choose convolutions and pools on images: `netc summary` lists the layers"
            raise error("E566", f"the output of `{name}` is not feature maps", help=help)
    return [_level(name, last, values[last][0], most) for name, last in found.items()]


def _level(name: str, last: str, maps: Array, most: int) -> Level:
    order = np.argsort(-np.abs(maps).mean(axis=(1, 2)), kind="stable")[:most]
    return Level(name, last, maps[order], [int(place) for place in order], len(maps))


def _levels(graph: Graph) -> dict[str, str]:
    """Layers on images, and the last layer that each one's maps pass at once."""
    paths = {layer.outputs[0]: path for path, layer in graph.layers.items() if layer.outputs}
    found: dict[str, str] = {}
    for path, layer in graph.layers.items():
        if _file(layer.kind) not in LEVEL_FILES or layer.outputs[0].type.rank != 4:
            continue
        value = layer.outputs[0]
        while (following := _following(graph, value)) in paths:
            assert following is not None
            value = following
        found[path] = paths[value]
    return found


def _following(graph: Graph, value: Value) -> Value | None:
    """The output of the only layer that takes a value, if it is an activation or the like."""
    scopes = {graph[node].scope for node in graph.consumers(value)}
    if len(scopes) != 1 or value in graph.outputs.values():
        return None
    layer = graph.layers.get(scopes.pop())
    return layer.outputs[0] if layer and _file(layer.kind) in PASSED_FILES else None


def _file(kind: str) -> str:
    """The file that defines a kind of layer, which is its family."""
    known = LAYERS.get(kind)
    return known.function.__module__.rsplit(".", 1)[-1] if known else ""


def _spread(graph: Graph, levels: Mapping[str, str]) -> dict[str, str]:
    """The first level, and the last ones of each resolution, evenly where they are many."""
    names = list(levels)
    sizes = {name: graph.layers[name].outputs[0].shape[2:] for name in names}
    ends = [n for n, after in pairwise(names) if sizes[n] != sizes[after]]
    chosen = [n for n in names if n in (names[0], *ends, names[-1])]
    places = np.linspace(0, len(chosen) - 1, min(MOST_LEVELS, len(chosen))).round().astype(int)
    return {chosen[place]: levels[chosen[place]] for place in places}
