"""Normalizations, and dropout."""

from math import prod

import numpy as np

from ...compiler.ops.centring import MEAN_VARIANCE_EPSILON
from ..kerneldef import Array, Layout, Part, kernel
from .channel_sums import channel_products, channel_sums, row_squares, row_sums
from .parts import blocks
from .scratch import scratch_like
from .slabs import is_batch_innermost
from .workers import spread

ROWS_BYTES = 2**19  # of rows that are normalized at a time
# The square of a rest of a mean, as a part of the variance, from which on it is subtracted.
ROUNDED = 1e-12
BLOCK_BYTES = 2**20  # of what a batch normalization works on at a time


@kernel(
    "BatchNormalization",
    counts_outputs=True,
    out=True,
    layout=Layout.AS_ARGUMENT,
    spreads=True,
)
def batch_normalization(
    x: Array,
    scale: Array,
    shift: Array,
    mean: Array,
    variance: Array,
    *,
    epsilon: float,
    momentum: float,
    training_mode: int,
    outputs: int = 1,
    out: Array | None = None,
) -> Array | tuple[Array, ...]:
    """y = scale (x - mean) / sqrt(variance + epsilon) + shift per channel; x (N, C, *S).

    In training the batch's own mean and biased variance take the place of the running ones,
    which become momentum old + (1 - momentum) new; an empty batch has means of zero and variances
    of one. Some channels are taken at a time, which stay in the cache from pass to pass.
    """
    if not training_mode:
        return _normalized(x, scale, shift, mean, variance, epsilon, out)
    y = np.empty_like(x) if out is None else out
    batch_mean, batch_variance = np.zeros_like(mean), np.ones_like(variance)

    def compute(part: slice) -> None:
        found = _standardized_channels(x[:, part], scale[part], shift[part], epsilon, y[:, part])
        batch_mean[part], batch_variance[part] = found

    spread(compute, _channel_parts(x), 4 * x.nbytes)
    new = (
        mean * momentum + batch_mean * (1 - momentum),
        variance * momentum + batch_variance * (1 - momentum),
    )
    return (y, *new)[:outputs]


