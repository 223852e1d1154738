"""Normalizations.

All but LRN scale and shift u = (x - mean) r with r = 1 / sqrt(variance + epsilon). Where the
statistics are those of x, a gradient du of u gives

    dx = r (du - mean du - u mean (u du))

with means over the same elements (Ioffe and Szegedy 2015, section 3; Ba, Kiros and Hinton 2016).
"""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.dim import Dim, equal
from ..ir.graph import Value
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import TensorType
from . import notation
from .building import by_group, count, extent, number, plus, shape_value, sum_to, times, vector
from .centring import (
    MEAN_VARIANCE_EPSILON,
    normalize_axes,
    normalize_batches,
    normalize_channels,
    normalize_groups,
    normalize_positions,
)
from .channels import Channels, inverse_root, through_statistics
from .cuts import axis_of
from .elementwise import infer_real, infer_same
from .opdef import Cost, Cotangents, OpDef, Precision, Role, VjpCall, define
from .receptive_field import elementwise, statistics, throughout

GRADIENT = "netc.BatchNormalizationGrad"
NORMALIZATION_ROLES = (Role.OTHER, Role.SCALE, Role.BIAS, Role.OTHER)


def infer_batch_normalization(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), four vectors (C) => y like x, and in training the running mean and variance."""
    for index in range(1, 5):
        _check_vector(call, index, call.type(0).shape[1:2])
    statistics = call.type(3)
    return (call.type(0), statistics, statistics)[: call.outputs]


def two_per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A multiplication and an addition per element: the rest folds into scale and shift."""
    return Cost(elementwise=outputs[0].size * 2)


def batch_normalization(build: Builder, call: VjpCall) -> Cotangents:
    """At inference the statistics are arguments, in training they are those of the batch."""
    rule = _by_batch_statistics if call.attributes["training_mode"] else _by_given_statistics
    return rule(build, call)


def _by_given_statistics(build: Builder, call: VjpCall) -> Cotangents:
    """y = scale u + shift: dx = scale r dy, dscale = sum u dy, dshift = sum dy.

    dmean = -scale r dshift, and dvariance = -scale r^2 dscale / 2.
    """
    x, scale, mean, variance = (call.input(i) for i in (0, 1, 3, 4))
    dy, channels = call.cotangent, Channels(build, x)
    r = inverse_root(build, variance, call.attributes["epsilon"])
    slope = build.Mul(scale, r)
    dx, dscale, dshift, dmean, dvariance = [None] * 5
    if call.wanted[0]:
        dx = build.Mul(dy, channels.spread(slope))
    if call.wanted[1] or call.wanted[4]:
        centred = build.Sub(x, channels.spread(mean))
        dscale = build.Mul(channels.total(build.Mul(dy, centred)), r)
        dvariance = times(build, build.Mul(dscale, build.Mul(slope, r)), -0.5)
    if call.wanted[2] or call.wanted[3]:
        dshift = channels.total(dy)
        dmean = build.Neg(build.Mul(dshift, slope))
    return [dx, dscale, dshift, dmean, dvariance]


def _by_batch_statistics(build: Builder, call: VjpCall) -> Cotangents:
    """y = scale u + shift, and the new running statistics.

    These are momentum old + (1 - momentum) new, so dx gets dmean / n + 2 (x - mean) dvariance / n
    from them, too.
    """
    x, scale = call.input(0), call.input(1)
    channels, momentum = Channels(build, x), call.attributes["momentum"]
    mean, variance = _batch_statistics(build, call, channels)
    n = count(build, x, channels.axes)
    dy, dmean, dvariance = (*call.cotangents, None, None)[:3]
    found: list[Value | None] = [None] * 5
    terms = []
    if dy is not None:
        given = {"epsilon": call.attributes["epsilon"]}
        dx, found[1], found[2] = build.op(
            GRADIENT, (x, dy, scale, mean, variance), given, outputs=3
        )
        terms.append(dx)
    if dmean is not None:
        found[3] = times(build, dmean, momentum)
        terms.append(channels.spread(build.Div(times(build, dmean, 1 - momentum), n)))
    if dvariance is not None:
        found[4] = times(build, dvariance, momentum)
        slope = build.Div(times(build, dvariance, 2 * (1 - momentum)), n)
        centred = build.Sub(x, channels.spread(mean))
        terms.append(build.Mul(centred, channels.spread(slope)))
    found[0] = _sum_like(build, terms, x)
    return found


