"""Normalizations -> what onnxruntime computes exactly: their inputs are centred before.

onnxruntime subtracts means that are rounded, and releases before 1.32 compute the variance of a
LayerNormalization as E[x^2] - E[x]^2, which cancels where the mean is far above the deviation.
Of centred numbers all that is left is the rounding of the first mean, so that the operator's own
two passes are the second and the third.
"""

from collections.abc import Iterable, Sequence

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.signature import OpCall
from ..ir.types import DType
from .building import by_group, plus, shape_value, times
from .opdef import Operands

MEAN_VARIANCE_EPSILON = 1e-9  # in ONNX's definition of MeanVarianceNormalization


def normalize_batches(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value] | None:
    """Centres what BatchNormalization takes in training; the batch's mean is the sum of two.

    The running statistics are copies: onnxruntime writes the new ones over the old ones, even
    where these are the caller's own arrays or are read elsewhere, unless the new ones are outputs
    of the model. The copies are negations of negations, because it would optimise an `Identity`
    away; equal copies for several nodes would become one, but each node moves statistics that the
    one before has left.
    """
    if not call.attributes["training_mode"]:
        return None
    x, scale, shift, *running = _given(operands)
    channels = (0, *range(2, x.type.rank))
    centred, mean = _centred(build, x, channels)
    if call.outputs > 1:
        running = [build.Neg(build.Neg(old)) for old in running]
    y, *moved = build.op(
        call.op_type, (centred, scale, shift, *running), call.attributes, outputs=call.outputs
    )
    if moved:
        first = build.Squeeze(mean, build.index_constant(channels))
        kept = call.attributes["momentum"]
        moved[0] = build.Add(moved[0], times(build, first, 1.0 - kept) if kept else first)
    return [y, *moved]


def normalize_positions(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """Centres what LayerNormalization takes; the mean that it yields is the sum of two."""
    x, *affine = _given(operands)
    rank = x.type.rank
    centred, mean = _centred(build, x, range(call.attributes["axis"] % rank, rank))
    y, *statistics = build.op(
        call.op_type, (centred, *affine), call.attributes, outputs=call.outputs
    )
    if statistics:
        statistics[0] = build.Add(statistics[0], mean)
    return [y, *statistics]


def normalize_channels(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """Centres what InstanceNormalization takes."""
    x, scale, shift = _given(operands)
    if x.dtype is DType.FLOAT64:
        return [_scaled(build, _standardized(build, x, call.attributes["epsilon"]), scale, shift)]
    centred, _ = _centred(build, x, _positions(x))
    return [build.InstanceNormalization(centred, scale, shift, **call.attributes)]


def normalize_groups(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """Builds GroupNormalization from InstanceNormalization, whose channels are the groups."""
    x, scale, shift = _given(operands)
    groups, epsilon = call.attributes["num_groups"], call.attributes["epsilon"]
    rows = build.Reshape(x, by_group(build, x, groups))
    if x.dtype is DType.FLOAT64:
        u = _standardized(build, rows, epsilon)
    else:
        one, zero = (build.constant((number,) * groups, x.dtype) for number in (1.0, 0.0))
        centred, _ = _centred(build, rows, _positions(rows))
        u = build.InstanceNormalization(centred, one, zero, epsilon=epsilon)
    return [_scaled(build, build.Reshape(u, shape_value(build, x)), scale, shift)]


def normalize_axes(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """Builds MeanVarianceNormalization, c / (sqrt(mean c^2) + 1e-9) of the centred c.

    Its epsilon is so small that of equal numbers c must be 0 to the last bit.
    """
    (x,) = _given(operands)
    axes = [axis % x.type.rank for axis in call.attributes["axes"]]
    centred, _ = _centred(build, _centred(build, x, axes)[0], axes)
    squares = build.Mul(centred, centred)
    variance = build.ReduceMean(squares, build.index_constant(tuple(axes)), keepdims=1)
    return [build.Div(centred, plus(build, build.Sqrt(variance), MEAN_VARIANCE_EPSILON))]


def _given(operands: Operands) -> list[Value]:
    return [value for value in operands if value is not None]


def _positions(x: Value) -> range:
    return range(2, x.type.rank)


def _centred(build: Builder, x: Value, axes: Iterable[int]) -> tuple[Value, Value]:
    """x minus its mean over some axes, and that mean with these axes kept."""
    mean = build.ReduceMean(x, build.index_constant(tuple(axes)), keepdims=1)
    return build.Sub(x, mean), mean


def _standardized(build: Builder, x: Value, epsilon: float) -> Value:
    """Each channel with mean 0 and variance 1, of float64, which onnxruntime's operator lacks."""
    centred, _ = _centred(build, x, _positions(x))
    axes = build.index_constant(tuple(_positions(x)))
    variance = build.ReduceMean(build.Mul(centred, centred), axes, keepdims=1)
    return build.Div(centred, build.Sqrt(plus(build, variance, epsilon)))


def _scaled(build: Builder, u: Value, scale: Value, shift: Value) -> Value:
    """The channels of (N, C, *S) times `scale` plus `shift`, both (C)."""
    if trailing := tuple(range(1, u.type.rank - 1)):
        ones = build.index_constant(trailing)
        scale, shift = (build.Unsqueeze(vector, ones) for vector in (scale, shift))
    return build.Add(build.Mul(u, scale), shift)
