"""Convolutions, full, depthwise and transposed."""

from collections.abc import Mapping
from typing import Any

from ...ir.graph import Node, Value
from .trail import Match, Trail, Weight, as_vector, rule, vector_along, with_channels_on


@rule("Conv")
def convolution(trail: Trail) -> Match:
    """`CONV`, or `DWCONV` where each channel is convolved by itself."""
    return _convolution(trail, trail.node, trail.node.optional(2))


@rule("ConvTranspose")
def transposed_convolution(trail: Trail) -> Match:
    """`UPCONV`."""
    return _transposed(trail, trail.node, trail.node.optional(2))


@rule("Add")
def convolution_with_bias(trail: Trail) -> Match:
    """A convolution whose bias is added by an operator of its own."""
    a, b = trail.arguments(trail.node, 2)
    y, bias = (a, b) if trail.is_learned(b) else (b, a)
    node = trail.back(y, "Conv", "ConvTranspose")
    trail.need(node.optional(2) is None and y.type == trail.node.outputs[0])
    trail.need(bias.type.size == y.shape[1] and vector_along(bias.shape, y.type.rank) == 1)
    return (_convolution if node.op_type == "Conv" else _transposed)(trail, node, bias)


def _convolution(trail: Trail, node: Node, bias: Value | None) -> Match:
    x, weight = trail.arguments(node, 2)
    filters, width = weight.shape[:2]
    arguments = {**_window(node), **_bias(bias)}
    groups = node.attributes["group"]
    weights = _weights(trail, node, bias)
    layout = with_channels_on(x.type.rank, 1)
    if weights["weight"].value.type.rank == 2:  # a dense layer at every position
        return Match("LINEAR", (x,), {"units": filters, **_bias(bias)}, weights, layout)
    if groups > 1 and width == 1 and groups == x.shape[1] and isinstance(filters, int):
        multiplier = {"multiplier": filters // groups} if filters != groups else {}
        return Match("DWCONV", (x,), {**arguments, **multiplier}, weights, layout)
    more = {"groups": groups} if groups > 1 else {}
    return Match("CONV", (x,), {**arguments, "filters": filters, **more}, weights, layout)


def _transposed(trail: Trail, node: Node, bias: Value | None) -> Match:
    x, weight = trail.arguments(node, 2)
    groups = node.attributes["group"]
    width = weight.shape[1]
    trail.need(isinstance(width, int))
    found = {**_window(node), **_bias(bias), "filters": width * groups}
    found.setdefault("stride", 1)
    if isinstance(found.get("pad"), str):
        found["pad"] = 0
    rank = x.type.rank - 2
    pads = node.attributes["pads"] or (0,) * (2 * rank)
    before, after = tuple(pads[:rank]), tuple(pads[rank:])
    found["pad"] = one(before) if before == after else (before, after)
    if extra := node.attributes["output_padding"]:
        found["output_pad"] = one(extra)
    if groups > 1:
        found["groups"] = groups
    weights = _weights(trail, node, bias)
    return Match("UPCONV", (x,), found, weights, with_channels_on(x.type.rank, 1))


def _weights(trail: Trail, node: Node, bias: Value | None) -> Mapping[str, Weight]:
    found = {"weight": trail.weight(trail.argument(node, 1))}
    if bias is not None:
        found["bias"] = as_vector(trail.weight(bias))
    return found


def _bias(bias: Value | None) -> Mapping[str, Any]:
    return {} if bias is not None else {"bias": False}


def _window(node: Node) -> dict[str, Any]:
    """Kernel, stride, padding and dilation, as a call gives them."""
    attributes = node.attributes
    kernel = tuple(attributes["kernel_shape"])
    rank = len(kernel)
    strides = tuple(attributes["strides"] or (1,) * rank)
    dilations = tuple(attributes["dilations"] or (1,) * rank)
    pads = tuple(attributes["pads"] or (0,) * (2 * rank))
    return window_arguments(kernel, strides, dilations, (pads[:rank], pads[rank:]))


def window_arguments(
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    pads: tuple[tuple[int, ...], tuple[int, ...]],
) -> dict[str, Any]:
    """Those of a window that are not the defaults."""
    found: dict[str, Any] = {"kernel": kernel}
    if set(strides) != {1}:
        found["stride"] = one(strides)
    if set(dilations) != {1}:
        found["dilation"] = one(dilations)
    before, after = pads
    total = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
    same = tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    if (before, after) != same:
        found["pad"] = one(before) if before == after else (before, after)
    return found


def one(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all axes have the same."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