def _batch_statistics(build: Builder, call: VjpCall, channels: Channels) -> tuple[Value, Value]:
    """Mean and biased variance: the extra outputs where the running statistics have no weight."""
    if len(call.outputs) == 3 and call.attributes["momentum"] == 0:
        return call.outputs[1], call.outputs[2]
    x = call.input(0)
    mean = channels.mean(x)
    centred = build.Sub(x, channels.spread(mean))
    return mean, channels.mean(build.Mul(centred, centred))


def infer_layer_normalization(call: OpCall) -> Sequence[TensorType]:
    """x (*A, *B) split at `axis`, scale and bias like B => y like x, and on demand two statistics.

    These are the mean and 1 / sqrt(variance + epsilon), each (*A, 1, ...).
    """
    x, axis = call.type(0), call.attributes["axis"] % max(call.type(0).rank, 1)
    for index in range(1, len(call.inputs)):
        if call.has(index):
            _check_vector(call, index, x.shape[axis:])
    reduced = x.with_shape((*x.shape[:axis], *(1,) * (x.rank - axis)))
    return (x, reduced, reduced)[: call.outputs]


def _check_vector(call: OpCall, index: int, shape: Sequence[Dim]) -> None:
    """A scale or a bias has the extents that are scaled."""
    found = call.type(index).shape
    if len(found) != len(shape) or any(
        equal(a, b) is False for a, b in zip(found, shape, strict=True)
    ):
        raise InferenceError(f"{call.op_type} cannot scale {call.type(0)} by {call.type(index)}")


def statistics_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Per element 1 operation for the mean, 3 for the variance, and 2 to scale and shift."""
    return Cost(elementwise=outputs[0].size * 6)


def layer_normalization(build: Builder, call: VjpCall) -> Cotangents:
    """y = scale u + shift over the axes from `axis` on; the mean and r are outputs on demand.

    dx gets dmean / n - u r^2 dr / n from these.
    """
    x, scale = call.input(0), call.input(1)
    axes = tuple(range(call.attributes["axis"] % len(x.shape), len(x.shape)))
    u, r = _standardized(build, x, axes, call.attributes["epsilon"], *call.outputs[1:])
    dy, dmean, dr = (*call.cotangents, None, None)[:3]
    found: list[Value | None] = [None] * 3
    terms = []
    if dy is not None:
        found[1] = sum_to(build, build.Mul(dy, u), scale) if call.wanted[1] else None
        if len(call.inputs) > 2 and call.wanted[2]:
            found[2] = sum_to(build, dy, call.input(2))
        terms.append(_by_own_statistics(build, r, build.Mul(dy, scale), u, axes))
    if dmean is not None:
        terms.append(build.Div(dmean, count(build, x, axes)))
    if dr is not None:
        slope = build.Div(build.Mul(dr, build.Mul(r, r)), count(build, x, axes))
        terms.append(build.Neg(build.Mul(u, slope)))
    found[0] = _sum_like(build, terms, x) if call.wanted[0] else None
    return found


def infer_channelwise(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), scale and bias (C) => y like x."""
    x = call.type(0)
    if x.rank < 2:
        raise InferenceError(f"{call.op_type} needs channels, not {x}")
    for index in (1, 2):
        _check_vector(call, index, x.shape[1:2])
    groups = call.attributes.get("num_groups") or 1
    if isinstance(x.shape[1], int) and x.shape[1] % groups:
        raise InferenceError(f"{call.op_type} cannot split the channels of {x} into {groups}")
    return (x,)


def instance_normalization(build: Builder, call: VjpCall) -> Cotangents:
    """y = scale u + shift, each channel of each sample over its positions."""
    x, dy = call.input(0), call.cotangent
    channels, axes = Channels(build, x), tuple(range(2, len(x.shape)))
    u, r = _standardized(build, x, axes, call.attributes["epsilon"])
    du = build.Mul(dy, channels.spread(call.input(1)))
    return [
        _by_own_statistics(build, r, du, u, axes) if call.wanted[0] else None,
        channels.total(build.Mul(dy, u)) if call.wanted[1] else None,
        channels.total(dy) if call.wanted[2] else None,
    ]


