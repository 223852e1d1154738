"""`netc.ConvWeightGrad` as operators of ONNX: forms, and which of them takes onnxruntime least."""

from collections.abc import Callable
from itertools import product as combinations
from math import prod

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Graph, Value
from ..ir.windows import Window
from .cuts import END
from .indexing import cropped


@record
class Correlation:
    """What a weight's gradient is made of.

    Attributes:
        build: Where to build.
        x: The data (N, C, *S).
        dy: The gradient (N, M, *O).
        window: The convolution's window.
        group: Its number of groups.
    """

    build: Builder
    x: Value
    dy: Value
    window: Window
    group: int

    @property
    def is_static(self) -> bool:
        """Whether all spatial extents are known."""
        return all(isinstance(extent, int) for extent in (*self.x.shape[2:], *self.dy.shape[2:]))

    @property
    def channels(self) -> int:
        """Of x, those that a filter sees."""
        return _integer(self.x.shape[1]) // self.group

    @property
    def filters(self) -> int:
        """The channels of dy."""
        return _integer(self.dy.shape[1])


def form_of(grad: Correlation) -> Value:
    """The gradient in the form that `chosen` chooses."""
    return chosen(grad)(grad)


def chosen(grad: Correlation) -> Callable[[Correlation], Value]:
    """The first form of the table that fits."""
    return next(build for fits, build in FORMS if fits(grad))


def gains_by_extents(graph: Graph) -> bool:
    """Whether a gradient of a graph has a better form where the number of samples is known."""
    grads = (node for _, node in graph.nodes() if node.op_type == "netc.ConvWeightGrad")
    return any(
        node.outputs[0].shape[1] == 1 and prod(node.attributes["kernel_shape"]) > 1
        for node in grads
        if node.attributes["group"] > 1
    )


def _sums_few(grad: Correlation) -> bool:
    """A kernel of 1: a sample's products are fewer than the numbers that they are made of.

    Nothing is transposed, which takes half as long as transposing both to make one product.
    """
    if prod(grad.window.kernel) > 1 or any(grad.window.pads) or not grad.is_static:
        return False
    positions = prod(map(_integer, grad.dy.shape[2:]))
    read = positions * (grad.filters + grad.channels * grad.group)
    return grad.filters * grad.channels <= read


def _is_depthwise(grad: Correlation) -> bool:
    """A channel each, of samples whose number is known.

    It takes 0.5 to 0.9 times as long as with samples as channels, where x is transposed.
    """
    return grad.is_static and grad.channels == 1 and isinstance(grad.x.shape[0], int)


def _is_wide(grad: Correlation) -> bool:
    """Any other kernel whose last axis is dilated little, as all of its positions are computed.

    The product of columns takes 1.3 times as long on sequences, and 2 to 4 times on 3x3 kernels.
    """
    window = grad.window
    most = (1.3 if window.rank == 1 else 2) * window.kernel[-1]
    return grad.is_static and prod(window.kernel) > 1 and window.reach[-1] <= most


def _always(grad: Correlation) -> bool:
    return True


