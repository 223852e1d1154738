"""Layers that make tensors smaller or larger along their axes, split them, or roll them around."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from ..arguments import (
    Integer,
    Integers,
    Kind,
    LabelName,
    Mismatch,
    PerAxis,
    Positive,
    Real,
    Sides,
    Word,
)
from ..dim import Dim
from ..graph import Value
from ..layer_builder import LayerBuilder
from ..layerdef import layer
from ..ops.indexing import END
from ..types import author_size
from .axes import AxisName, AxisNames, arranged, axis_names, axis_places, placed_axis
from .spatial import counted, describe, per_axis

MAX_PARTS = 10_000


def _stop(value: Any) -> int:
    """An integer, or the word `end`."""
    if isinstance(value, Word) and value == "end":
        return END
    if isinstance(value, bool) or not isinstance(value, int):
        raise Mismatch
    return value


Stop = Annotated[int, Kind("an integer or `end`", _stop, ("end",))]


@layer("PAD", size="pad", counts="pad", choice="mode")
def pad_(
    build: LayerBuilder,
    x: Value,
    *,
    pad: Sides,
    mode: Literal["constant", "reflect", "edge"] = "constant",
    value: Real = 0.0,
    axis: AxisName | None = None,
) -> Value:
    """Adds rows and columns around an image, or to one axis (ONNX `Pad`).

    `pad` is an integer for all sides, a size, or a pair of sizes (before, after). With `axis`, it
    is an integer or a pair of them, (before, after). `constant` adds `value`, `reflect`
    mirrors at the border's elements, `edge` repeats them.
    """
    axes = _cut_axes(build, x, axis)
    amounts = dict(zip(axes, _both_sides(build, pad, axes, axis, "pad"), strict=True))
    for place, (before, after) in amounts.items():
        _check_mirror(build, x, place, max(before, after), mode)
    if not x.dtype.is_float and not value.is_integer():
        raise build.fail("E103", f"cannot add {value} to {x.dtype.value} numbers", at="value")
    return padded(build, x, amounts, mode=mode, value=value)


def padded(
    build: LayerBuilder,
    x: Value,
    amounts: Mapping[int, tuple[int, int]],
    *,
    mode: str = "constant",
    value: float = 0.0,
) -> Value:
    """`x` with elements added (before, after) along axes of the tensor."""
    if not any(map(any, amounts.values())):
        return x
    sides = [amounts.get(axis, (0, 0)) for axis in range(x.type.rank)]
    pads = build.index_constant(tuple(b for b, _ in sides) + tuple(a for _, a in sides))
    number = value if x.dtype.is_float else int(value)
    filling = build.constant(number, x.dtype) if mode == "constant" else None
    return build.Pad(x, pads, filling, mode=mode)


def _check_mirror(build: LayerBuilder, x: Value, place: int, amount: int, mode: str) -> None:
    """`reflect` needs an element beside the border for each that it adds."""
    extent = x.shape[place]
    if mode == "reflect" and isinstance(extent, int) and amount >= extent:
        raise build.fail(
            "E103",
            f"cannot reflect {amount} {_unit(x, place)} of {author_size(x.type)}",
            at="pad",
            help=f"reflect at most {extent - 1}",
        )


@layer("CROP", size="size", counts="size", choice="like")
def crop(
    build: LayerBuilder,
    x: Value,
    *,
    size: PerAxis | None = None,
    like: LabelName | None = None,
    margin: Sides | None = None,
) -> Value:
    """Cuts the middle out of an image, a volume or a sequence (ONNX `Slice`).

    To a `size` of its spatial axes, to that of the tensor that a label names, or by as much as
    `margin` says: an integer, a size, or a pair of sizes (before, after). Of an odd difference
    the larger half is cut at the end.
    """
    axes = _cut_axes(build, x, None)
    given = [
        name for name, a in (("size", size), ("like", like), ("margin", margin)) if a is not None
    ]
    if len(given) != 1:
        message = f"takes one of `size`, `like` and `margin`, not {' and '.join(given) or 'none'}"
        raise build.fail("E106" if given else "E105", message, at=given[-1] if given else None)
    if margin is not None:
        cuts = _both_sides(build, margin, axes, None, "margin")
    else:
        wanted = (
            _extents_like(build, x, like) if like else per_axis(build, size or 1, "size", len(axes))
        )
        cuts = [_halves(build, x, axis, e, given[0]) for axis, e in zip(axes, wanted, strict=True)]
    for axis, (before, after) in zip(axes, cuts, strict=True):
        extent = x.shape[axis]
        if isinstance(extent, int) and before + after >= extent:
            message = f"cannot cut {before} and {after} of the {_unit(x, axis)} of {describe(x)}"
            raise build.fail("E103", message, at="margin", help=f"cut at most {extent - 1} in all")
    return cut(build, x, {a: (b, -e if e else END) for a, (b, e) in zip(axes, cuts, strict=True)})


def _extents_like(build: LayerBuilder, x: Value, label: str) -> tuple[Dim, ...]:
    """The spatial extents of the tensor that a label names."""
    found = build.find(label)
    if found is None:
        raise build.fail("E101", f"finds no value `{label}`", at="like")
    if found.type.rank != x.type.rank:
        message = f"cannot cut {describe(x)} to the size of `{label}`, {describe(found)}"
        raise build.fail("E201", message, at="like")
    return tuple(found.shape[axis] for axis in _cut_axes(build, x, None))


def _halves(build: LayerBuilder, x: Value, axis: int, wanted: Dim, at: str) -> tuple[int, int]:
    """What to cut before and after to leave the middle."""
    surplus = x.shape[axis] - wanted
    if not isinstance(surplus, int):
        message = f"cannot tell how much of {author_size(x.type)} is more than {wanted}"
        raise build.fail("E201", message, at=at)
    if surplus < 0:
        unit = _unit(x, axis)
        raise build.fail("E103", f"cannot cut {describe(x)} to {wanted} {unit}", at=at)
    return surplus // 2, surplus - surplus // 2


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
    extent = x.shape[place]
    if isinstance(extent, int):
        _check_range(build, x, place, start, stop)
    return cut(build, x, {place: (start, stop)})


def _check_index(build: LayerBuilder, x: Value, place: int, index: int) -> None:
    extent = x.shape[place]
    if isinstance(extent, int) and not -extent <= index < extent:
        raise build.fail(
            "E103",
            f"finds no index {index} among {extent} {_unit(x, place)}",
            at="start",
            help=f"indices are {-extent} to {extent - 1}",
        )


def _check_range(build: LayerBuilder, x: Value, place: int, start: int, stop: int) -> None:
    """Both ends lie within the axis, and something lies between them."""
    (extent,) = build.concrete(x, (place,))
    _check_index(build, x, place, start)
    if stop != END and not -extent <= stop <= extent:
        raise build.fail(
            "E103",
            f"cannot stop at {stop} among {extent} {_unit(x, place)}",
            at="stop",
            help=f"`stop` is {-extent} to {extent}, or `end`",
        )
    if not range(*slice(start, stop).indices(extent)):
        message = f"takes nothing from {start} to {stop} of {extent} {_unit(x, place)}"
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
        message = f"cannot split {extent} {_unit(x, place)} into {parts} equal parts"
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
        axes = [placed_axis(build, x, "channels")] if x.type.rank == 2 else _spatial(x)
    else:
        axes = [placed_axis(build, x, name) for name in axis]
    shifts = (shift,) * len(axes) if isinstance(shift, int) else shift
    if len(set(axes)) < len(axes):
        raise build.fail("E103", "gets an axis twice", at="axis")
    if len(shifts) != len(axes):
        numbers, ways = counted(len(shifts), "number"), "axis" if len(axes) == 1 else "axes"
        raise build.fail("E103", f"gets {numbers} for {len(axes)} {ways}", at="shift")
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


def _cut_axes(build: LayerBuilder, x: Value, axis: int | str | None) -> list[int]:
    """Where the axes lie that a layer cuts or pads: the one named, or the spatial ones."""
    if axis is not None:
        return [placed_axis(build, x, axis)]
    spatial = _spatial(x)
    if not spatial or not x.dtype.is_float:
        raise build.fail(
            "E201", f"needs a sequence, an image or a volume, but its input is {describe(x)}"
        )
    return spatial


def _spatial(x: Value) -> list[int]:
    return [
        place
        for place, name in zip(axis_places(x.type.rank), axis_names(x), strict=True)
        if name != "channels"
    ]


def _both_sides(
    build: LayerBuilder, sides: Any, axes: Sequence[int], axis: int | str | None, name: str
) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    if axis is not None:
        pair = (sides, sides) if isinstance(sides, int) else sides
        if len(pair) != 2 or not all(isinstance(side, int) for side in pair):
            message = "takes for one axis an integer or two, before and after"
            raise build.fail("E103", message, at=name, help=f"write `{name}=(0, 1)`")
        return [pair]
    whole = isinstance(sides, int) or isinstance(sides[0], int)
    before, after = (
        per_axis(build, side, name, len(axes)) for side in ((sides, sides) if whole else sides)
    )
    return list(zip(before, after, strict=True))


def _unit(x: Value, place: int) -> str:
    """What an axis counts: `rows`, `columns`, `channels`."""
    name = axis_names(x)[axis_places(x.type.rank).index(place)]
    return {
        "height": "rows",
        "width": "columns",
        "depth": "slices",
        "length": "positions",
    }.get(name, name or "elements")
