"""The transposed convolution: a convolution's gradient by its input, used to enlarge images."""

from collections.abc import Mapping
from math import prod
from typing import Any

from ..expressions.arguments import (
    Flag,
    Initializer,
    NaturalPerAxis,
    Numbers,
    Padding,
    PerAxis,
    Positive,
)
from ..ir.graph import Value
from ..ir.initializers import AUTO, Init
from ..ir.windows import Window
from .convolution import check_groups
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import UNITS, as_before, channels_first, counted, padding_of, per_axis
from .weight_normalization import WeightNormalization, weight_of


@layer("UPCONV", size="kernel", counts="filters", aliases={"DECONV": {}})
def transposed_convolution(
    build: LayerBuilder,
    x: Value,
    *,
    kernel: PerAxis = 2,
    filters: Positive = 32,
    stride: PerAxis = 2,
    pad: Padding = 0,
    output_pad: NaturalPerAxis = 0,
    dilation: PerAxis = 1,
    groups: Positive = 1,
    bias: Flag = True,
    norm: WeightNormalization = "none",
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Transposed convolution (ONNX `ConvTranspose`).

    The weight is (channels, filters / groups, *kernel), the bias (filters). Extents become
    (N - 1) stride - 2 pad + dilation (kernel - 1) + output_pad + 1; with `pad=same`, N stride.
    """
    source = channels_first(build, x)
    given = {"kernel": kernel, "stride": stride, "dilation": dilation, "output_pad": output_pad}
    window, extra = _window_on(build, source.value, pad, given)
    (channels,) = build.concrete(source.value, (1,))
    check_groups(build, groups, channels=channels, filters=filters)
    w = weight_of(
        build,
        (channels, filters // groups, *window.kernel),
        norm,
        axis=1,
        init=init,
        literal=weight,
        fans=_fans(channels // groups, filters // groups, window, init),
    )
    b = build.bias(filters, literal=bias_value) if bias else None
    attributes = {**window.attributes, "group": groups, "output_padding": extra}
    y = build.ConvTranspose(source.value, w, b, **attributes)
    return as_before(build, y, source)


def _window_on(
    build: LayerBuilder, x: Value, pad: Any, given: Mapping[str, Any]
) -> tuple[Window, tuple[int, ...]]:
    """The window that scatters each position, and how many rows are added at each axis' end.

    Raises:
        NetError: E103, padding crops all of the output, or too much is added.
    """
    rank = x.type.rank - 2
    sizes, strides, dilations, extra = (
        per_axis(build, numbers, name, rank) for name, numbers in given.items()
    )
    _check_output_pad(build, extra, strides, pad)
    if pad == "same":
        before, after, extra = _same(sizes, strides, dilations)
    else:
        before, after = padding_of(build, pad, sizes, dilations)
    window = Window(sizes, strides, before, after, dilations)
    _check_output(build, x, window, extra)
    return window, extra


def _fans(channels: int, filters: int, window: Window, init: Init) -> tuple[int, int] | None:
    """An output element takes the taps of one in `stride` windows; PyTorch's own default does not.

    It reads fan_in off the shape as if it were (out, in, *kernel), which `init=torch` repeats.
    """
    if init.name == "torch":
        return None
    taps = prod(window.kernel)
    return max(channels * taps // prod(window.strides), 1), filters * taps


def _check_output_pad(
    build: LayerBuilder, extra: tuple[int, ...], strides: tuple[int, ...], pad: Any
) -> None:
    """Rows added at the end distinguish what `stride` extents of a convolution map to one."""
    if pad == "same" and any(extra):
        raise build.fail(
            "E103",
            "cannot take an output_pad with `pad=same`, which determines it",
            at="output_pad",
        )
    for added, stride in zip(extra, strides, strict=True):
        if added >= stride:
            raise build.fail(
                "E103",
                f"cannot take an output_pad of {added}: it must be below the stride, {stride}",
                at="output_pad",
            )


def _same(*geometry: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """What to crop before and after, and to add at the end, so that extents grow by the stride.

    The crop lies where `CONV` with `pad=same` pads, as far as there is that much to crop: this is
    that layer's transpose wherever the kernel is at least 2 stride - 1.
    """
    before, after, missing = [], [], []
    for kernel, stride, dilation in zip(*geometry, strict=True):
        surplus = dilation * (kernel - 1) + 1 - stride
        before.append(min(dilation * (kernel - 1) // 2, max(surplus, 0)))
        after.append(max(surplus, 0) - before[-1])
        missing.append(max(-surplus, 0))
    return tuple(before), tuple(after), tuple(missing)


def _check_output(build: LayerBuilder, x: Value, window: Window, extra: tuple[int, ...]) -> None:
    """Padding crops the output, and must leave some of it."""
    extents = window.scattered(x.shape[2:])
    for extent, added, before, after, unit in zip(
        extents, extra, window.before, window.after, UNITS[window.rank], strict=True
    ):
        if isinstance(extent, int) and extent + added < 1:
            whole = counted(extent + added + before + after, unit)
            raise build.fail(
                "E103",
                f"has {whole} for an input of {build.input_size(x)}, and `pad` crops "
                f"{before + after} of them",
                at="pad",
            )
