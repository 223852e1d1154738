"""Gradients of normalizations, and of the softmax.

All normalizations but LRN scale and shift u = (x - mean) r with r = 1 / sqrt(variance + epsilon).
Where the statistics are those of x, a gradient du of u gives

    dx = r (du - mean du - u mean (u du))

with means over the same elements (Ioffe and Szegedy 2015, section 3; Ba, Kiros and Hinton 2016).
"""

from collections.abc import Mapping, Sequence

from ...builder import Builder
from ...graph import Value
from ...opdef import Vjp, VjpCall
from .shapes import by_group, count, number, plus, shape_value, sum_to, times
from .shaping import extent, vector
from .unary import absolute

Parts = Sequence[Value | None]


class _Channels:
    """The channels of x (N, C, *S): vectors (C) beside them, and sums over all the rest."""

    def __init__(self, build: Builder, x: Value) -> None:
        self.build = build
        self.rank = len(x.shape)
        self.axes = (0, *range(2, self.rank))

    def spread(self, vector: Value) -> Value:
        """A vector as (C, 1, ...), so that it broadcasts."""
        ones = tuple(range(1, self.rank - 1))
        return self.build.Unsqueeze(vector, self.build.index_constant(ones)) if ones else vector

    def total(self, x: Value) -> Value:
        """The sum over each channel."""
        return self.build.ReduceSum(x, self.build.index_constant(self.axes), keepdims=0)

    def mean(self, x: Value) -> Value:
        """The mean of each channel."""
        return self.build.ReduceMean(x, self.build.index_constant(self.axes), keepdims=0)


def batch_normalization(build: Builder, call: VjpCall) -> Parts:
    """At inference the statistics are arguments, in training they are those of the batch."""
    rule = _by_batch_statistics if call.attributes["training_mode"] else _by_given_statistics
    return rule(build, call)


def _by_given_statistics(build: Builder, call: VjpCall) -> Parts:
    """y = scale u + shift: dx = scale r dy, dscale = sum u dy, dshift = sum dy.

    dmean = -scale r dshift, and dvariance = -scale r^2 dscale / 2.
    """
    x, scale, mean, variance = (call.input(i) for i in (0, 1, 3, 4))
    dy, channels = call.cotangent, _Channels(build, x)
    r = _inverse_root(build, variance, call.attributes["epsilon"])
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


def _by_batch_statistics(build: Builder, call: VjpCall) -> Parts:
    """y = scale u + shift, and the new running statistics.

    These are momentum old + (1 - momentum) new, so dx gets dmean / n + 2 (x - mean) dvariance / n
    from them, too.
    """
    x, scale = call.input(0), call.input(1)
    channels, momentum = _Channels(build, x), call.attributes["momentum"]
    mean, variance = _batch_statistics(build, call, channels)
    centred = build.Sub(x, channels.spread(mean))
    r = _inverse_root(build, variance, call.attributes["epsilon"])
    n = count(build, x, channels.axes)
    dy, dmean, dvariance = (*call.cotangents, None, None)[:3]
    found: list[Value | None] = [None] * 5
    terms = []
    if dy is not None:
        found[1] = dscale = build.Mul(channels.total(build.Mul(dy, centred)), r)
        found[2] = dshift = channels.total(dy)
        means = (build.Div(dshift, n), build.Div(build.Mul(dscale, r), n))
        factor, *rest = map(channels.spread, (build.Mul(scale, r), *means))
        terms.append(_through_statistics(build, factor, dy, centred, *rest))
    if dmean is not None:
        found[3] = times(build, dmean, momentum)
        terms.append(channels.spread(build.Div(times(build, dmean, 1 - momentum), n)))
    if dvariance is not None:
        found[4] = times(build, dvariance, momentum)
        slope = build.Div(times(build, dvariance, 2 * (1 - momentum)), n)
        terms.append(build.Mul(centred, channels.spread(slope)))
    found[0] = _sum_like(build, terms, x)
    return found


def _batch_statistics(build: Builder, call: VjpCall, channels: _Channels) -> tuple[Value, Value]:
    """Mean and biased variance: the extra outputs where the running statistics have no weight."""
    if len(call.outputs) == 3 and call.attributes["momentum"] == 0:
        return call.outputs[1], call.outputs[2]
    x = call.input(0)
    mean = channels.mean(x)
    centred = build.Sub(x, channels.spread(mean))
    return mean, channels.mean(build.Mul(centred, centred))


def layer_normalization(build: Builder, call: VjpCall) -> Parts:
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


