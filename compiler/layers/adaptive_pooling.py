"""Pools whose windows follow from the output: global pools to a vector, and adaptive pools."""

from itertools import pairwise
from typing import Literal, NamedTuple

from ..expressions.arguments import PerAxis
from ..expressions.budget import MOST_ITEMS
from ..ir.graph import Value
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import as_before, channels_first, lying_along, per_axis

POOL_OPERATORS = {"avg": "AveragePool", "max": "MaxPool"}
ITEMS_PER_ROW = 4  # of a program's budget: a gathered row is an index, a weight, and copies
GLOBAL_POOLS = {"avg": "GlobalAveragePool", "max": "GlobalMaxPool"}


@layer("GAP")
def global_average_pool(build: LayerBuilder, x: Value) -> Value:
    """The mean of each channel, as a vector (ONNX `GlobalAveragePool`)."""
    return build.Flatten(build.GlobalAveragePool(channels_first(build, x).value))


@layer("GMP")
def global_max_pool(build: LayerBuilder, x: Value) -> Value:
    """The maximum of each channel, as a vector (ONNX `GlobalMaxPool`)."""
    return build.Flatten(build.GlobalMaxPool(channels_first(build, x).value))


class Bins(NamedTuple):
    """The windows of an adaptive pool along one axis, and the rows that they gather, if uneven."""

    kernel: int
    stride: int
    rows: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()


def bins_of(extent: int, count: int) -> Bins:
    """PyTorch's bins: bin i goes from floor(i extent / count) to ceil((i + 1) extent / count).

    Bins of one width at equal distances are a plain pool. Of others each bin's rows are gathered
    side by side, in a narrower bin the last row again, but with a weight of zero.
    """
    if extent % count == 0:
        return Bins(extent // count, extent // count)
    starts = [i * extent // count for i in range(count)]
    widths = [-(-(i + 1) * extent // count) - start for i, start in enumerate(starts)]
    widest = max(widths)
    steps = {b - a for a, b in pairwise(starts)}
    if len(steps) == 1 and min(widths) == widest and 0 not in steps:
        return Bins(widest, steps.pop())
    places = [(s, w, i) for s, w in zip(starts, widths, strict=True) for i in range(widest)]
    return Bins(
        widest,
        widest,
        tuple(start + min(i, width - 1) for start, width, i in places),
        tuple(widest / width if i < width else 0.0 for _, width, i in places),
    )


@layer("ADAPTIVEPOOL", size="size", counts="size", choice="mode")
def adaptive_pool(
    build: LayerBuilder, x: Value, *, size: PerAxis, mode: Literal["avg", "max"] = "avg"
) -> Value:
    """Pooling to an output of `size`, over PyTorch's bins, which may overlap and differ by one."""
    source = channels_first(build, x)
    value, rank = source.value, source.value.type.rank - 2
    sizes = per_axis(build, size, "size", rank)
    if set(sizes) == {1}:
        return as_before(build, build.op(GLOBAL_POOLS[mode], (value,))[0], source)
    bins = [
        _limited_bins(build, extent, count)
        for extent, count in zip(build.concrete(value, range(2, 2 + rank)), sizes, strict=True)
    ]
    for axis, along in enumerate(bins, 2):
        if along.rows:
            value = _gathered(build, value, axis, along, weighted=mode == "avg")
    windows = {
        "kernel_shape": tuple(along.kernel for along in bins),
        "strides": tuple(along.stride for along in bins),
    }
    return as_before(build, build.op(POOL_OPERATORS[mode], (value,), windows)[0], source)


def _limited_bins(build: LayerBuilder, extent: int, count: int) -> Bins:
    if extent % count and not build.budget.covers(ITEMS_PER_ROW * (extent + 2 * count)):
        message = f"cannot divide {extent} unevenly into {count}"
        limit = f"the limit of such rows in a program is {MOST_ITEMS // ITEMS_PER_ROW:_}"
        raise build.fail("E404", f"{message}: {limit}", at="size")
    return bins_of(extent, count)


def _gathered(build: LayerBuilder, x: Value, axis: int, bins: Bins, *, weighted: bool) -> Value:
    """The rows of all bins side by side, for the mean with each bin's weights."""
    rows = build.Gather(x, build.index_constant(bins.rows), axis=axis)
    if not weighted:
        return rows
    trailing = x.type.rank - 1 - axis
    return build.Mul(rows, build.constant(lying_along(bins.weights, trailing), x.dtype))
