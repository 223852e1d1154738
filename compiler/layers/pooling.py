"""Pooling layers with sliding windows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from ...grammar.records import record
from ..expressions.arguments import Flag, Padding, PerAxis, Positive
from ..ir.graph import Value
from ..ir.windows import Window
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import as_before, channels_first, window_on

LP_NORM = 2


@record
class Pool:
    """A pool of x (N, C, *S): its window, what `ceil` adds at the end, and the mode's options."""

    window: Window
    surplus: tuple[int, ...]
    p: int
    count_pad: bool

    @property
    def geometry(self) -> Mapping[str, Any]:
        """ONNX's attributes, in which rounding up is padding at the end.

        onnxruntime's own `ceil_mode` differs from PyTorch's between versions.
        """
        after = tuple(a + s for a, s in zip(self.window.after, self.surplus, strict=True))
        return {**replace(self.window, after=after).attributes, "ceil_mode": 0}


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
    mode: Literal["max", "avg", "stochastic", "lp"] = "max",
    stride: PerAxis | None = None,
    pad: Padding = 0,
    ceil: Flag = False,
    count_pad: Flag = False,
    p: Positive = LP_NORM,
) -> Value:
    """Pooling over windows; the default stride is the kernel.

    `max` and `avg` are ONNX's `MaxPool` and `AveragePool`, where padding never wins and counts
    only with `count_pad`. `lp` is `LpPool`, (sum |x|^p)^(1 / p). `stochastic` samples by
    magnitude in training and is sum x^2 / sum x at inference (Zeiler and Fergus 2013).
    """
    _check_options(build, mode, count_pad)
    source = channels_first(build, x)
    window = window_on(
        build, source.value, kernel=kernel, stride=stride or kernel, pad=pad, ceil=ceil
    )
    _check_padding(build, window)
    options = Pool(window, _surplus(build, source.value, window), p, count_pad)
    return as_before(build, POOLS[mode](build, source.value, options), source)


def _max(build: LayerBuilder, x: Value, options: Pool) -> Value:
    """The maxima; their indices are for `UNPOOL`, and vanish where nothing reads them."""
    return build.op("MaxPool", (x,), options.geometry, outputs=2)[0]


def _average(build: LayerBuilder, x: Value, options: Pool) -> Value:
    """The means; counted padding is put around x where it is not the same on both sides.

    What `ceil` adds never counts, and onnxruntime 1.22 miscounts padding on one side.
    """
    window = options.window
    if not options.count_pad or not any(window.pads):
        return build.AveragePool(x, **options.geometry)
    if window.before == window.after and not any(options.surplus):
        return build.AveragePool(x, **options.geometry, count_include_pad=1)
    pads = build.index_constant((0, 0, *window.before, 0, 0, *window.after))
    bare = replace(window, before=(0,) * window.rank, after=(0,) * window.rank)
    return build.AveragePool(build.Pad(x, pads), **replace(options, window=bare).geometry)


def _lp(build: LayerBuilder, x: Value, options: Pool) -> Value:
    return build.LpPool(x, **options.geometry, p=options.p)


def _stochastic(build: LayerBuilder, x: Value, options: Pool) -> Value:
    return build.op("netc.StochasticPool", (x,), options.geometry)[0]


POOLS: Mapping[str, Callable[[LayerBuilder, Value, Pool], Value]] = {
    "max": _max,
    "avg": _average,
    "lp": _lp,
    "stochastic": _stochastic,
}


def _check_options(build: LayerBuilder, mode: str, count_pad: bool) -> None:
    """Options that belong to another mode would be ignored silently."""
    if "p" in build.bound.spans and mode != "lp":
        message = f"has no `p` in the mode `{mode}`"
        raise build.fail("E103", message, at="p", help="choose the mode `lp`")
    if count_pad and mode != "avg":
        message = f"has no padding to count in the mode `{mode}`"
        raise build.fail("E103", message, at="count_pad", help="choose the mode `avg`")


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


def _surplus(build: LayerBuilder, x: Value, window: Window) -> tuple[int, ...]:
    """How far the last windows of `ceil` reach beyond the padded input, on each axis.

    A window always starts on data or before it, so padding and surplus stay below the kernel.
    """
    if not window.ceil:
        return (0,) * window.rank
    extents = build.concrete(x, range(2, 2 + window.rank))
    surplus = []
    for axis, (count, extent) in enumerate(
        zip(window.output(extents), window.padded(extents), strict=True)
    ):
        assert isinstance(count, int)
        assert isinstance(extent, int)
        end = (count - 1) * window.strides[axis] + window.kernel[axis]
        surplus.append(max(end - extent, 0))
    return tuple(surplus)
