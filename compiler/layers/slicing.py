"""Layers that take parts of tensors along their axes, or roll them around."""

from collections.abc import Mapping
from typing import Annotated, Any

from ..expressions.arguments import Integer, Integers, Kind, Mismatch, Positive, Word
from ..ir.graph import Value
from ..ops.cuts import END
from .axes import AxisName, AxisNames, arranged, axis_places, placed_axis, spatial_places, units
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import counted

MAX_PARTS = 10_000


def _stop(value: Any) -> int:
    """An integer, or the word `end`."""
    if isinstance(value, Word) and value == "end":
        return END
    if isinstance(value, bool) or not isinstance(value, int):
        raise Mismatch
    return value


Stop = Annotated[int, Kind("an integer or `end`", _stop, ("end",))]


@layer("SLICE", counts=("start", "stop"), choice="stop")
def slice_(
    build: LayerBuilder,
    x: Value,
    *,
    start: Integer,
    stop: Stop | None = None,
    axis: AxisName = "channels",
) -> Value:
    """The elements from `start` up to, but not, `stop` of one axis (ONNX `Slice`).

    Negative numbers count from the end, and `stop` may be the word `end`. Without `stop` it
    takes the one element and drops the axis.
    """
    place = placed_axis(build, x, axis)
    if stop is None:
        _check_index(build, x, place, start)
        one = cut(build, x, {place: (start, start + 1 if start != -1 else END)})
        return _without(build, one, place)
    _check_range(build, x, place, start, stop)
    return cut(build, x, {place: (start, stop)})


def _check_index(build: LayerBuilder, x: Value, place: int, index: int) -> None:
    extent = x.shape[place]
    if index == END and not isinstance(extent, int):
        raise build.fail("E404", f"has no index as large as {index}", at="start")
    if isinstance(extent, int) and not -extent <= index < extent:
        raise build.fail(
            "E103",
            f"has no index {index} among {extent} {units(x, place)}",
            at="start",
            help=f"indices are {-extent} to {extent - 1}",
        )


def _check_range(build: LayerBuilder, x: Value, place: int, start: int, stop: int) -> None:
    """Both ends lie within the axis, and something between them, as far as extents are known."""
    extent = x.shape[place]
    _check_index(build, x, place, start)
    if isinstance(extent, int):
        if stop != END and not -extent <= stop <= extent:
            raise build.fail(
                "E103",
                f"cannot stop at {stop} among {extent} {units(x, place)}",
                at="stop",
                help=f"`stop` is {-extent} to {extent}, or `end`",
            )
        empty = not range(*slice(start, stop).indices(extent))
    else:
        if start < 0 <= stop < END:
            build.concrete(x, (place,))
        empty = (start < 0) == (stop < 0) and stop <= start
    if empty:
        message = f"selects nothing from {start} to {stop} of {extent} {units(x, place)}"
        raise build.fail("E103", message, at="stop")


def _without(build: LayerBuilder, x: Value, place: int) -> Value:
    """`x` without an axis of extent 1, laid out as its new rank asks."""
    order = [axis for axis in axis_places(x.type.rank) if axis != place]
    y = build.Squeeze(x, build.index_constant((place,)))
    return arranged(build, y, [axis - (axis > place) for axis in order])


@layer("SPLIT", counts="parts")
def split(
    build: LayerBuilder, x: Value, *, parts: Positive, axis: AxisName = "channels"
) -> tuple[Value, ...]:
    """Equal parts of the channels, or of another axis, for as many branches (ONNX `Split`)."""
    place = placed_axis(build, x, axis)
    (extent,) = build.concrete(x, (place,))
    if extent % parts:
        message = f"cannot split {extent} {units(x, place)} into {parts} equal parts"
        raise build.fail("E204", message, at="parts")
    if parts > MAX_PARTS:
        raise build.fail("E404", f"makes at most {MAX_PARTS:_} parts, not {parts:_}", at="parts")
    return build.op("Split", (x,), {"axis": place, "num_outputs": parts}, outputs=parts)


@layer("ROLL", size="shift", counts="shift")
def roll(build: LayerBuilder, x: Value, *, shift: Integers, axis: AxisNames | None = None) -> Value:
    """Moves elements along axes, those that leave at one end coming back at the other.

    One number holds for all axes; a negative one moves towards the start. Without `axis` they
    are the spatial ones, or a vector's channels.
    """
    if axis is None:
        axes = [placed_axis(build, x, "channels")] if x.type.rank == 2 else spatial_places(x)
    else:
        axes = [placed_axis(build, x, name) for name in axis]
    shifts = (shift,) * len(axes) if isinstance(shift, int) else shift
    if len(set(axes)) < len(axes):
        raise build.fail("E103", "is given an axis twice", at="axis")
    if len(shifts) != len(axes):
        numbers, ways = counted(len(shifts), "number"), "axis" if len(axes) == 1 else "axes"
        raise build.fail("E103", f"is given {numbers} for {len(axes)} {ways}", at="shift")
    return rolled(build, x, dict(zip(axes, shifts, strict=True)))


def rolled(build: LayerBuilder, x: Value, shifts: Mapping[int, int]) -> Value:
    """`x` rolled along axes of the tensor: two slices that change places (ONNX `Concat`)."""
    for axis, shift in shifts.items():
        (extent,) = build.concrete(x, (axis,))
        tail = shift % extent
        if tail:
            parts = cut(build, x, {axis: (-tail, END)}), cut(build, x, {axis: (0, -tail)})
            x = build.Concat(*parts, axis=axis)
    return x


def cut(build: LayerBuilder, x: Value, bounds: Mapping[int, tuple[int, int]]) -> Value:
    """The elements from a start to an end along axes of the tensor."""
    axes = [axis for axis, whole in bounds.items() if whole != (0, END)]
    if not axes:
        return x
    starts, ends = (tuple(bounds[axis][i] for axis in axes) for i in (0, 1))
    return build.Slice(x, *map(build.index_constant, (starts, ends, tuple(axes))))