def instance_normalization(build: Builder, call: VjpCall) -> Parts:
    """y = scale u + shift, each channel of each sample over its positions."""
    x, dy = call.input(0), call.cotangent
    channels, axes = _Channels(build, x), tuple(range(2, len(x.shape)))
    u, r = _standardized(build, x, axes, call.attributes["epsilon"])
    du = build.Mul(dy, channels.spread(call.input(1)))
    return [
        _by_own_statistics(build, r, du, u, axes) if call.wanted[0] else None,
        channels.total(build.Mul(dy, u)) if call.wanted[1] else None,
        channels.total(dy) if call.wanted[2] else None,
    ]


def group_normalization(build: Builder, call: VjpCall) -> Parts:
    """y = scale u + shift, each group of channels of each sample over its positions."""
    x, dy, channels = call.input(0), call.cotangent, _Channels(build, call.input(0))
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


def local_response_normalization(build: Builder, call: VjpCall) -> Parts:
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


def lp_normalization(build: Builder, call: VjpCall) -> Parts:
    """y = x / n with n the norm along an axis: dx = (dy - s sum y dy) / n.

    s, the norm's own slope, is x's sign where p is 1, and y where p is 2. Of zeros it is dy.
    """
    x, y, dy = call.input(0), call.outputs[0], call.cotangent
    op_type = {1: "ReduceL1", 2: "ReduceL2"}[call.attributes["p"]]
    axis = build.index_constant((call.attributes["axis"],))
    (length,) = build.op(op_type, (x, axis), {"keepdims": 1})
    none = build.Equal(length, number(build, 0.0, x))
    length = build.Where(none, number(build, 1.0, x), length)
    slope = absolute(build, x, x) if call.attributes["p"] == 1 else y
    along = _along_axis(build, call, build.Mul(y, dy))
    return [build.Div(build.Sub(dy, build.Mul(slope, along)), length)]


def softmax(build: Builder, call: VjpCall) -> Parts:
    """dx = y (dy - sum y dy)."""
    y, dy = call.outputs[0], call.cotangent
    return [build.Mul(y, build.Sub(dy, _along_axis(build, call, build.Mul(y, dy))))]


def log_softmax(build: Builder, call: VjpCall) -> Parts:
    """dx = dy - exp(y) sum dy."""
    dy = call.cotangent
    return [build.Sub(dy, build.Mul(build.Exp(call.outputs[0]), _along_axis(build, call, dy)))]


def _along_axis(build: Builder, call: VjpCall, x: Value) -> Value:
    return build.ReduceSum(x, build.index_constant((call.attributes["axis"],)), keepdims=1)


def dropout(build: Builder, call: VjpCall) -> Parts:
    """y = x at inference: dy. In training `set_mode` has put other operators in its place."""
    training = call.inputs[2] if len(call.inputs) > 2 else None
    if training is not None and build.known(training) is not False:
        raise ValueError(
            "the gradient of Dropout in training needs its noise: set_mode comes first"
        )
    return [call.cotangent]


def _inverse_root(build: Builder, variance: Value, epsilon: float) -> Value:
    """1 / sqrt(variance + epsilon)."""
    return build.Reciprocal(build.Sqrt(plus(build, variance, epsilon)))


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
    r = _inverse_root(build, _mean(build, build.Mul(u, u), axes), epsilon)
    return build.Mul(u, r), r


def _by_own_statistics(
    build: Builder, factor: Value, du: Value, u: Value, axes: tuple[int, ...]
) -> Value:
    """dx where the means run over some axes."""
    means = (_mean(build, du, axes), _mean(build, build.Mul(u, du), axes))
    return _through_statistics(build, factor, du, u, *means)


def _through_statistics(
    build: Builder, factor: Value, du: Value, u: Value, mean: Value, slope: Value
) -> Value:
    """factor (du - mean - u slope)."""
    return build.Mul(factor, build.Sub(build.Sub(du, mean), build.Mul(u, slope)))


def _mean(build: Builder, x: Value, axes: tuple[int, ...]) -> Value:
    return build.ReduceMean(x, build.index_constant(axes), keepdims=1)


def _sum_like(build: Builder, terms: Sequence[Value], x: Value) -> Value:
    """The sum of terms that broadcast to x, of x's shape."""
    total = build.op("Sum", terms)[0] if len(terms) > 1 else terms[0]
    return total if total.shape == x.shape else build.Expand(total, shape_value(build, x))


RULES: Mapping[str, Vjp] = {
    "BatchNormalization": batch_normalization,
    "Dropout": dropout,
    "GroupNormalization": group_normalization,
    "InstanceNormalization": instance_normalization,
    "LRN": local_response_normalization,
    "LayerNormalization": layer_normalization,
    "LogSoftmax": log_softmax,
    "LpNormalization": lp_normalization,
    "Softmax": softmax,
}
