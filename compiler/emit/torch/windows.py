"""Operators with windows that slide -> expressions of PyTorch: convolutions, pools, resizing."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from .code import Code, Group, call, code, method, operand, option
from .operator_call import OperatorCall, Row, alike

# Where a coordinate lies and how it is rounded, so that whole factors repeat each element.
TO_SIZE = ("asymmetric", "floor")  # as PyTorch rounds to any size
NEAREST = {TO_SIZE, ("half_pixel", "round_prefer_floor")}


def padded(pads: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """ONNX's pads as a symmetric part, and what `torch.nn.functional.pad` takes of the rest."""
    begins, ends = pads[: len(pads) // 2], pads[len(pads) // 2 :]
    both = tuple(map(min, begins, ends))
    pairs = zip(reversed(begins), reversed(ends), reversed(both), strict=True)
    return both, tuple(n for b, e, s in pairs for n in (b - s, e - s))


def operands(call_: OperatorCall, first: Code) -> list[Code]:
    """Input, weight and bias."""
    return [first, operand(1), *([operand(2)] if call_.has(2) else [])]


def convolution(op: OperatorCall) -> Code:
    """Conv; uneven pads are added before."""
    both, rest = padded(op.window("pads", 0))
    x = call("F.pad", operand(0), rest) if any(rest) else operand(0)
    return call(
        f"F.conv{op.spatial}d",
        *operands(op, x),
        option("stride", alike(op.window("strides")), 1),
        option("padding", alike(both), 0),
        option("dilation", alike(op.window("dilations")), 1),
        option("groups", op["group"], 1),
    )


def transposed_convolution(op: OperatorCall) -> Code:
    """ConvTranspose; what uneven pads cut off at the end is cut off afterwards."""
    both, rest = padded(op.window("pads", 0))
    if op.attributes.get("output_shape"):
        raise NotImplementedError("an output's shape")
    y = call(
        f"F.conv_transpose{op.spatial}d",
        *operands(op, operand(0)),
        option("stride", alike(op.window("strides")), 1),
        option("padding", alike(both), 0),
        option("output_padding", alike(op.window("output_padding", 0)), 0),
        option("groups", op["group"], 1),
        option("dilation", alike(op.window("dilations")), 1),
    )
    return call("F.pad", y, tuple(-n for n in rest)) if any(rest) else y


def pool_options(op: OperatorCall, both: tuple[int, ...]) -> list[Code]:
    """Kernel, stride and padding."""
    if any(2 * pad > size for pad, size in zip(both, op["kernel_shape"], strict=True)):
        raise NotImplementedError("pads of more than half a window")
    kernel = alike(op["kernel_shape"])
    return [
        code(kernel),
        option("stride", alike(op.window("strides")), kernel),
        option("padding", alike(both), 0),
    ]


def max_pool(op: OperatorCall) -> Code:
    """MaxPool; PyTorch pads by at most half a window."""
    both, rest = padded(op.window("pads", 0))
    if any(rest) and op["ceil_mode"]:
        raise NotImplementedError("uneven pads and rounding up")
    x = operand(0)
    if any(rest):
        x = call("F.pad", x, rest, value=-float("inf"))
    return call(
        f"F.max_pool{op.spatial}d",
        x,
        *pool_options(op, both),
        option("dilation", alike(op.window("dilations")), 1),
        option("ceil_mode", bool(op["ceil_mode"]), False),
    )


def average_pool(op: OperatorCall) -> Code:
    """AveragePool; with uneven pads, the sums divided by how many elements there are."""
    both, rest = padded(op.window("pads", 0))
    if any(d != 1 for d in op.window("dilations")):
        raise NotImplementedError("dilations")
    if any(rest):
        return _unevenly_averaged(op)
    return call(
        f"F.avg_pool{op.spatial}d",
        operand(0),
        *pool_options(op, both),
        option("ceil_mode", bool(op["ceil_mode"]), False),
        option("count_include_pad", bool(op["count_include_pad"]) or not any(both), True),
    )


def _unevenly_averaged(op: OperatorCall) -> Code:
    """The mean of a padded input over the mean of a padded input of ones."""
    if op["ceil_mode"] or op["count_include_pad"]:
        raise NotImplementedError("uneven pads that count, or with rounding up")
    pads = op.window("pads", 0)
    half = len(pads) // 2
    pairs = zip(reversed(pads[:half]), reversed(pads[half:]), strict=True)
    order = tuple(n for pair in pairs for n in pair)
    name, options = f"F.avg_pool{op.spatial}d", pool_options(op, (0,) * half)
    sums = call(name, call("F.pad", operand(0), order), *options)
    shares = call(name, call("F.pad", call("torch.ones_like", operand(0)), order), *options)
    return Code((*sums.parts, " / ", *shares.parts), 3)


def lp_pool(op: OperatorCall) -> Code:
    """LpPool, (sum |x|^p)^(1 / p), as means of powers: PyTorch's own takes no padding."""
    size = prod(op["kernel_shape"])
    begins, ends = op.window("pads", 0)[: op.spatial], op.window("pads", 0)[op.spatial :]
    if any(d != 1 for d in op.window("dilations")):
        raise NotImplementedError("dilations")
    order = tuple(n for b, e in zip(begins[::-1], ends[::-1], strict=True) for n in (b, e))
    powers = method(method(0, "abs"), "pow", op["p"])
    if any(order):
        powers = call("F.pad", powers, order)
    means = call(f"F.avg_pool{op.spatial}d", powers, *pool_options(op, (0,) * op.spatial))
    total = Code((f"{size} * ", *means.parts), 3)
    return method(total, "pow", code(f"1 / {op['p']}"))


def global_pool(kind: str) -> Row:
    """The mean or the maximum of each channel."""
    return Row(lambda op: call(f"F.adaptive_{kind}_pool{op.spatial}d", operand(0), 1))


def local_response(op: OperatorCall) -> Code:
    """LRN over an odd number of channels; PyTorch centres even ones otherwise."""
    if op["size"] % 2 == 0 or not op.spatial:
        raise NotImplementedError("an even number of channels, or no images")
    return call(
        "F.local_response_norm",
        operand(0),
        op["size"],
        option("alpha", op["alpha"], 1e-4),
        option("beta", op["beta"], 0.75),
        option("k", op["bias"], 1.0),
    )


def resize(op: OperatorCall) -> Code:
    """Resize of images, by whole factors to the nearest neighbour, or along lines."""
    before, after = op.x.shape, op.outputs[0].shape
    place = op["coordinate_transformation_mode"]
    if before[:2] != after[:2] or op.attributes.get("antialias") or op.attributes.get("axes"):
        raise NotImplementedError("other axes than those of images, or with a filter")
    scales = op.constant(2)
    if scales and any(a * _whole(s) != b for a, s, b in zip(before, scales, after, strict=True)):
        if not all(isinstance(extent, int) for extent in (*before[2:], *after[2:])):
            raise NotImplementedError("scales that do not come out even")
        pairs = zip(before[2:], scales[2:], after[2:], strict=True)
        if any(a * s != b for a, s, b in pairs):
            raise NotImplementedError("scales that do not come out even")
    factors = _factors(op)
    if factors is not None:
        target = {"scale_factor": alike(factors)}
    elif all(isinstance(extent, int) for extent in after[2:]):
        target = {"size": tuple(after[2:])}
    else:
        target = {"size": Code((Group(tuple(op.size(extent) for extent in after[2:])),))}
    rounded = (place, op["nearest_mode"])
    is_plain = rounded == TO_SIZE or (factors is not None and rounded in NEAREST)
    if op["mode"] == "nearest" and is_plain:
        return call("F.interpolate", operand(0), **target)
    if op["mode"] == "linear" and place in ("half_pixel", "align_corners"):
        options: dict[str, Any] = {"align_corners": True} if place == "align_corners" else {}
        name = {1: "linear", 2: "bilinear", 3: "trilinear"}[op.spatial]
        return call("F.interpolate", operand(0), **target, mode=f'"{name}"', **options)
    raise NotImplementedError(f"{op['mode']}, {place}, {op['nearest_mode']}")


def _whole(scale: float) -> int:
    return int(scale) if float(scale).is_integer() else 0


def _factors(op: OperatorCall) -> tuple[int, ...] | None:
    """By how much each spatial axis grows, where that is a whole number."""
    factors = []
    for before, after in zip(op.x.shape[2:], op.outputs[0].shape[2:], strict=True):
        scales = op.known[2] if op.has(2) else None
        if isinstance(before, int) and isinstance(after, int):
            if not before or after % before:
                return None
            factors.append(after // before)
        elif scales and _whole(scales[2 + len(factors)]):
            factors.append(_whole(scales[2 + len(factors)]))
        else:
            return None
    return tuple(factors)


def depth_to_space(op: OperatorCall) -> Code:
    """DepthToSpace in the order of PyTorch's `pixel_shuffle`."""
    if op["mode"] != "CRD":
        raise NotImplementedError(f"the mode {op['mode']}")
    return call("F.pixel_shuffle", operand(0), op["blocksize"])


def max_unpool(op: OperatorCall) -> Code:
    """MaxUnpool; ONNX counts places in the whole tensor, PyTorch in the channel."""
    extents = op.outputs[0].shape[2:]
    if not all(isinstance(extent, int) for extent in extents):
        raise NotImplementedError("extents that only an input determines")
    places = Code((*operand(1, 3).parts, f" % {prod(extents)}"), 3)
    return call(
        f"F.max_unpool{op.spatial}d",
        operand(0),
        places,
        alike(op["kernel_shape"]),
        option("stride", alike(op.window("strides")), alike(op["kernel_shape"])),
        output_size=tuple(extents),
    )


WINDOWS: Mapping[str, Row] = {
    "Conv": Row(convolution),
    "ConvTranspose": Row(transposed_convolution),
    "MaxPool": Row(max_pool),
    "AveragePool": Row(average_pool),
    "LpPool": Row(lp_pool),
    "GlobalAveragePool": global_pool("avg"),
    "GlobalMaxPool": global_pool("max"),
    "LRN": Row(local_response),
    "Resize": Row(resize, frozenset({1, 2, 3})),
    "DepthToSpace": Row(depth_to_space),
    "MaxUnpool": Row(max_unpool, frozenset({2})),
}
