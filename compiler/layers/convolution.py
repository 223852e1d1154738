"""Convolution layers, full and depthwise."""

from ..expressions.arguments import Flag, Initializer, Numbers, Padding, PerAxis, Positive
from ..ir.graph import Value
from ..ir.initializers import AUTO
from ..ir.windows import Window
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import SpatialInput, as_before, channels_first, window_on
from .weight_normalization import WeightNormalization, weight_of


@layer("CONV", size="kernel", counts="filters")
def convolution(
    build: LayerBuilder,
    x: Value,
    *,
    kernel: PerAxis = 3,
    filters: Positive = 32,
    stride: PerAxis = 1,
    pad: Padding = "same",
    dilation: PerAxis = 1,
    groups: Positive = 1,
    bias: Flag = True,
    norm: WeightNormalization = "none",
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Convolution (ONNX `Conv`): weight (filters, channels / groups, *kernel), bias (filters)."""
    source = channels_first(build, x)
    window = window_on(
        build, source.value, kernel=kernel, stride=stride, pad=pad, dilation=dilation
    )
    (channels,) = build.concrete(source.value, (1,))
    check_groups(build, groups, channels=channels, filters=filters)
    w = weight_of(
        build, (filters, channels // groups, *window.kernel), norm, init=init, literal=weight
    )
    b = build.bias(filters, literal=bias_value) if bias else None
    return _convolved(build, source, w, b, window, groups)


@layer("DWCONV", size="kernel")
def depthwise_convolution(
    build: LayerBuilder,
    x: Value,
    *,
    kernel: PerAxis = 3,
    multiplier: Positive = 1,
    stride: PerAxis = 1,
    pad: Padding = "same",
    dilation: PerAxis = 1,
    bias: Flag = True,
    norm: WeightNormalization = "none",
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Each channel is convolved separately, into `multiplier` channels (ONNX `Conv`).

    The weight is (channels * multiplier, 1, *kernel); channel c yields the outputs from
    c * multiplier on.
    """
    source = channels_first(build, x)
    window = window_on(
        build, source.value, kernel=kernel, stride=stride, pad=pad, dilation=dilation
    )
    (channels,) = build.concrete(source.value, (1,))
    filters = channels * multiplier
    w = weight_of(build, (filters, 1, *window.kernel), norm, init=init, literal=weight)
    b = build.bias(filters, literal=bias_value) if bias else None
    return _convolved(build, source, w, b, window, channels)


def _convolved(
    build: LayerBuilder,
    x: SpatialInput,
    weight: Value,
    bias: Value | None,
    window: Window,
    groups: int,
) -> Value:
    y = build.Conv(x.value, weight, bias, **window.attributes, group=groups)
    return as_before(build, y, x)


def check_groups(build: LayerBuilder, groups: int, *, channels: int, filters: int) -> None:
    """Groups must divide the channels that come in and the filters that go out."""
    for count, what in ((channels, "input channels"), (filters, "filters")):
        if count % groups:
            raise build.fail(
                "E204", f"cannot split {count} {what} into {groups} groups", at="groups"
            )
