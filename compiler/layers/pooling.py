"""Pooling layers with sliding windows, and the layer that undoes a max-pool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...grammar.diagnostics import did_you_mean
from ..arguments import Flag, LabelName, Padding, PerAxis, Positive
from ..dim import equal
from ..graph import Graph, Layer, Node, Value
from ..layer_builder import LayerBuilder
from ..layerdef import layer
from ..types import author_size
from ..windows import Window, window_of
from .spatial import as_before, channels_first, describe, window_on

LP_NORM = 2


@dataclass(frozen=True, slots=True)
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
        return _geometry(replace(self.window, after=after))


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


@layer("UNPOOL", choice="pool")
def unpool(build: LayerBuilder, x: Value, *, pool: LabelName) -> Value:
    """Puts values back where a max-pool took its maxima from, zeros elsewhere (ONNX `MaxUnpool`).

    The output has the extents of that pool's input.
    """
    pooled = _max_pool(build, pool)
    maxima = _maxima(build.graph, pooled)
    node = build.graph.producer(maxima)
    _check_apart(build, node, pool)
    source = channels_first(build, x)
    _check_extents(build, x, pooled.outputs[0], pool)
    (origin,) = node.inputs
    assert origin is not None
    y = build.MaxUnpool(
        source.value,
        Value(maxima.node, 1, node.outputs[1]),
        build.Shape(origin),
        kernel_shape=node.attributes["kernel_shape"],
        strides=node.attributes["strides"],
        pads=node.attributes["pads"],
    )
    return as_before(build, y, source)


def _max_pool(build: LayerBuilder, label: str) -> Layer:
    """The max-pool that a label names."""
    found = build.look_up(label)
    if found is None:
        pools = [path for path, other in build.graph.layers.items() if other.kind == "POOL"]
        raise build.fail("E101", f"finds no layer `{label}`", at="pool", help=did_you_mean(label, pools))
    if found.kind != "POOL" or found.arguments["mode"] != "max":
        kind = f"{found.kind}({found.arguments['mode']})" if found.kind == "POOL" else found.kind
        raise build.fail("E103", f"undoes a max-pool, but `{label}` is {kind}", at="pool")
    return found


def _maxima(graph: Graph, pooled: Layer) -> Value:
    """The first output of a layer's `MaxPool`, which a sequence transposes."""
    (value,) = pooled.outputs
    while graph.producer(value).op_type != "MaxPool":
        (inner,) = graph.producer(value).inputs
        assert inner is not None
        value = inner
    return value


def _check_apart(build: LayerBuilder, node: Node, label: str) -> None:
    """Windows that overlap may have one maximum, which would get the values of both."""
    window = window_of(node.attributes)
    if any(s < k for s, k in zip(window.strides, window.kernel, strict=True)):
        kernel, stride = ("x".join(map(str, size)) for size in (window.kernel, window.strides))
        raise build.fail(
            "E103",
            f"cannot undo `{label}`: windows of {kernel} overlap at a stride of {stride}, so that "
            "one element may be the maximum of several",
            at="pool",
            help=f"give `{label}` a stride of {kernel}",
        )


def _check_extents(build: LayerBuilder, x: Value, pooled: Value, label: str) -> None:
    """Each value goes back to its own window."""
    same_rank = x.type.rank == pooled.type.rank
    if not same_rank or any(
        equal(a, b) is False for a, b in zip(x.shape, pooled.shape, strict=True)
    ):
        raise build.fail(
            "E201",
            f"needs the extents that `{label}` yields, {author_size(pooled.type)}, but its input "
            f"is {describe(x)}",
        )


def _check_options(build: LayerBuilder, mode: str, count_pad: bool) -> None:
    """Options that belong to another mode would be ignored silently."""
    if "p" in build.bound.spans and mode != "lp":
        raise build.fail("E103", f"has no `p` in the mode `{mode}`", at="p", help="choose the mode `lp`")
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
    ends = (
        (count - 1) * stride + kernel
        for count, stride, kernel in zip(
            window.output(extents), window.strides, window.kernel, strict=True
        )
    )
    return tuple(max(end - e, 0) for end, e in zip(ends, window.padded(extents), strict=True))


def _geometry(window: Window) -> Mapping[str, Any]:
    return {
        "kernel_shape": window.kernel,
        "strides": window.strides,
        "pads": window.pads,
        "dilations": window.dilations,
        "ceil_mode": 0,
    }
