"""Normalization layers."""

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

from ..expressions.arguments import Flag, NonNegativeReal, Numbers, Positive, PositiveReal, Rate
from ..ir.graph import Value
from ..ir.initializers import ONES, ZEROS
from ..ir.tensor import shape_of
from .activation import channel_axis, real
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import as_before, channels_first, describe, lying_along

EPSILON = 1e-5
DEFAULT_GROUPS = 32  # the default of Wu and He 2018


@layer("BN")
def batch_normalization(
    build: LayerBuilder,
    x: Value,
    *,
    eps: PositiveReal = EPSILON,
    affine: Flag = True,
    momentum: Rate = 0.1,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Batch normalization per channel (Ioffe and Szegedy 2015; ONNX `BatchNormalization`).

    `momentum` weighs the new statistics, as in PyTorch; ONNX's attribute weighs the old ones.
    """
    source = None if with_channels(build, x).type.rank == 2 else channels_first(build, x)
    features = source.value if source else x
    (channels,) = build.concrete(features, (1,))
    scale, shift = _affine(build, (channels,), affine, weight, bias_value)
    mean = build.buffer("running_mean", (channels,), init=ZEROS)
    variance = build.buffer("running_var", (channels,), init=ONES)
    y = build.BatchNormalization(
        features, scale, shift, mean, variance, epsilon=eps, momentum=1.0 - momentum
    )
    return as_before(build, y, source) if source else y


@layer("LN", choice="axes")
def layer_normalization(
    build: LayerBuilder,
    x: Value,
    *,
    axes: Literal["channels", "all"] = "channels",
    eps: PositiveReal = EPSILON,
    affine: Flag = True,
    bias: Flag = True,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Layer normalization (Ba, Kiros and Hinton 2016; ONNX `LayerNormalization`).

    Over the channels at every position, or with `axes=all` over the whole sample, where the
    weight and bias have the sample's shape, channels first. With `bias=no` there is the weight
    alone.
    """
    rank = with_channels(build, x).type.rank
    axis = 1 if axes == "all" else -1
    moved = axes == "channels" and channel_axis(x) != rank - 1
    rows = build.Transpose(x, perm=(0, *range(2, rank), 1)) if moved else x
    shape = build.concrete(rows, range(axis % rank, rank))
    if affine and not bias:
        _refuse_literals(build, "bias_value", "bias=no")
        scale: Value = build.weight(shape, init=ONES, literal=weight)
        y = build.LayerNormalization(rows, scale, axis=axis, epsilon=eps)
    else:
        scale, shift = _affine(build, shape, affine, weight, bias_value)
        y = build.LayerNormalization(rows, scale, shift, axis=axis, epsilon=eps)
    return build.Transpose(y, perm=(0, rank - 1, *range(1, rank - 1))) if moved else y


@layer("IN")
def instance_normalization(
    build: LayerBuilder,
    x: Value,
    *,
    eps: PositiveReal = EPSILON,
    affine: Flag = True,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Instance normalization: each channel of each sample over its positions.

    Ulyanov, Vedaldi and Lempitsky 2016; ONNX `InstanceNormalization`.
    """
    source = channels_first(build, x)
    channels = build.concrete(source.value, (1,))
    scale, shift = _affine(build, channels, affine, weight, bias_value)
    y = build.InstanceNormalization(source.value, scale, shift, epsilon=eps)
    return as_before(build, y, source)


@layer("GN", counts="groups")
def group_normalization(
    build: LayerBuilder,
    x: Value,
    *,
    groups: Positive = DEFAULT_GROUPS,
    eps: PositiveReal = EPSILON,
    affine: Flag = True,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Group normalization: each group of channels of each sample over its positions.

    Wu and He 2018; ONNX `GroupNormalization`.
    """
    source = None if with_channels(build, x).type.rank == 2 else channels_first(build, x)
    features = source.value if source else x
    (channels,) = build.concrete(features, (1,))
    if channels % groups:
        message = f"cannot split {channels} input channels into {groups} groups"
        raise build.fail("E204", message, at="groups")
    scale, shift = _affine(build, (channels,), affine, weight, bias_value)
    y = build.GroupNormalization(features, scale, shift, num_groups=groups, epsilon=eps)
    return as_before(build, y, source) if source else y


@layer("RMSNORM")
def root_mean_square_normalization(
    build: LayerBuilder,
    x: Value,
    *,
    eps: PositiveReal = EPSILON,
    affine: Flag = True,
    weight: Numbers | None = None,
) -> Value:
    """x / sqrt(mean x^2 + eps) over the channels at every position, times a weight.

    Zhang and Sennrich 2019. Built from elementary operators: ONNX's `RMSNormalization` is newer
    than opset 22.
    """
    axis = channel_axis(with_channels(build, x))
    axes = build.index_constant((axis,))
    mean = build.ReduceMean(build.Mul(x, x), axes, keepdims=1)
    root = build.Sqrt(build.Add(mean, build.constant(eps, x.dtype)))
    y = build.Div(x, root)
    if not affine:
        _refuse_literals(build)
        return y
    (channels,) = build.concrete(x, (axis,))
    scale = build.weight((channels,), init=ONES, literal=weight)
    return build.Mul(y, _beside(build, scale, channels, x))


def _beside(build: LayerBuilder, vector: Value, channels: int, x: Value) -> Value:
    """A vector of the channels, shaped so that it broadcasts with `x`."""
    trailing = x.type.rank - 1 - channel_axis(x)
    if not trailing:
        return vector
    return build.Reshape(vector, build.index_constant((channels, *(1,) * trailing)))


@layer("LRN", counts="size")
def local_response_normalization(
    build: LayerBuilder,
    x: Value,
    *,
    size: Positive = 5,
    alpha: PositiveReal = 1e-4,
    beta: PositiveReal = 0.75,
    k: NonNegativeReal = 2.0,
    mean: Flag = False,
) -> Value:
    """x / (k + alpha sum x^2)^beta, the sum over `size` neighbouring channels (ONNX `LRN`).

    Krizhevsky, Sutskever and Hinton 2012, section 3.3. `mean` divides the sum by `size`, as
    PyTorch and ONNX do.
    """
    if size % 2 == 0:
        message = f"cannot centre a window of {size} channels on one of them"
        raise build.fail("E103", message, at="size", help="give it an odd size")
    rank = with_channels(build, x).type.rank
    source = channels_first(build, x) if rank == 3 else None
    features = source.value if source else x
    # onnxruntime has it for (N, C, H, W) only; 0 keeps an extent, -1 takes the rest, which an
    # empty batch does not tell.
    rows = build.concrete(x, (3,)) if rank == 5 else ()
    columns = next((extent for extent in x.shape[4:] if isinstance(extent, int)), -1)
    rest = max(prod(rows) * columns, -1)
    as_image = {2: (0, 0, 1, 1), 3: (0, 0, 0, 1), 5: (0, 0, 0, rest)}.get(rank)
    y = build.LRN(
        build.Reshape(features, build.index_constant(as_image)) if as_image else features,
        size=size,
        alpha=alpha if mean else alpha * size,
        beta=beta,
        bias=k,
    )
    if as_image:
        back = {2: (0, 0), 3: (0, 0, 0), 5: (0, 0, 0, *rows, columns)}[rank]
        y = build.Reshape(y, build.index_constant(back))
    return as_before(build, y, source) if source else y


@layer("NORMALIZE")
def normalize(build: LayerBuilder, x: Value, *, mean: Numbers = 0.0, std: Numbers = 1.0) -> Value:
    """(x - mean) / std, each a number or one per channel: preprocessing without weights.

    Integers become real numbers before.
    """
    x = x if x.dtype.is_float else build.Cast(x, to=build.dtype)
    with_channels(build, x)
    centre = _per_channel(build, x, mean, "mean")
    spread = _per_channel(build, x, std, "std")
    return build.Div(build.Sub(x, centre), spread)


def _per_channel(build: LayerBuilder, x: Value, given: Any, name: str) -> Value:
    """A constant, or one per channel, that broadcasts with `x`."""
    numbers = given if isinstance(given, tuple) else (given,)
    axis = channel_axis(x)
    if isinstance(given, tuple):
        (channels,) = build.concrete(x, (axis,))
        if shape_of(given) != (channels,):
            found = "x".join(map(str, shape_of(given)))
            message = f"takes a `{name}` of one number or {channels}, one per channel, not {found}"
            raise build.fail("E205", message, at=name)
    if name == "std" and min(numbers) <= 0:
        message = "cannot divide by a `std` that is not positive"
        raise build.fail("E103", message, at=name, help="write 1 for a channel that never varies")
    if not isinstance(given, tuple):
        return build.constant(given, x.dtype)
    trailing = x.type.rank - 1 - axis
    return build.constant(lying_along(given, trailing), x.dtype)


def with_channels(build: LayerBuilder, x: Value) -> Value:
    """`x`, which must hold real numbers and have a channel axis after the batch."""
    if real(build, x).type.rank not in (2, 3, 4, 5):
        raise build.fail("E201", f"needs channels, but its input is {describe(x)}")
    return x


def _affine(
    build: LayerBuilder, shape: Sequence[int], learned: bool, weight: Any, bias: Any
) -> tuple[Value, Value]:
    """Scale and shift of a shape: learned, or fixed at one and zero."""
    extents = tuple(shape)
    if learned:
        scale = build.weight(extents, init=ONES, literal=weight)
        return scale, build.bias(extents, literal=bias)
    _refuse_literals(build)
    target = build.index_constant(extents)
    one, zero = (build.constant(number, build.dtype) for number in (1.0, 0.0))
    return build.Expand(one, target), build.Expand(zero, target)


def _refuse_literals(
    build: LayerBuilder, names: str = "weight bias_value", reason: str = "affine=no"
) -> None:
    """Values for weights that there are none of would be ignored silently."""
    for name in names.split():
        if name in build.bound.spans:
            raise build.fail("E103", f"has no weights to set to `{name}` with {reason}", at=name)
