"""Gradients of convolutions.

`Conv`, `ConvTranspose` and `netc.ConvWeightGrad` are the three sides of one trilinear form, the sum
over y[o] w[k] x[o stride + k dilation - padding]: the gradients of each are the other two.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ...builder import Builder
from ...graph import Value
from ...opdef import Vjp, VjpCall
from ...windows import window_of
from .indexing import cropped

Parts = Sequence[Value | None]

GEOMETRY = ("kernel_shape", "strides", "pads", "dilations", "group")


def conv(build: Builder, call: VjpCall) -> Parts:
    """y = x * w + b: dx is the transposed convolution of dy, db the sum of dy."""
    x, w, dy = call.input(0), call.input(1), call.cotangent
    geometry = _geometry(call)
    return [
        input_gradient(build, dy, w, x, geometry) if call.wanted[0] else None,
        _weight_gradient(build, x, dy, geometry) if call.wanted[1] else None,
        _bias_gradient(build, call),
    ]


def conv_transpose(build: Builder, call: VjpCall) -> Parts:
    """y = x * wT + b: dx is the convolution of dy; for the weight x and dy change places."""
    x, w, dy = call.input(0), call.input(1), call.cotangent
    geometry = _geometry(call)
    return [
        _windows_seen(build, dy, w, x, geometry) if call.wanted[0] else None,
        _weight_gradient(build, dy, x, geometry) if call.wanted[1] else None,
        _bias_gradient(build, call),
    ]


def conv_weight_grad(build: Builder, call: VjpCall) -> Parts:
    """dw of x and dy, given the gradient v with respect to it: x is to v as to a weight."""
    x, dy, v = call.input(0), call.input(1), call.cotangent
    geometry = _geometry(call)
    return [
        input_gradient(build, dy, v, x, geometry) if call.wanted[0] else None,
        _windows_seen(build, x, v, dy, geometry) if call.wanted[1] else None,
    ]


def input_gradient(
    build: Builder, dy: Value, w: Value, x: Value, geometry: Mapping[str, Any]
) -> Value:
    """The transposed convolution of dy, of x's extents.

    Where a stride leaves open how many of x's last rows no window sees, it yields as many as can
    be, and is cropped.
    """
    window = window_of(geometry)
    extra: list[int] = []
    open_axes: list[int] = []
    reached = window.scattered(dy.shape[2:])
    for axis, (full, least) in enumerate(zip(x.shape[2:], reached, strict=True)):
        rest = full - least
        if not isinstance(rest, int):
            open_axes.append(2 + axis)
            rest = window.strides[axis] - 1
        extra.append(rest)
    padding = tuple(extra) if any(extra) else None
    dx = build.ConvTranspose(dy, w, **geometry, output_padding=padding)
    return cropped(build, dx, x, open_axes)


def _windows_seen(
    build: Builder, x: Value, w: Value, y: Value, geometry: Mapping[str, Any]
) -> Value:
    """The convolution of x, as much of it as y has."""
    found = build.Conv(x, w, **geometry)
    axes = [i for i, (a, b) in enumerate(zip(found.shape, y.shape, strict=True)) if a != b]
    return cropped(build, found, y, axes)


def _weight_gradient(build: Builder, x: Value, dy: Value, geometry: Mapping[str, Any]) -> Value:
    return build.op("netc.ConvWeightGrad", (x, dy), geometry)[0]


def _bias_gradient(build: Builder, call: VjpCall) -> Value | None:
    """The bias is added at every position."""
    if len(call.inputs) < 3 or not call.wanted[2]:
        return None
    positions = (0, *range(2, len(call.cotangent.shape)))
    return build.ReduceSum(call.cotangent, build.index_constant(positions), keepdims=0)


def _geometry(call: VjpCall) -> dict[str, Any]:
    return {key: call.attributes[key] for key in GEOMETRY}


RULES: Mapping[str, Vjp] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "netc.ConvWeightGrad": conv_weight_grad,
}
