"""Convolutions, full, depthwise and transposed."""

from collections.abc import Mapping
from typing import Any

from ...ir.graph import Node
from .trail import Match, Trail, Weight, rule, with_channels_on


@rule("Conv")
def convolution(trail: Trail) -> Match:
    """`CONV`, or `DWCONV` where each channel is convolved by itself."""
    node = trail.node
    x, weight = (trail.argument(node, place) for place in range(2))
    filters, width = weight.shape[:2]
    arguments = {**_window(node), **_bias(node)}
    groups = node.attributes["group"]
    weights = _weights(trail)
    layout = with_channels_on(x.type.rank, 1)
    if weights["weight"].value.type.rank == 2:  # a dense layer at every position
        return Match("LINEAR", (x,), {"units": filters, **_bias(node)}, weights, layout)
    if groups > 1 and width == 1 and groups == x.shape[1] and isinstance(filters, int):
        multiplier = {"multiplier": filters // groups} if filters != groups else {}
        return Match("DWCONV", (x,), {**arguments, **multiplier}, weights, layout)
    more = {"groups": groups} if groups > 1 else {}
    return Match("CONV", (x,), {**arguments, "filters": filters, **more}, weights, layout)


@rule("ConvTranspose")
def transposed_convolution(trail: Trail) -> Match:
    """`UPCONV`."""
    node = trail.node
    x, weight = (trail.argument(node, place) for place in range(2))
    groups = node.attributes["group"]
    width = weight.shape[1]
    trail.need(isinstance(width, int))
    found = {**_window(node), **_bias(node), "filters": width * groups}
    found.setdefault("stride", 1)
    if isinstance(found.get("pad"), str):
        found["pad"] = 0
    pads = node.attributes["pads"] or (0,)
    rank = x.type.rank - 2
    before, after = tuple(pads[:rank]), tuple(pads[rank:])
    found["pad"] = one(before) if before == after else (before, after)
    if extra := node.attributes["output_padding"]:
        found["output_pad"] = one(extra)
    if groups > 1:
        found["groups"] = groups
    return Match("UPCONV", (x,), found, _weights(trail), with_channels_on(x.type.rank, 1))


def _weights(trail: Trail) -> Mapping[str, Weight]:
    found = {"weight": trail.weight(trail.argument(trail.node, 1))}
    if len(trail.node.inputs) > 2 and trail.node.inputs[2] is not None:
        found["bias"] = trail.weight(trail.node.inputs[2])
    return found


def _bias(node: Node) -> Mapping[str, Any]:
    return {} if len(node.inputs) > 2 and node.inputs[2] is not None else {"bias": False}


def _window(node: Node) -> dict[str, Any]:
    """Kernel, stride, padding and dilation, as a call gives them."""
    attributes = node.attributes
    kernel = tuple(attributes["kernel_shape"])
    rank = len(kernel)
    strides = tuple(attributes["strides"] or (1,) * rank)
    dilations = tuple(attributes["dilations"] or (1,) * rank)
    found: dict[str, Any] = {"kernel": kernel}
    if set(strides) != {1}:
        found["stride"] = one(strides)
    if set(dilations) != {1}:
        found["dilation"] = one(dilations)
    pads = tuple(attributes["pads"] or (0,) * (2 * rank))
    before, after = pads[:rank], pads[rank:]
    total = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
    same = tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    if (before, after) != same:
        found["pad"] = one(before) if before == after else (before, after)
    return found


def one(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all axes have the same."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
