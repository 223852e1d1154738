"""Layers that put elements around tensors, or cut the middle out of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..expressions.arguments import LabelName, PerAxis, Real, Sides
from ..ir.dim import Dim
from ..ir.graph import Value
from ..ir.types import DType, author_size
from ..ops.cuts import END
from .axes import AxisName, placed_axis, spatial_places, units
from .layer_builder import LayerBuilder
from .layerdef import layer
from .slicing import cut
from .spatial import describe, per_axis


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
    if not _holds(x.dtype, value):
        raise build.fail("E103", f"cannot add {value} to {x.dtype.value} numbers", at="value")
    return padded(build, x, amounts, mode=mode, value=value)


def _holds(dtype: DType, value: float) -> bool:
    """Whether a number is one of an element type; truth values take any whole number."""
    if dtype.is_float:
        return True
    least, most = dtype.range
    return value.is_integer() and (dtype is DType.BOOL or least <= value <= most)


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
            f"cannot reflect {amount} {units(x, place)} of {author_size(x.type)}",
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
    given = build.only_given(size=size, like=like, margin=margin)
    if margin is not None:
        cuts = _both_sides(build, margin, axes, None, "margin")
    else:
        wanted = (
            _extents_like(build, x, like) if like else per_axis(build, size or 1, "size", len(axes))
        )
        cuts = [_halves(build, x, axis, e, given) for axis, e in zip(axes, wanted, strict=True)]
    for axis, (before, after) in zip(axes, cuts, strict=True):
        extent = x.shape[axis]
        if isinstance(extent, int) and before + after >= extent:
            message = f"cannot cut {before} and {after} of the {units(x, axis)} of {describe(x)}"
            raise build.fail("E103", message, at="margin", help=f"cut at most {extent - 1}")
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
        message = f"cannot compute how far {author_size(x.type)} exceeds {wanted}"
        raise build.fail("E201", message, at=at)
    if surplus < 0:
        unit = units(x, axis)
        raise build.fail("E103", f"cannot cut {describe(x)} to {wanted} {unit}", at=at)
    return surplus // 2, surplus - surplus // 2


def _cut_axes(build: LayerBuilder, x: Value, axis: int | str | None) -> list[int]:
    """Where the axes lie that a layer cuts or pads: the one named, or the spatial ones."""
    if axis is not None:
        return [placed_axis(build, x, axis)]
    spatial = spatial_places(x)
    if not spatial or not x.dtype.is_float:
        raise build.fail(
            "E201", f"needs a sequence, an image or a volume, but its input is {describe(x)}"
        )
    return spatial


def _both_sides(
    build: LayerBuilder, sides: Any, axes: Sequence[int], axis: int | str | None, name: str
) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    if axis is not None:
        pair = (sides, sides) if isinstance(sides, int) else sides
        if len(pair) != 2 or not all(isinstance(side, int) for side in pair):
            message = "takes an integer for one axis, or two: before and after"
            raise build.fail("E103", message, at=name, help=f"write `{name}=(0, 1)`")
        return [pair]
    whole = isinstance(sides, int) or isinstance(sides[0], int)
    before, after = (
        per_axis(build, side, name, len(axes)) for side in ((sides, sides) if whole else sides)
    )
    return list(zip(before, after, strict=True))
