"""Layers that move elements."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from ...expressions.arguments import Word
from ...ir.dim import Dim
from ...ir.graph import Node, Value
from ...layers.resampling import RESIZE, resize_attributes
from .movements import extents, moved
from .trail import SHAPING, Match, NoMatch, Trail, identity, rule, with_channels_on


@rule("Flatten", "Reshape", "Squeeze")
def flatten(trail: Trail) -> Match:
    """`FLATTEN`."""
    x, y = trail.argument(trail.node, 0), trail.node.outputs[0]
    trail.need(y.rank == 2 and x.type.rank > 2 and x.shape[0] == y.shape[0] and x.dtype.is_float)
    rank = x.type.rank
    pixel = Match("FLATTEN", (x,), layout=with_channels_on(rank, rank - 1))
    others = (pixel,) if set(x.shape[1:-1]) == {1} else ()  # its channels may come last, too
    return Match("FLATTEN", (x,), layout=identity(rank), others=others)


@rule(*SHAPING)
def reshape(trail: Trail) -> Match:
    """`RESHAPE`: channels come first in the model's tensors, or last in both."""
    x, y = trail.argument(trail.node, 0), trail.node.outputs[0]
    r, q = x.type.rank, y.rank
    trail.need(2 <= r <= 5 and 3 <= q <= 5 and x.shape[0] == y.shape[0])
    trail.need(x.type != y and all(isinstance(extent, int) for extent in y.shape[1:]))
    last = with_channels_on(q, q - 1)
    channels_last = Match(
        "RESHAPE", (x,), {"size": y.shape[1:]}, layout=with_channels_on(r, r - 1), result=last
    )
    if r == 2 and q > 3 and set(y.shape[1:-1]) == {1}:
        return channels_last
    into, out = r == 3 and q > 3, r > 3 and q == 3
    if (into or out) and x.shape[1] != y.shape[1]:
        return channels_last  # only positions that stay may have their channels in front
    inside = (*y.shape[2:], y.shape[1]) if q > 3 or out else y.shape[1:]
    return Match(
        "RESHAPE",
        (x,),
        {"size": inside},
        layout=with_channels_on(3, 1) if into else identity(r),
        result=with_channels_on(3, 1) if out else identity(q),
        others=(channels_last,) if into or out or (r > 2 and x.shape[-1] == y.shape[-1]) else (),
    )


@rule("Dropout")
def dropout(trail: Trail) -> Match:
    """`DROPOUT`."""
    trail.need_one_output()
    return Match(
        "DROPOUT", (trail.argument(trail.node, 0),), {"rate": dropout_rate(trail, trail.node)}
    )


def dropout_rate(trail: Trail, node: Node) -> float:
    """The share of elements that a `Dropout` drops in training."""
    given = node.optional(1)
    ratio = 0.5 if given is None else trail.number(given)
    trail.need(0 < ratio < 1)
    return float(f"{ratio:.7g}")


@rule("Split")
def split(trail: Trail) -> Match:
    """`SPLIT` into equal parts."""
    node = trail.node
    x = trail.argument(node, 0)
    axis = node.attributes["axis"] % x.type.rank
    extents = {type.shape[axis] for type in node.outputs}
    trail.need(len(extents) == 1 and len(node.outputs) > 1)
    return Match("SPLIT", (x,), {"parts": len(node.outputs)}, axis=axis)


@rule("Slice")
def slice_(trail: Trail) -> Match:
    """`SLICE` along one axis."""
    node = trail.node
    x, starts, ends = trail.arguments(node, 3)
    given = [node.inputs[p] if p < len(node.inputs) else None for p in (3, 4)]
    (start,), (stop,) = _single(trail, starts), _single(trail, ends)
    axis = 0 if given[0] is None else _single(trail, given[0])[0]
    trail.need(given[1] is None or _single(trail, given[1]) == (1,))
    extent = x.shape[axis % x.type.rank]
    last: Any = "end" if stop >= 2**31 - 1 or stop == extent else stop
    arguments = {"start": start, "stop": Word(last) if last == "end" else last}
    return Match("SLICE", (x,), arguments, axis=axis % x.type.rank)


def _single(trail: Trail, value: Any) -> tuple[Any, ...]:
    numbers = trail.numbers(value)
    trail.need(len(numbers) == 1)
    return numbers


@rule("Gather")
def element(trail: Trail) -> Match:
    """`SLICE` of one element, which drops the axis."""
    node = trail.node
    x, index = trail.arguments(node, 2)
    trail.need(index.type.rank == 0 and not trail.is_stored(x))
    axis = node.attributes["axis"] % x.type.rank
    start = {"start": int(trail.number(index))}
    return Match("SLICE", (x,), start, axis=axis, dropped=(axis,))