def by_samples(grad: Correlation) -> Value:
    """For a kernel of 1, a matrix product for each sample, and their sum."""
    build, x, dy = grad.build, grad.x, grad.dy
    if set(grad.window.strides) != {1}:
        steps, extents = grad.window.strides, map(_integer, dy.shape[2:])
        ends = tuple((o - 1) * s + 1 for o, s in zip(extents, steps, strict=True))
        x = _cut(grad, x, ends, steps)
    positions = prod(map(_integer, dy.shape[2:]))
    left = (0, grad.group, grad.filters // grad.group, positions)
    right = (0, grad.group, grad.channels, positions)
    seen = build.Transpose(build.Reshape(x, build.index_constant(right)), perm=(0, 1, 3, 2))
    products = build.MatMul(build.Reshape(dy, build.index_constant(left)), seen)
    total = build.ReduceSum(products, build.index_constant((0,)), keepdims=0)
    shape = (grad.filters, grad.channels, *grad.window.kernel)
    return build.Reshape(total, build.index_constant(shape))


def by_channels(grad: Correlation) -> Value:
    """Convolve each channel of each sample of x with its dy, all as groups of one; sum samples."""
    build, window = grad.build, grad.window
    samples, extents = _integer(grad.x.shape[0]), tuple(map(_integer, grad.dy.shape[2:]))
    spatial = tuple(map(_integer, grad.x.shape[2:]))
    found = build.Conv(
        build.Reshape(grad.x, build.index_constant((1, samples * grad.group, *spatial))),
        build.Reshape(grad.dy, build.index_constant((samples * grad.filters, 1, *extents))),
        kernel_shape=extents,
        strides=window.dilations,
        dilations=window.strides,
        pads=pads_of(grad),
        group=samples * grad.group,
    )
    if found.shape[2:] != window.kernel:
        found = _cut(grad, found, window.kernel, (1,) * window.rank)
    rows = build.index_constant((samples, grad.filters, 1, *window.kernel))
    return build.ReduceSum(build.Reshape(found, rows), build.index_constant((0,)), keepdims=0)


def _cut(grad: Correlation, x: Value, ends: tuple[int, ...], steps: tuple[int, ...]) -> Value:
    """The start of each spatial axis, in steps."""
    rank = grad.window.rank
    cut = [(0,) * rank, ends, tuple(range(2, 2 + rank)), steps]
    return grad.build.Slice(x, *map(grad.build.index_constant, cut))


def by_convolution(grad: Correlation) -> Value:
    """Convolve x with dy, samples as channels, and strides and dilations exchanged.

    The last axis and x's channels are merged, so that all channels are neighbours and the copies
    within an engine's convolution are long. With the channels in the obvious place, that of
    samples, onnxruntime takes 5 to 8 times as long on 3x3 kernels.
    """
    build, window, channels = grad.build, grad.window, grad.channels
    rank = window.rank
    data = _merged(build, grad.x, grad.group, channels)
    swapped = (1, 0, *range(2, 2 + rank))
    pads = pads_of(grad)
    scale = (1,) * (rank - 1) + (channels,)
    found = build.Conv(
        data,
        build.Transpose(grad.dy, perm=swapped),
        kernel_shape=tuple(map(_integer, grad.dy.shape[2:])),
        strides=(*window.dilations[:-1], 1),
        dilations=tuple(s * c for s, c in zip(window.strides, scale, strict=True)),
        pads=tuple(p * c for p, c in zip(pads, scale * 2, strict=True)),
        group=grad.group,
    )
    return _unmerged(build, found, window, channels)


def _merged(build: Builder, x: Value, group: int, channels: int) -> Value:
    """x (N, group C, *S) as (1, group N, ..., S C)."""
    rank = len(x.shape) - 2
    if group == 1:
        last = build.Transpose(x, perm=(0, *range(2, 2 + rank), 1))
    else:
        spatial = tuple(_integer(extent) for extent in x.shape[2:])
        parts = build.Reshape(x, build.index_constant((0, group, channels, *spatial)))
        moved = build.Transpose(parts, perm=(1, 0, *range(3, 3 + rank), 2))
        last = build.Reshape(moved, build.index_constant((-1, *spatial, channels)))
    kept = (0,) * rank
    return build.Unsqueeze(
        build.Reshape(last, build.index_constant((*kept, -1))), build.index_constant((0,))
    )


def pads_of(grad: Correlation) -> tuple[int, ...]:
    """Befores, and afters such that dy just reaches from the first tap to the last."""
    window, extents = grad.window, map(_integer, grad.dy.shape[2:])
    spatial = map(_integer, grad.x.shape[2:])
    after = tuple(
        max(reach - 1 + (o - 1) * s + 1 - e - before, 0)
        for reach, o, s, e, before in zip(
            window.reach, extents, window.strides, spatial, window.before, strict=True
        )
    )
    return (*window.before, *after)


def _unmerged(build: Builder, found: Value, window: Window, channels: int) -> Value:
    """(1, M, ..., K C) with what is beyond the taps, and between them, left out => (M, C, *K)."""
    rank, filters = window.rank, _integer(found.shape[1])
    rows = tuple(_integer(extent) for extent in found.shape[2:-1])
    columns = _integer(found.shape[-1]) // channels
    split = build.Reshape(found, build.index_constant((filters, *rows, columns, channels)))
    steps = (1,) * (rank - 1) + window.dilations[-1:]
    if (*rows, columns) != window.kernel:
        ends = (*window.kernel[:-1], window.reach[-1])
        axes = tuple(range(1, 1 + rank))
        cut = [(0,) * rank, ends, axes, steps]
        split = build.Slice(split, *map(build.index_constant, cut))
    return build.Transpose(split, perm=(0, 1 + rank, *range(1, 1 + rank)))


def by_columns(grad: Correlation) -> Value:
    """A matrix product of dy and all that each tap sees, samples and positions in one line."""
    build, x, dy, window, group = grad.build, grad.x, grad.dy, grad.window, grad.group
    axes = tuple(range(2, 2 + window.rank))
    lines = build.Transpose(x, perm=(1, 0, *axes))
    if any(window.pads):
        sides = build.index_constant(window.pads)
        lines = build.Pad(lines, sides, None, build.index_constant(axes))
    columns: list[Value] = []
    for tap in combinations(*map(range, window.kernel)):
        start = tuple(k * d for k, d in zip(tap, window.dilations, strict=True))
        cut = [start, (END,) * window.rank, axes, window.strides]
        seen = build.Slice(lines, *map(build.index_constant, cut))
        columns.append(_rows(build, cropped(build, seen, dy, axes), group))
    (right,) = build.op("Concat", columns, {"axis": 1}) if len(columns) > 1 else columns
    left = _rows(build, build.Transpose(dy, perm=(1, 0, *axes)), group)
    product = build.MatMul(left, build.Transpose(right, perm=(0, 2, 1)))
    shape = (grad.filters, *window.kernel, grad.channels)
    split = build.Reshape(product, build.index_constant(shape))
    return build.Transpose(split, perm=(0, 1 + window.rank, *range(1, 1 + window.rank)))


def _rows(build: Builder, x: Value, group: int) -> Value:
    """x (group C, N, *S) as (group, C, N S)."""
    rows = build.Reshape(x, build.index_constant((0, -1)))
    channels = _integer(x.shape[0]) // group
    return build.Reshape(rows, build.index_constant((group, channels, -1)))


def _integer(extent: Dim) -> int:
    assert isinstance(extent, int)
    return extent


FORMS: tuple[tuple[Callable[[Correlation], bool], Callable[[Correlation], Value]], ...] = (
    (_sums_few, by_samples),
    (_is_depthwise, by_channels),
    (_is_wide, by_convolution),
    (_always, by_columns),
)
