"""The locally connected layer: a convolution whose every position has its own weights."""

from math import prod
from typing import NamedTuple

from ..expressions.arguments import Flag, Initializer, Numbers, Padding, PerAxis, Positive
from ..ir.graph import Value
from ..ir.initializers import AUTO
from ..ir.windows import Window
from .convolution import check_groups
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import as_before, channels_first, window_on

MAX_SLICES = 4096


@layer("LOCAL", size="kernel", counts="filters")
def locally_connected(
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
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Convolution without weight sharing (LeCun 1989; ONNX `MatMul` on slices).

    `weight[i, j]` is the weight (filters, channels / groups, *kernel) of the convolution at row i
    and column j of the output: in all (*positions, filters, channels / groups, *kernel). The bias
    is (filters, *positions), as the output.
    """
    source = channels_first(build, x)
    window = window_on(
        build, source.value, kernel=kernel, stride=stride, pad=pad, dilation=dilation
    )
    channels, *extents = build.concrete(source.value, range(1, source.value.type.rank))
    check_groups(build, groups, channels=channels, filters=filters)
    positions = tuple(n for n in window.output(extents) if isinstance(n, int))
    taps = channels // groups * prod(window.kernel)
    seen = _patches(build, source.value, window, groups, taps)
    w = build.weight(
        (*positions, filters, channels // groups, *window.kernel),
        init=init,
        literal=weight,
        fans=(taps, filters * prod(window.kernel)),
    )
    b = build.bias((filters, *positions), literal=bias_value) if bias else None
    shape = build.index_constant((prod(positions), groups, filters // groups, taps))
    y = build.MatMul(build.Reshape(w, shape), seen)
    y = build.Transpose(y, perm=(3, 1, 2, 0))
    y = build.Reshape(y, build.index_constant((0, filters, *positions)))
    return as_before(build, y if b is None else build.Add(y, b), source)


def _patches(build: LayerBuilder, x: Value, window: Window, groups: int, taps: int) -> Value:
    """What each window sees, (positions, groups, taps of one group, N)."""
    if any(window.pads):
        pads = (0, 0, *window.before, 0, 0, *window.after)
        x = build.Pad(x, build.index_constant(pads))
    cuts = []
    for axis, extent in enumerate(x.shape[2:]):
        assert isinstance(extent, int)
        cuts.append(_cut(build, window, axis, extent))
    for axis, cut in enumerate(cuts, start=2):
        pieces = [_sliced(build, x, axis, *piece) for piece in cut.pieces]
        x = build.op("Concat", pieces, {"axis": axis})[0] if len(pieces) > 1 else pieces[0]
    folds = [extent for cut in cuts for extent in cut.extents]
    channels = x.shape[1]
    x = build.Reshape(x, build.index_constant((0, channels, *folds)))
    kernel = [2 + 2 * i + (not cut.taps_first) for i, cut in enumerate(cuts)]
    places = [2 + 2 * i + cut.taps_first for i, cut in enumerate(cuts)]
    x = build.Transpose(x, perm=(*places, 1, *kernel, 0))
    positions = prod(cut.extents[cut.taps_first] for cut in cuts)
    return build.Reshape(x, build.index_constant((positions, groups, taps, -1)))


class _Cut(NamedTuple):
    """The slices of one axis whose concatenation holds every window.

    Attributes:
        pieces: Start, step and count of each slice.
        taps_first: Whether a slice holds one tap of all windows, or else all taps of windows.
        extents: The two axes that the concatenation consists of.
    """

    pieces: list[tuple[int, int, int]]
    taps_first: bool
    extents: tuple[int, int]


def _cut(build: LayerBuilder, window: Window, axis: int, extent: int) -> _Cut:
    """The fewest slices: one for windows side by side, else one per tap or one per window."""
    kernel, stride, step = window.kernel[axis], window.strides[axis], window.dilations[axis]
    count = (extent - window.reach[axis]) // stride + 1
    if kernel == 1:
        return _Cut([(0, stride, count)], True, (1, count))
    if stride == kernel and step == 1:
        return _Cut([(0, 1, count * kernel)], False, (count, kernel))
    if min(kernel, count) > MAX_SLICES:
        raise build.fail(
            "E404",
            f"would cut its input into {min(kernel, count):_} slices, but the limit is "
            f"{MAX_SLICES:_}",
            at="kernel",
        )
    if kernel <= count:
        pieces = [(tap * step, stride, count) for tap in range(kernel)]
        return _Cut(pieces, True, (kernel, count))
    pieces = [(place * stride, step, kernel) for place in range(count)]
    return _Cut(pieces, False, (count, kernel))


def _sliced(build: LayerBuilder, x: Value, axis: int, start: int, step: int, count: int) -> Value:
    """`count` elements of an axis, `step` apart; the whole axis is taken as it is."""
    if (start, step, count) == (0, 1, x.shape[axis]):
        return x
    stop = start + step * (count - 1) + 1
    bounds = [build.index_constant((number,)) for number in (start, stop, axis, step)]
    return build.Slice(x, *bounds)