@rule("Slice")
def crop(trail: Trail) -> Match:
    """`CROP`: what is cut off an image's borders."""
    node = trail.node
    x, *bounds = trail.arguments(node, 4)
    rank = x.type.rank
    starts, ends, axes = map(trail.numbers, bounds)
    given = node.optional(4)
    steps = (1,) if given is None else trail.numbers(given)
    trail.need(rank > 3 and len(axes) > 1 and set(steps) == {1} and x.dtype.is_float)
    before, after = [0] * (rank - 2), [0] * (rank - 2)
    first = min(axis % rank for axis in axes)  # 2, or 1 where channels come last
    trail.need(first in (1, 2))
    for start, end, axis in zip(starts, ends, axes, strict=True):
        extent, place = x.shape[axis], axis % rank - first
        trail.need(place < rank - 2)
        if end >= 0:
            trail.need(isinstance(extent, int) or end >= 2**31 - 1)
            end = 0 if end >= 2**31 - 1 else min(end - extent, 0)
        trail.need(start >= 0)
        before[place], after[place] = start, -end
    trail.need(any(before) or any(after))
    layout = with_channels_on(rank, 1 if first == 2 else rank - 1)
    return Match("CROP", (x,), {"margin": (tuple(before), tuple(after))}, layout=layout)


@rule("Pad")
def pad(trail: Trail) -> Match:
    """`PAD` around an image, or along one axis."""
    node = trail.node
    x, pads = trail.arguments(node, 2)
    value, given = (node.inputs[p] if p < len(node.inputs) else None for p in (2, 3))
    rank, numbers, mode = x.type.rank, trail.numbers(pads), node.attributes["mode"]
    axes = range(rank) if given is None else [axis % rank for axis in trail.numbers(given)]
    half = len(numbers) // 2
    before, after = ([0] * rank, [0] * rank)
    for place, axis in enumerate(axes):
        before[axis], after[axis] = numbers[place], numbers[half + place]
    trail.need(min(numbers) >= 0 and mode in ("constant", "reflect", "edge"))
    found: dict[str, Any] = {} if mode == "constant" else {"mode": mode}
    if value is not None and mode == "constant" and (number := trail.number(value)):
        found["value"] = number
    padded = [axis for axis in range(rank) if before[axis] or after[axis]]
    if len(padded) == 1:
        (axis,) = padded
        return Match("PAD", (x,), {"pad": (before[axis], after[axis]), **found}, axis=axis)
    trail.need(padded and padded[0] > 1 and rank > 3)
    sides = tuple(before[2:]), tuple(after[2:])
    return Match("PAD", (x,), {"pad": sides, **found}, layout=identity(rank))


@rule("DepthToSpace")
def pixel_shuffle(trail: Trail) -> Match:
    """`PIXELSHUFFLE`, in PyTorch's order."""
    node = trail.node
    trail.need(node.attributes["mode"] == "CRD")
    x = trail.argument(node, 0)
    return Match("PIXELSHUFFLE", (x,), {"factor": node.attributes["blocksize"]}, layout=identity(4))


@rule("Resize")
def upsample(trail: Trail) -> Match:
    """`UPSAMPLE` by whole factors."""
    node, attributes = trail.node, trail.node.attributes
    x = trail.argument(node, 0)
    rank = x.type.rank
    factors = []
    for before, after in zip(x.shape[2:], node.outputs[0].shape[2:], strict=True):
        factors.append(_factor(before, after))
    trail.need(rank > 2 and node.outputs[0].shape[:2] == x.shape[:2] and max(factors) > 1)
    mode = attributes["mode"]
    place = attributes["coordinate_transformation_mode"]
    if mode == "nearest":
        trail.need((place, attributes["nearest_mode"]) in NEAREST)
    else:
        trail.need(mode == "linear" and place in ("half_pixel", "pytorch_half_pixel"))
    found = {"factor": _of_axes(factors)} | ({} if mode == "nearest" else {"mode": "bilinear"})
    return Match("UPSAMPLE", (x,), found, layout=with_channels_on(rank, 1))