def group_normalization(build: Builder, call: VjpCall) -> Cotangents:
    """y = scale u + shift, each group of channels of each sample over its positions."""
    x, dy, channels = call.input(0), call.cotangent, Channels(build, call.input(0))
    extents = by_group(build, x, call.attributes["num_groups"])
    rows, axes = build.Reshape(x, extents), tuple(range(2, len(x.shape) + 1))
    u, r = _standardized(build, rows, axes, call.attributes["epsilon"])
    dx, dscale = None, None
    if call.wanted[0]:
        du = build.Reshape(build.Mul(dy, channels.spread(call.input(1))), extents)
        dx = _by_own_statistics(build, r, du, u, axes)
        dx = build.Reshape(dx, shape_value(build, x))
    if call.wanted[1]:
        dscale = channels.total(build.Mul(dy, build.Reshape(u, shape_value(build, x))))
    return [dx, dscale, channels.total(dy) if call.wanted[2] else None]


def _standardized(
    build: Builder, x: Value, axes: tuple[int, ...], epsilon: float, *known: Value
) -> tuple[Value, Value]:
    """u and r over some axes; the mean and r themselves where they are `known`.

    A mean of large numbers is rounded, and the mean of what it leaves fixes that, as in the
    forward pass.
    """
    if len(known) == 2:
        mean, r = known
        return build.Mul(build.Sub(x, mean), r), r
    u = build.Sub(x, _mean(build, x, axes))
    u = build.Sub(u, _mean(build, u, axes))
    r = inverse_root(build, _mean(build, build.Mul(u, u), axes), epsilon)
    return build.Mul(u, r), r


def _by_own_statistics(
    build: Builder, factor: Value, du: Value, u: Value, axes: tuple[int, ...]
) -> Value:
    """dx where the means run over some axes."""
    means = (_mean(build, du, axes), _mean(build, build.Mul(u, du), axes))
    return through_statistics(build, factor, du, u, *means)


def _mean(build: Builder, x: Value, axes: tuple[int, ...]) -> Value:
    return build.ReduceMean(x, build.index_constant(axes), keepdims=1)


def _sum_like(build: Builder, terms: Sequence[Value], x: Value) -> Value:
    """The sum of terms that broadcast to x, of x's shape."""
    total = build.op("Sum", terms)[0] if len(terms) > 1 else terms[0]
    return total if total.shape == x.shape else build.Expand(total, shape_value(build, x))


def infer_mean_variance(call: OpCall) -> Sequence[TensorType]:
    """x of real numbers, and axes that it has => y like x."""
    (x,) = infer_real(call)
    for axis in call.attributes["axes"]:
        axis_of(call, axis, x.rank)
    return (x,)


def mean_variance_normalization(build: Builder, call: VjpCall) -> Cotangents:
    """y = c / (s + epsilon) with c = x - mean and s = sqrt(mean c^2), 0 where s is.

    dx = dc - mean dc with dc = (dy - y mean(dy c) / s) / (s + epsilon).
    """
    x, y, dy = call.input(0), call.outputs[0], call.cotangent
    axes = tuple(axis % len(x.shape) for axis in call.attributes["axes"])
    c = build.Sub(x, _mean(build, x, axes))
    s = build.Sqrt(_mean(build, build.Mul(c, c), axes))
    zero, one = number(build, 0.0, x), number(build, 1.0, x)
    safe = build.Where(build.Equal(s, zero), one, s)
    along = build.Div(_mean(build, build.Mul(dy, c), axes), safe)
    rest = build.Sub(dy, build.Mul(y, along))
    dc = build.Div(rest, plus(build, s, MEAN_VARIANCE_EPSILON))
    return [build.Sub(dc, _mean(build, dc, axes))]


