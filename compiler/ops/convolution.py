"""Convolutions over any number of spatial axes, and transposed ones.

`Conv`, `ConvTranspose` and `netc.ConvWeightGrad` are the three sides of one trilinear form, the sum
over y[o] w[k] x[o stride + k dilation - padding]: the gradients of each are the other two.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim, equal
from ..ir.graph import Value
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType, product
from ..ir.windows import window_of
from . import notation
from .indexing import cropped
from .input_gradient_forms import as_gradient
from .one_window import as_product
from .opdef import Cost, Cotangents, OpDef, Precision, Role, VjpCall, define
from .receptive_field import scatter, window
from .window_attributes import NOT_SET, settle_convolution, settle_transposed

CONVOLUTION_ATTRIBUTES = {
    "kernel_shape": None,
    "strides": None,
    "pads": None,
    "dilations": None,
    "group": 1,
}


def infer_conv(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), w (M, C / group, *K), b (M) => y (N, M, *floor((S + 2P - K) / stride) + 1)."""
    x, w = call.type(0), call.type(1)
    if x.rank != w.rank or x.rank < 3 or x.shape[1] != w.shape[1] * call.attributes["group"]:
        raise InferenceError(f"Conv cannot apply {w} to {x}")
    check_weights(call, w.shape[0])
    spatial = window_of(call.attributes).output(x.shape[2:])
    return (x.with_shape((x.shape[0], w.shape[0], *spatial)),)


def check_weights(call: OpCall, filters: Dim) -> None:
    """Refuse a kernel of other extents than `kernel_shape`, and a bias for other filters."""
    w, kernel, groups = call.type(1), call.attributes["kernel_shape"], call.attributes["group"]
    if w.shape[2:] != tuple(kernel) or (isinstance(filters, int) and filters % groups):
        size = "x".join(map(str, kernel))
        raise InferenceError(f"{call.op_type} has no {size} kernel in {groups} groups in {w}")
    if call.has(2) and (call.type(2).rank != 1 or equal(call.type(2).shape[0], filters) is False):
        raise InferenceError(f"{call.op_type} needs a bias of {filters}, not {call.type(2)}")


def conv_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Each output element takes C / group * K products; a bias adds one operation."""
    (y,) = outputs
    taps = product(call.type(1).shape[1:])
    return Cost(macs=y.size * taps, elementwise=y.size if call.has(2) else 0)


def conv(build: Builder, call: VjpCall) -> Cotangents:
    """y = x * w + b: dx is the transposed convolution of dy, db the sum of dy."""
    x, w, dy = call.input(0), call.input(1), call.cotangent
    geometry = geometry_of(call)
    return [
        input_gradient(build, dy, w, x, geometry) if call.wanted[0] else None,
        _weight_gradient(build, x, dy, geometry) if call.wanted[1] else None,
        _bias_gradient(build, call),
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


def _weight_gradient(build: Builder, x: Value, dy: Value, geometry: Mapping[str, Any]) -> Value:
    return build.op("netc.ConvWeightGrad", (x, dy), geometry)[0]


def _bias_gradient(build: Builder, call: VjpCall) -> Value | None:
    """The bias is added at every position."""
    if len(call.inputs) < 3 or not call.wanted[2]:
        return None
    positions = (0, *range(2, len(call.cotangent.shape)))
    return build.ReduceSum(call.cotangent, build.index_constant(positions), keepdims=0)


def infer_conv_transpose(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), w (C, M / group, *K), b (M) => y (N, M, *(S - 1) stride - 2P + reach + extra).

    The reach is d (K - 1) + 1; the extra, `output_padding`, adds rows at the end.
    """
    x, w = call.type(0), call.type(1)
    if x.rank != w.rank or equal(x.shape[1], w.shape[0]) is False:
        raise InferenceError(f"ConvTranspose cannot apply {w} to {x}")
    window = window_of(call.attributes)
    extra = call.attributes["output_padding"] or (0,) * window.rank
    spatial = tuple(o + e for o, e in zip(window.scattered(x.shape[2:]), extra, strict=True))
    filters = w.shape[1] * call.attributes["group"]
    check_weights(call, filters)
    return (x.with_shape((x.shape[0], filters, *spatial)),)


def conv_transpose_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Each input element takes M / group * K products; a bias adds one operation per output."""
    (y,) = outputs
    taps = product(call.type(1).shape[1:])
    return Cost(macs=call.type(0).size * taps, elementwise=y.size if call.has(2) else 0)


def conv_transpose(build: Builder, call: VjpCall) -> Cotangents:
    """y = x * wT + b: dx is the convolution of dy; for the weight x and dy change places."""
    x, w, dy = call.input(0), call.input(1), call.cotangent
    geometry = geometry_of(call)
    return [
        windows_seen(build, dy, w, x, geometry) if call.wanted[0] else None,
        _weight_gradient(build, dy, x, geometry) if call.wanted[1] else None,
        _bias_gradient(build, call),
    ]


def windows_seen(
    build: Builder, x: Value, w: Value, y: Value, geometry: Mapping[str, Any]
) -> Value:
    """The convolution of x, as much of it as y has."""
    found = build.Conv(x, w, **geometry)
    axes = [i for i, (a, b) in enumerate(zip(found.shape, y.shape, strict=True)) if a != b]
    return cropped(build, found, y, axes)


def geometry_of(call: VjpCall) -> dict[str, Any]:
    """The attributes that all three share."""
    return {key: call.attributes[key] for key in CONVOLUTION_ATTRIBUTES}


CONVOLUTION_ROLES = (Role.OTHER, Role.WEIGHT, Role.BIAS)

define(
    OpDef(
        "Conv",
        22,
        precision=Precision.HALF,
        infer=infer_conv,
        cost=conv_cost,
        sees=window,
        attributes={**CONVOLUTION_ATTRIBUTES, "auto_pad": NOT_SET},
        settles=settle_convolution,
        vjp=conv,
        decompose=as_product,
        roles=CONVOLUTION_ROLES,
        notation=notation.conv,
    ),
    OpDef(
        "ConvTranspose",
        22,
        precision=Precision.HALF,
        infer=infer_conv_transpose,
        cost=conv_transpose_cost,
        sees=scatter,
        attributes={
            **CONVOLUTION_ATTRIBUTES,
            "output_padding": None,
            "auto_pad": NOT_SET,
            "output_shape": None,
        },
        settles=settle_transposed,
        vjp=conv_transpose,
        decompose=as_gradient,
        roles=CONVOLUTION_ROLES,
        notation=notation.transposed_conv,
    ),
)
