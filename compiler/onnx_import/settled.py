"""Attributes of ONNX's operators -> those of our rows, which leave nothing to be worked out."""

from collections.abc import Callable, Mapping
from typing import Any

from ..ir.signature import OpCall

Attributes = dict[str, Any]
Settle = Callable[[OpCall, Attributes], Attributes]


def settled(op_type: str, call: OpCall, attributes: Attributes) -> Attributes:
    """An operator's attributes with what its operands tell in place of what they leave open."""
    rule = SETTLED.get(op_type)
    return rule(call, attributes) if rule else attributes


def _convolution(call: OpCall, attributes: Attributes) -> Attributes:
    """The kernel is the weight's; padding that is asked for by name is worked out."""
    kernel = tuple(attributes.get("kernel_shape") or call.type(1).shape[2:])
    return _padded(call, {**attributes, "kernel_shape": kernel})


def _padded(call: OpCall, attributes: Attributes) -> Attributes:
    """`auto_pad` as `pads`; ONNX's SAME gives ceil(extent / stride) windows.

    What open extents leave open stays as it is.
    """
    rule = attributes.get("auto_pad", "NOTSET")
    others = {name: value for name, value in attributes.items() if name != "auto_pad"}
    if rule in ("NOTSET", ""):
        return others
    kernel = attributes["kernel_shape"]
    rank = len(kernel)
    if rule == "VALID":
        return {**others, "pads": (0,) * (2 * rank)}
    strides = attributes.get("strides") or (1,) * rank
    dilations = attributes.get("dilations") or (1,) * rank
    before, after = [], []
    geometry = zip(call.type(0).shape[2:], kernel, strides, dilations, strict=True)
    for extent, size, stride, dilation in geometry:
        reach = dilation * (size - 1) + 1
        if stride == 1:
            total = reach - 1
        elif isinstance(extent, int):
            total = max((-(-extent // stride) - 1) * stride + reach - extent, 0)
        else:
            return attributes
        half = total // 2
        before.append(half if rule == "SAME_UPPER" else total - half)
        after.append(total - before[-1])
    return {**others, "pads": (*before, *after)}


def _transposed_convolution(call: OpCall, attributes: Attributes) -> Attributes:
    """`output_shape` and `auto_pad` as `pads` and `output_padding`.

    ONNX: total padding is stride (extent - 1) + output_padding + reach - output, for SAME with
    output = extent * stride.
    """
    kernel = tuple(attributes.get("kernel_shape") or call.type(1).shape[2:])
    rank = len(kernel)
    rule, wanted = attributes.get("auto_pad", "NOTSET"), attributes.get("output_shape")
    left_out = ("auto_pad", "output_shape")
    others = {name: value for name, value in attributes.items() if name not in left_out}
    others["kernel_shape"] = kernel
    if rule == "VALID" and not wanted:
        return {**others, "pads": (0,) * (2 * rank)}
    if rule in ("NOTSET", "") and not wanted:
        return others
    strides = attributes.get("strides") or (1,) * rank
    dilations = attributes.get("dilations") or (1,) * rank
    extra = list(attributes.get("output_padding") or (0,) * rank)
    extents = call.type(0).shape[2:]
    before, after = [], []
    for axis, (extent, size) in enumerate(zip(extents, kernel, strict=True)):
        reach = dilations[axis] * (size - 1) + 1
        if wanted and isinstance(extent, int):
            total = strides[axis] * (extent - 1) + extra[axis] + reach - wanted[-rank:][axis]
        elif wanted:
            return attributes
        else:
            total = extra[axis] + reach - strides[axis]
        if total < 0:  # more than all windows give: rows that no window writes to
            extra[axis] -= total
            total = 0
        half = total // 2
        before.append(total - half if rule == "SAME_LOWER" else half)
        after.append(total - before[-1])
    if rule in ("NOTSET", ""):  # as SAME_LOWER is, says ONNX
        before, after = after, before
    return {**others, "pads": (*before, *after), "output_padding": tuple(extra)}


def _transposed(call: OpCall, attributes: Attributes) -> Attributes:
    """Without `perm` the axes are reversed."""
    reverse = tuple(reversed(range(call.type(0).rank)))
    return {**attributes, "perm": attributes.get("perm") or reverse}


SETTLED: Mapping[str, Settle] = {
    "AveragePool": _padded,
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "LpPool": _padded,
    "MaxPool": _padded,
    "Transpose": _transposed,
}