def _channel_parts(x: Array) -> list[slice]:
    """Channels of x (N, C, *S), some at a time, which stay in the cache; none of an empty batch."""
    if not x.size:
        return []
    channels = x.shape[1]
    step = max(1, BLOCK_BYTES // (x.nbytes // channels))
    return [slice(start, start + step) for start in range(0, channels, step)]


def _normalized(
    x: Array,
    scale: Array,
    shift: Array,
    mean: Array,
    variance: Array,
    epsilon: float,
    out: Array | None,
) -> Array:
    """One multiplication and one addition per element."""
    channels = (-1,) + (1,) * (x.ndim - 2)
    factor = scale / np.sqrt(variance + epsilon)
    y: Array = np.multiply(x, factor.reshape(channels), out=out)
    y += (shift - mean * factor).reshape(channels)
    return y


def _standardized_channels(
    x: Array, scale: Array, shift: Array, epsilon: float, y: Array
) -> tuple[Array, Array]:
    """Write scale (x - mean) / sqrt(variance + epsilon) + shift to y; return mean and variance.

    A mean of large equal numbers is rounded, and what is left of them would be scaled by up to
    1 / sqrt(epsilon): the mean of what is left fixes that. Sums of float16 are of float32.
    """
    if x.dtype == np.float16:
        wide = x.astype(np.float32)
        found = _standardized_channels(wide, scale, shift, epsilon, wide)
        y[...] = wide
        return found
    count, spread_out = x.size // x.shape[1], (-1,) + (1,) * (x.ndim - 2)
    mean = channel_sums(x) / x.dtype.type(count)
    np.subtract(x, mean.reshape(spread_out), out=y)
    rest = channel_sums(y) / x.dtype.type(count)
    variance = np.maximum(channel_products(y, y) / x.dtype.type(count) - rest * rest, 0)
    factor = scale / np.sqrt(variance + epsilon)
    y *= factor.reshape(spread_out)
    y += (shift - rest * factor).reshape(spread_out)
    return mean + rest, variance


@kernel("netc.BatchNormalizationGrad", out=True, layout=Layout.AS_ARGUMENT, spreads=True)
def batch_normalization_gradient(
    x: Array,
    dy: Array,
    scale: Array,
    mean: Array,
    variance: Array,
    *,
    epsilon: float,
    out: Array | None = None,
) -> tuple[Array, Array, Array]:
    """dx = scale r (dy - mean dy - u mean (u dy)), dscale = sum u dy and dshift = sum dy.

    u = (x - mean) r with r = 1 / sqrt(variance + epsilon), and means over each channel. Some
    channels are taken at a time, which stay in the cache from pass to pass.
    """
    dx = np.empty_like(x) if out is None else out
    sums = np.zeros((2, *scale.shape), scale.dtype)
    r = 1 / np.sqrt(variance + epsilon)
    count = x.dtype.type(max(x.size // max(x.shape[1], 1), 1))

    def compute(part: slice) -> None:
        given, found = dy[:, part], dx[:, part]
        over = (-1,) + (1,) * (x.ndim - 2)
        np.subtract(x[:, part], mean[part].reshape(over), out=found)
        along, total = channel_products(given, found), channel_sums(given)
        sums[:, part] = along * r[part], total
        found *= (-along * r[part] * r[part] / count).reshape(over)
        found += given
        found -= (total / count).reshape(over)
        found *= (scale[part] * r[part]).reshape(over)

    spread(compute, _channel_parts(x), 4 * x.nbytes)
    return dx, sums[0], sums[1]


def _centred(
    x: Array, axes: int | tuple[int, ...], out: Array | None = None
) -> tuple[Array, Array]:
    """x minus its mean over some axes, and that mean with these axes kept.

    A mean of large equal numbers is rounded, and what is left of them would be scaled by up to
    1 / sqrt(epsilon): the mean of what is left fixes that.
    """
    mean = x.mean(axes, keepdims=True)
    centred: Array = np.subtract(x, mean, out=out)
    rest = centred.mean(axes, keepdims=True)
    centred -= rest
    return centred, mean + rest


@kernel("LayerNormalization", counts_outputs=True, out=True, spreads=True)
def layer_normalization(
    x: Array,
    scale: Array,
    shift: Array | None = None,
    *,
    axis: int,
    epsilon: float,
    stash_type: int,
    outputs: int = 1,
    out: Array | None = None,
) -> Array | tuple[Array, ...]:
    """Y = scale (x - mean) / sqrt(variance + epsilon) + shift over the axes from `axis` on.

    On demand also the mean and 1 / sqrt(variance + epsilon). `stash_type` asks for at least
    float32 inside, which all of our element types are.
    """
    split = axis % x.ndim
    y = np.empty(x.shape, x.dtype) if out is None else out
    shape = prod(x.shape[:split]), prod(x.shape[split:])
    rows, results = x.reshape(shape), y.reshape(shape)
    mean, factor = np.empty((2, len(rows), 1), x.dtype)

    def compute(part: Part) -> None:
        _, mean[part], factor[part] = _standardized(rows[part], epsilon, results[part])
        results[part] *= scale.reshape(-1)
        if shift is not None:
            results[part] += shift.reshape(-1)

    spread(compute, blocks(results, ROWS_BYTES, within=[1]), 4 * x.nbytes)
    reduced = (*x.shape[:split], *(1,) * (x.ndim - split))
    return (y, mean.reshape(reduced), factor.reshape(reduced))[:outputs] if outputs > 1 else y


@kernel("InstanceNormalization")
def instance_normalization(x: Array, scale: Array, shift: Array, *, epsilon: float) -> Array:
    """Y = scale (x - mean) / sqrt(variance + epsilon) + shift per sample and channel."""
    y, _, _ = _standardized(x.reshape(*x.shape[:2], prod(x.shape[2:])), epsilon)
    return _scaled(y.reshape(x.shape), scale, shift)


@kernel("GroupNormalization")
def group_normalization(
    x: Array, scale: Array, shift: Array, *, num_groups: int, epsilon: float, stash_type: int
) -> Array:
    """Y = scale (x - mean) / sqrt(variance + epsilon) + shift per sample and group of channels."""
    y, _, _ = _standardized(x.reshape(len(x), num_groups, prod(x.shape[1:]) // num_groups), epsilon)
    return _scaled(y.reshape(x.shape), scale, shift)


def _standardized(
    rows: Array, epsilon: float, out: Array | None = None
) -> tuple[Array, Array, Array]:
    """Rows on the last axis with mean 0 and variance 1, their mean, and what scaled them.

    The variance is that of the centred rows: a difference of squares would cancel.
    """
    count = rows.dtype.type(rows.shape[-1])
    mean = row_sums(rows) / count
    y: Array = np.subtract(rows, mean, out=out)
    # A mean of large equal numbers is rounded; see `_centred`.
    rest = row_sums(y) / count
    variance = row_squares(y) / count
    if (rest * rest > ROUNDED * variance).any():
        y -= rest
        mean, variance = mean + rest, row_squares(y) / count
    factor = 1 / np.sqrt(variance + epsilon)
    y *= factor
    return y, mean, factor


def _scaled(y: Array, scale: Array, shift: Array) -> Array:
    """Each channel of y (N, C, *S) times its scale, plus its shift, in place."""
    channels = (-1,) + (1,) * (y.ndim - 2)
    y *= scale.reshape(channels)
    y += shift.reshape(channels)
    return y


@kernel("MeanVarianceNormalization")
def mean_variance_normalization(x: Array, *, axes: tuple[int, ...]) -> Array:
    """(x - mean) / (deviation + 1e-9) over some axes, as ONNX defines it."""
    if not x.size:
        return x.copy()
    y, _ = _centred(x, axes)
    y /= np.sqrt(np.square(y).mean(axes, keepdims=True)) + x.dtype.type(MEAN_VARIANCE_EPSILON)
    return y


@kernel("LRN", out=True, layout=Layout.AS_ARGUMENT, spreads=True)
def local_response_normalization(
    x: Array, *, size: int, alpha: float, beta: float, bias: float, out: Array | None = None
) -> Array:
    """x / (bias + alpha / size sum x^2)^beta, the sum over `size` channels around each one.

    These are (size - 1) // 2 before it and size // 2 after it.
    """
    y = np.empty_like(x) if out is None else out
    axis = 2 if is_batch_innermost(x) else 0
    extent = x.shape[axis] if x.size else 0
    step = max(1, BLOCK_BYTES // max(x.nbytes // max(extent, 1), 1))

    def compute(start: int) -> None:
        part = (slice(None),) * axis + (slice(start, start + step),)
        data, sums = x[part], y[part]
        squares = np.square(data, out=scratch_like(data, "squares", x.dtype))
        sums[...] = squares
        for offset in range(1, min(size // 2, x.shape[1] - 1) + 1):
            sums[:, :-offset] += squares[:, offset:]
            if offset <= (size - 1) // 2:
                sums[:, offset:] += squares[:, :-offset]
        sums *= alpha / size
        sums += bias
        np.divide(data, _power(sums, beta, squares), out=sums)

    spread(compute, range(0, extent, step), 4 * x.nbytes)
    return y


def _power(base: Array, exponent: float, memory: Array) -> Array:
    """The power of positive numbers; AlexNet's 3/4 and 1/2 by square roots, which are faster."""
    if exponent not in (0.5, 0.75):
        return np.asarray(np.power(base, exponent, out=memory))
    root = np.sqrt(base, out=memory)
    if exponent == 0.75:
        root *= np.sqrt(root)
    return root


@kernel("Softmax", out=True, layout=Layout.AS_ARGUMENT, spreads=True)
def softmax(x: Array, *, axis: int, out: Array | None = None) -> Array:
    """exp(x - max x) / sum exp(x - max x) along an axis."""
    y = np.empty_like(x) if out is None else out

    def compute(part: Part) -> None:
        data, found = x[part], y[part]
        np.subtract(data, data.max(axis, keepdims=True), out=found)
        np.exp(found, out=found)
        last = axis % x.ndim == x.ndim - 1
        found /= row_sums(found) if last else found.sum(axis, keepdims=True)

    spread(compute, blocks(y, ROWS_BYTES, within=[axis % x.ndim]), 4 * x.nbytes)
    return y


@kernel("LogSoftmax", out=True, layout=Layout.AS_ARGUMENT, spreads=True)
def log_softmax(x: Array, *, axis: int, out: Array | None = None) -> Array:
    """x - max x - log(sum exp(x - max x)) along an axis."""
    y = np.empty_like(x) if out is None else out

    def compute(part: Part) -> None:
        data, found = x[part], y[part]
        np.subtract(data, data.max(axis, keepdims=True), out=found)
        found -= np.log(np.exp(found).sum(axis, keepdims=True))

    spread(compute, blocks(y, ROWS_BYTES, within=[axis % x.ndim]), 4 * x.nbytes)
    return y


@kernel("Dropout", counts_outputs=True, view=True)
def dropout(
    x: Array,
    ratio: Array | None = None,
    training_mode: Array | None = None,
    *,
    seed: int | None,
    outputs: int = 1,
) -> Array | tuple[Array, ...]:
    """The identity, unless `training_mode` holds: then noise as ONNX's reference draws it."""
    rate = 0.5 if ratio is None else float(ratio)
    if training_mode is None or not training_mode or rate == 0:
        return (x, np.ones(x.shape, bool))[:outputs] if outputs > 1 else x
    mask = np.asarray(np.random.RandomState(seed or 0).uniform(0, 1, x.shape) >= rate)
    y: Array = mask * x * x.dtype.type(1 / (1 - rate))
    return (y, mask)[:outputs]


@kernel("netc.Noise", view=True)
def noise(x: Array, deviation: Array, *, distribution: str, always: int) -> Array:
    """The identity: what `set_mode` leaves of noise at inference, if it is not always drawn."""
    return x


@kernel("netc.SpectralNorm")
def spectral_norm(weight: Array, u: Array, v: Array, *, axis: int, epsilon: float) -> Array:
    """W / (u W v), W with `axis` before all others as a matrix."""
    matrix = np.moveaxis(weight, axis, 0).reshape(len(u), -1)
    return np.asarray(weight / (u @ (matrix @ v)))


@kernel("netc.AllReduce", view=True)
@kernel("netc.Detach", view=True)
def itself(x: Array) -> Array:
    """X itself: nothing passes gradients here, and the sum over one rank."""
    return x


@kernel("LpNormalization")
def lp_normalization(x: Array, *, axis: int, p: int) -> Array:
    """X divided by its norm along an axis, (sum |x|^p)^(1 / p); zeros stay as they are."""
    size = np.abs(x).sum(axis, keepdims=True) if p == 1 else _length(x, axis)
    return np.asarray(x / np.where(size == 0, 1, size).astype(x.dtype))


def _length(x: Array, axis: int) -> Array:
    return np.asarray(np.sqrt(np.square(x).sum(axis, keepdims=True)))