@rule("Resize")
def resize(trail: Trail) -> Match:
    """`RESIZE` to a size, or by factors, in all ways that it interpolates."""
    node, held = trail.node, trail.node.attributes
    x, y = trail.argument(node, 0), node.outputs[0]
    rank = x.type.rank
    axes = [axis % rank for axis in held.get("axes") or range(rank)]
    trail.need(2 < rank < 6 and y.shape[:2] == x.shape[:2])
    trail.need(held["keep_aspect_ratio_policy"] == "stretch" and set(range(2, rank)) <= {*axes})
    scales = node.optional(2)
    found: dict[str, Any]
    if scales is None or not scales.type.size:
        trail.need(all(isinstance(extent, int) for extent in y.shape[2:]))
        found = {"size": _of_axes(y.shape[2:])}
    else:
        factors = dict(zip(axes, trail.numbers(scales), strict=True))
        shortest = [float(str(np.float32(factors[axis]))) for axis in range(2, rank)]
        found = {"factor": _of_axes(shortest)}
    # PyTorch's half pixels differ where one element comes out; else they are ONNX's.
    if held["coordinate_transformation_mode"] == "pytorch_half_pixel" and 1 not in y.shape[2:]:
        held = {**held, "coordinate_transformation_mode": "half_pixel"}
    for kind, align, antialias in product(RESIZE, (False, True), (False, True)):
        wanted = {"antialias": 0, "exclude_outside": 0, **resize_attributes(kind, align, antialias)}
        if all(held[name] == setting for name, setting in wanted.items()):
            found |= {} if kind == "nearest" else {"mode": f"bi{kind}"}
            found |= {"align": True} if align else {}
            found |= {"antialias": True} if antialias else {}
            return Match("RESIZE", (x,), found, layout=with_channels_on(rank, 1))
    raise NoMatch


def _of_axes(values: Sequence[Any]) -> Any:
    """An argument that is one value, or one per axis where they differ."""
    return values[0] if len(set(values)) == 1 else tuple(values)


@rule("Reshape")
def repeated(trail: Trail) -> Match:
    """`UPSAMPLE` by repeating each row and column, as Keras writes it."""
    y = Value(trail.last, 0, trail.node.outputs[0])
    trail.need(y.type.rank == 4)
    found = moved(trail, y)
    x = found.source
    trail.need(x.type.rank == 4 and found.factor == 1 and found.places.size)
    natural = np.arange(int(np.prod(extents(x.shape)))).reshape(extents(x.shape))
    for taken, given in product((1, 3), repeat=2):
        before, after = np.moveaxis(natural, taken, 3), np.moveaxis(found.places, given, 3)
        sizes = zip(before.shape[1:3], after.shape[1:3], strict=True)
        factor = tuple(after // before for before, after in sizes)
        if max(factor) < 2 or before.size * factor[0] * factor[1] != after.size:
            continue
        again = before.repeat(factor[0], 1).repeat(factor[1], 2)
        if again.shape == after.shape and (again == after).all():
            layouts = with_channels_on(4, taken), with_channels_on(4, given)
            arguments = {"factor": _of_axes(factor)}
            return Match("UPSAMPLE", (x,), arguments, layout=layouts[0], result=layouts[1])
    raise NoMatch


def _factor(before: Dim, after: Dim) -> int:
    """How often an extent is in another."""
    if not isinstance(before, int) or not isinstance(after, int) or after % before:
        raise NoMatch
    return after // before


# How positions are rounded where each element is repeated a whole number of times.
NEAREST = {
    ("asymmetric", "floor"),
    ("half_pixel", "round_prefer_floor"),
    ("half_pixel", "round_prefer_ceil"),
    ("half_pixel", "floor"),
    ("pytorch_half_pixel", "round_prefer_floor"),
}


@rule("Pow")
def square(trail: Trail) -> Match:
    """`SQUARE`."""
    x, power = trail.arguments(trail.node, 2)
    if trail.number(power) != 2:
        raise NoMatch
    return Match("SQUARE", (x,))


@rule("Reshape")
def channel_shuffle(trail: Trail) -> Match:
    """`CHANNELSHUFFLE`: channels as groups x rest, exchanged."""
    last = trail.node
    moved = trail.back(trail.argument(last, 0), "Transpose")
    grouped = trail.back(trail.argument(moved, 0), "Reshape")
    x = trail.argument(grouped, 0)
    trail.need(x.type == last.outputs[0] and moved.attributes["perm"][:3] == (0, 2, 1))
    trail.need(grouped.outputs[0].rank == x.type.rank + 1)
    groups, rest = grouped.outputs[0].shape[1:3]
    trail.need(moved.attributes["perm"][3:] == tuple(range(3, x.type.rank + 1)))
    trail.need(groups * rest == x.shape[1])
    return Match(
        "CHANNELSHUFFLE", (x,), {"groups": groups}, layout=with_channels_on(x.type.rank, 1)
    )
