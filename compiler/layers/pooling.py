"""Pooling layers."""

from typing import Literal

from ..arguments import Flag, Padding, PerAxis
from ..graph import Value
from ..layer_builder import LayerBuilder
from ..layerdef import layer
from ..windows import Window
from .spatial import as_before, channels_first, window_on

POOLS = {"max": "MaxPool", "avg": "AveragePool"}


@layer(
    "POOL",
    size="kernel",
    choice="mode",
    aliases={
        "MAXPOOL": {"mode": "max"},
        "AVGPOOL": {"mode": "avg"},
        "maxpool": {"mode": "max"},
        "avgpool": {"mode": "avg"},
    },
)
def pool(
    build: LayerBuilder,
    x: Value,
    *,
    kernel: PerAxis = 2,
    mode: Literal["max", "avg"] = "max",
    stride: PerAxis | None = None,
    pad: Padding = 0,
    ceil: Flag = False,
    count_pad: Flag = False,
) -> Value:
    """Max or average pooling (ONNX `MaxPool`, `AveragePool`); the default stride is the kernel."""
    source = channels_first(build, x)
    window = window_on(
        build, source.value, kernel=kernel, stride=stride or kernel, pad=pad, ceil=ceil
    )
    _check_padding(build, window)
    attributes = {"count_include_pad": int(count_pad)} if mode == "avg" else {}
    y = build.op(
        POOLS[mode],
        (source.value,),
        {
            "kernel_shape": window.kernel,
            "strides": window.strides,
            "pads": window.pads,
            "dilations": window.dilations,
            "ceil_mode": int(ceil),
            **attributes,
        },
    )[0]
    return as_before(build, y, source)


def _check_padding(build: LayerBuilder, window: Window) -> None:
    """A window must never lie in the padding alone: it would have no maximum and no mean."""
    for kernel, before, after in zip(window.kernel, window.before, window.after, strict=True):
        if max(before, after) >= kernel:
            raise build.fail(
                "E103",
                f"cannot pad by {max(before, after)}: a window of {kernel} would see padding only",
                at="pad",
                help=f"pad by at most {kernel - 1}",
            )
