"""The layer that undoes a max-pool."""

from ...grammar.diagnostics import did_you_mean
from ..expressions.arguments import LabelName
from ..ir.dim import equal
from ..ir.graph import Graph, Layer, Node, Value, present
from ..ir.types import author_size
from ..ir.windows import Window, window_of
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import as_before, channels_first, describe


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
    (origin,) = present(node.inputs)
    y = build.MaxUnpool(
        source.value,
        Value(maxima.node, 1, node.outputs[1]),
        build.Shape(origin),
        kernel_shape=node.attributes["kernel_shape"],
        strides=node.attributes["strides"],
        pads=_positive(window_of(node.attributes), maxima),
    )
    return as_before(build, y, source)


def _max_pool(build: LayerBuilder, label: str) -> Layer:
    """The max-pool that a label names."""
    found = build.look_up(label)
    if found is None:
        pools = [path for path, other in build.graph.layers.items() if other.kind == "POOL"]
        near = did_you_mean(label, pools)
        raise build.fail("E101", f"finds no layer `{label}`", at="pool", help=near)
    if found.kind != "POOL" or found.arguments["mode"] != "max":
        kind = f"{found.kind}({found.arguments['mode']})" if found.kind == "POOL" else found.kind
        help = f"give `{label}` the mode `max`" if found.kind == "POOL" else "name a `MAXPOOL`"
        message = f"undoes a max-pool, but `{label}` is {kind}"
        raise build.fail("E103", message, at="pool", help=help)
    return found


def _maxima(graph: Graph, pooled: Layer) -> Value:
    """The first output of a layer's `MaxPool`, which a sequence transposes."""
    (value,) = pooled.outputs
    while graph.producer(value).op_type != "MaxPool":
        (value,) = present(graph.producer(value).inputs)
    return value


def _positive(window: Window, pooled: Value) -> tuple[int, ...]:
    """The pool's pads, as far as they leave an element of the smallest extents that fit.

    onnxruntime refuses others, although the output's shape is given.
    """
    after = tuple(
        min(a, (n - 1) * s + k - b - 1) if isinstance(n, int) else a
        for n, s, k, b, a in zip(
            pooled.shape[2:],
            window.strides,
            window.kernel,
            window.before,
            window.after,
            strict=True,
        )
    )
    return window.before + after


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
