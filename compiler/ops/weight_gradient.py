"""`netc.ConvWeightGrad`: the gradient of a convolution with respect to its weight."""

from collections.abc import Sequence
from math import prod

from ..ir.builder import Builder
from ..ir.dim import Dim, equal
from ..ir.graph import Value, present
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType
from ..ir.windows import window_of
from .convolution import CONVOLUTION_ATTRIBUTES, geometry_of, input_gradient, windows_seen
from .opdef import Cost, Cotangents, OpDef, Precision, VjpCall, define
from .receptive_field import everything
from .weight_gradient_forms import Correlation, form_of


def infer_conv_weight_grad(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), dy (N, M, *O) => dw (M, C / group, *K).

    O are the extents of the convolution's output, or less: the last windows then count as 0.
    """
    x, dy, group = call.type(0), call.type(1), call.attributes["group"]
    window = window_of(call.attributes)
    channels, filters = (type.shape[1] for type in (x, dy))
    if not isinstance(channels, int) or channels % group or x.rank != 2 + window.rank:
        raise InferenceError(f"ConvWeightGrad cannot take {x} in {group} groups")
    same_rank = x.rank == dy.rank and x.dtype == dy.dtype
    if not same_rank or equal(x.shape[0], dy.shape[0]) is False:
        raise InferenceError(f"ConvWeightGrad cannot take {dy} for {x}")
    if any(map(_exceeds, dy.shape[2:], window.output(x.shape[2:]))):
        raise InferenceError(f"ConvWeightGrad cannot take {dy} for {x}")
    return (x.with_shape((filters, channels // group, *window.kernel)),)


def _exceeds(extent: Dim, most: Dim) -> bool:
    return isinstance(extent, int) and isinstance(most, int) and extent > most


def conv_weight_grad_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """As the convolution: each element of dy takes C / group * K products."""
    (dw,) = outputs
    taps = prod(extent for extent in dw.shape[1:] if isinstance(extent, int))
    return Cost(macs=call.type(1).size * taps)


def conv_weight_grad(build: Builder, call: VjpCall) -> Cotangents:
    """dw of x and dy, given the gradient v with respect to it: x is to v as to a weight."""
    x, dy, v = call.input(0), call.input(1), call.cotangent
    geometry = geometry_of(call)
    return [
        input_gradient(build, dy, v, x, geometry) if call.wanted[0] else None,
        windows_seen(build, x, v, dy, geometry) if call.wanted[1] else None,
    ]


def decompose_conv_weight_grad(
    build: Builder, inputs: Sequence[Value | None], call: OpCall
) -> Sequence[Value]:
    """In the form that its extents favour."""
    x, dy = present(inputs)
    window, group = window_of(call.attributes), call.attributes["group"]
    return [form_of(Correlation(build, x, dy, window, group))]


define(
    OpDef(
        "netc.ConvWeightGrad",
        1,
        precision=Precision.HALF,
        domain="netc",
        infer=infer_conv_weight_grad,
        cost=conv_weight_grad_cost,
        sees=everything,
        attributes=CONVOLUTION_ATTRIBUTES,
        vjp=conv_weight_grad,
        decompose=decompose_conv_weight_grad,
    )
)