def lrn_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Per element a square, `size` additions, a product, an addition, a power and a division."""
    return Cost(elementwise=outputs[0].size * (call.attributes["size"] + 5))


def local_response_normalization(build: Builder, call: VjpCall) -> Cotangents:
    """y = x s^-b with s = bias + alpha W x^2, W the mean of neighbouring channels.

    dx = s^-b dy - 2 alpha b x WT (dy y / s), where WT looks the other way.
    """
    x, y, dy, given = call.input(0), call.outputs[0], call.cotangent, call.attributes
    before, after = (given["size"] - 1) // 2, given["size"] // 2
    squares = _mean_of_neighbours(build, build.Mul(x, x), before, after)
    s = plus(build, times(build, squares, given["alpha"]), given["bias"])
    direct = build.Mul(dy, build.Pow(s, build.constant(-given["beta"], x.dtype)))
    through = _mean_of_neighbours(build, build.Div(build.Mul(dy, y), s), after, before)
    scaled = times(build, build.Mul(x, through), 2 * given["alpha"] * given["beta"])
    return [build.Sub(direct, scaled)]


def _mean_of_neighbours(build: Builder, x: Value, before: int, after: int) -> Value:
    """The sum over channels around each one, divided by their number without borders.

    A pool over (C, positions) of one channel, as no pool runs along channels. Its window spans no
    more than all channels, however many neighbours are asked for.
    """
    size, channels = before + 1 + after, x.shape[1]
    if isinstance(channels, int):
        before, after = min(before, channels - 1), min(after, channels - 1)
    window = before + 1 + after
    as_image = vector(build, [0, 1, extent(x, 1), -1])
    pooled = build.AveragePool(
        build.Reshape(x, as_image),
        kernel_shape=(window, 1),
        pads=(before, 0, after, 0),
        strides=(1, 1),
        dilations=(1, 1),
        count_include_pad=1,
    )
    mean = pooled if window == size else times(build, pooled, window / size)
    return build.Reshape(mean, shape_value(build, x))


define(
    OpDef(
        "BatchNormalization",
        15,
        precision=Precision.FULL,
        infer=infer_batch_normalization,
        cost=two_per_element,
        sees=elementwise,
        attributes={"epsilon": 1e-5, "momentum": 0.9, "training_mode": 0},
        optional_outputs=True,
        vjp=batch_normalization,
        decompose=normalize_batches,
        passes=True,
        roles=NORMALIZATION_ROLES,
        notation=notation.batch_normalization,
    ),
    OpDef(
        "LayerNormalization",
        17,
        precision=Precision.FULL,
        infer=infer_layer_normalization,
        cost=statistics_cost,
        sees=statistics,
        attributes={"axis": -1, "epsilon": 1e-5, "stash_type": 1},
        optional_outputs=True,
        vjp=layer_normalization,
        decompose=normalize_positions,
        passes=True,
        roles=NORMALIZATION_ROLES,
        notation=notation.normalization,
    ),
    OpDef(
        "InstanceNormalization",
        22,
        precision=Precision.FULL,
        infer=infer_channelwise,
        cost=statistics_cost,
        sees=statistics,
        attributes={"epsilon": 1e-5},
        vjp=instance_normalization,
        decompose=normalize_channels,
        passes=True,
        roles=NORMALIZATION_ROLES,
        notation=notation.normalization,
    ),
    OpDef(
        "GroupNormalization",
        21,
        precision=Precision.FULL,
        infer=infer_channelwise,
        cost=statistics_cost,
        sees=statistics,
        attributes={"epsilon": 1e-5, "num_groups": REQUIRED, "stash_type": 1},
        vjp=group_normalization,
        decompose=normalize_groups,
        passes=True,
        roles=NORMALIZATION_ROLES,
        notation=notation.normalization,
    ),
    OpDef(
        "LRN",
        13,
        precision=Precision.FULL,
        infer=infer_same,
        cost=lrn_cost,
        sees=elementwise,
        attributes={"alpha": 1e-4, "beta": 0.75, "bias": 1.0, "size": REQUIRED},
        vjp=local_response_normalization,
        passes=True,
    ),
    OpDef(
        "MeanVarianceNormalization",
        13,
        precision=Precision.FULL,
        infer=infer_mean_variance,
        cost=statistics_cost,
        sees=throughout,
        attributes={"axes": (0, 2, 3)},
        vjp=mean_variance_normalization,
        decompose=normalize_axes,
    ),
)
