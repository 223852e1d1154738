"""`netc.ConvWeightGrad`: the gradient of a convolution with respect to its weight."""

from collections.abc import Sequence
from itertools import product as combinations
from math import prod

from ..ir.builder import Builder
from ..ir.dim import Dim, equal
from ..ir.graph import Value
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType
from ..ir.windows import Window, window_of
from .convolution import CONVOLUTION_ATTRIBUTES, geometry_of, input_gradient, windows_seen
from .cuts import END
from .indexing import cropped
from .opdef import Cost, Cotangents, OpDef, VjpCall, define
from .receptive_field import everything


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
    """As one convolution where that is fast and extents are known, else by a matrix product."""
    x, dy = inputs
    assert x is not None
    assert dy is not None
    window, group = window_of(call.attributes), call.attributes["group"]
    spatial = (*x.shape[2:], *dy.shape[2:])
    if prod(window.kernel) > 1 and all(isinstance(extent, int) for extent in spatial):
        return [_as_convolution(build, x, dy, window, group)]
    return [_by_columns(build, x, dy, window, group)]


def _as_convolution(build: Builder, x: Value, dy: Value, window: Window, group: int) -> Value:
    """Convolve x with dy, samples as channels, and strides and dilations exchanged.

    The last axis and x's channels are merged, so that all channels are neighbours and the copies
    within an engine's convolution are long. With the channels in the obvious place, that of
    samples, onnxruntime takes 5 to 8 times as long on 3x3 kernels.
    """
    rank, channels = window.rank, _integer(x.shape[1]) // group
    data = _merged(build, x, group, channels)
    swapped = (1, 0, *range(2, 2 + rank))
    extents = [_integer(extent) for extent in dy.shape[2:]]
    pads = _pads(x, extents, window)
    scale = (1,) * (rank - 1) + (channels,)
    found = build.Conv(
        data,
        build.Transpose(dy, perm=swapped),
        kernel_shape=tuple(extents),
        strides=(*window.dilations[:-1], 1),
        dilations=tuple(s * c for s, c in zip(window.strides, scale, strict=True)),
        pads=tuple(p * c for p, c in zip(pads, scale * 2, strict=True)),
        group=group,
    )
    return _unmerged(build, found, window, channels)


def _merged(build: Builder, x: Value, group: int, channels: int) -> Value:
    """x (N, group C, *S) as (1, group N, ..., S C)."""
    rank = len(x.shape) - 2
    if group == 1:
        last = build.Transpose(x, perm=(0, *range(2, 2 + rank), 1))
    else:
        spatial = tuple(_integer(extent) for extent in x.shape[2:])
        parts = build.Reshape(x, build.index_constant((0, group, channels, *spatial)))
        moved = build.Transpose(parts, perm=(1, 0, *range(3, 3 + rank), 2))
        last = build.Reshape(moved, build.index_constant((-1, *spatial, channels)))
    kept = (0,) * rank
    return build.Unsqueeze(
        build.Reshape(last, build.index_constant((*kept, -1))), build.index_constant((0,))
    )


def _pads(x: Value, extents: Sequence[int], window: Window) -> tuple[int, ...]:
    """Befores, and afters such that dy just reaches from the first tap to the last."""
    after = tuple(
        max(reach - 1 + (o - 1) * s + 1 - _integer(e) - before, 0)
        for reach, o, s, e, before in zip(
            window.reach, extents, window.strides, x.shape[2:], window.before, strict=True
        )
    )
    return (*window.before, *after)


def _unmerged(build: Builder, found: Value, window: Window, channels: int) -> Value:
    """(1, M, ..., K C) with what is beyond the taps, and between them, left out => (M, C, *K)."""
    rank, filters = window.rank, _integer(found.shape[1])
    rows = tuple(_integer(extent) for extent in found.shape[2:-1])
    columns = _integer(found.shape[-1]) // channels
    split = build.Reshape(found, build.index_constant((filters, *rows, columns, channels)))
    steps = (1,) * (rank - 1) + window.dilations[-1:]
    if (*rows, columns) != window.kernel:
        ends = (*window.kernel[:-1], window.reach[-1])
        axes = tuple(range(1, 1 + rank))
        cut = [(0,) * rank, ends, axes, steps]
        split = build.Slice(split, *map(build.index_constant, cut))
    return build.Transpose(split, perm=(0, 1 + rank, *range(1, 1 + rank)))


def _by_columns(build: Builder, x: Value, dy: Value, window: Window, group: int) -> Value:
    """A matrix product of dy and all that each tap sees, samples and positions in one line."""
    axes = tuple(range(2, 2 + window.rank))
    lines = build.Transpose(x, perm=(1, 0, *axes))
    if any(window.pads):
        sides = build.index_constant(window.pads)
        lines = build.Pad(lines, sides, None, build.index_constant(axes))
    columns: list[Value] = []
    for tap in combinations(*map(range, window.kernel)):
        start = tuple(k * d for k, d in zip(tap, window.dilations, strict=True))
        cut = [start, (END,) * window.rank, axes, window.strides]
        seen = build.Slice(lines, *map(build.index_constant, cut))
        columns.append(_rows(build, cropped(build, seen, dy, axes), group))
    (right,) = build.op("Concat", columns, {"axis": 1}) if len(columns) > 1 else columns
    left = _rows(build, build.Transpose(dy, perm=(1, 0, *axes)), group)
    product = build.MatMul(left, build.Transpose(right, perm=(0, 2, 1)))
    filters, channels = _integer(dy.shape[1]), _integer(x.shape[1]) // group
    split = build.Reshape(product, build.index_constant((filters, *window.kernel, channels)))
    return build.Transpose(split, perm=(0, 1 + window.rank, *range(1, 1 + window.rank)))


def _rows(build: Builder, x: Value, group: int) -> Value:
    """x (group C, N, *S) as (group, C, N S)."""
    rows = build.Reshape(x, build.index_constant((0, -1)))
    channels = _integer(x.shape[0]) // group
    return build.Reshape(rows, build.index_constant((group, channels, -1)))


def _integer(extent: Dim) -> int:
    assert isinstance(extent, int)
    return extent


define(
    OpDef(
        "netc.ConvWeightGrad",
        1,
        domain="netc",
        infer=infer_conv_weight_grad,
        cost=conv_weight_grad_cost,
        sees=everything,
        attributes=CONVOLUTION_ATTRIBUTES,
        vjp=conv_weight_grad,
        decompose=decompose_conv_weight_grad,
    )
)
