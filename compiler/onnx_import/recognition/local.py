"""Locally connected layers: products of each window's elements with weights of its own."""

from math import prod
from typing import Any

import numpy as np

from ...ir.graph import Value
from .convolutions import window_arguments
from .movements import Places, extents, moved
from .trail import Match, NoMatch, Trail, Weight, rule, with_channels_on


@rule("Add", "Reshape")
def locally_connected(trail: Trail) -> Match:
    """`LOCAL`: what each window sees follows from where its elements come from."""
    y, bias = Value(trail.last, 0, trail.node.outputs[0]), None
    if trail.node.op_type == "Add":
        a, b = trail.arguments(trail.node, 2)
        y, bias = (a, b) if trail.is_learned(b) else (b, a)
    result = moved(trail, y)
    node = trail.back(result.source, "MatMul")
    weights, patches = trail.arguments(node, 2)
    held = trail.weight(weights).value
    rank = (held.type.rank - 2) // 2
    shape = held.type.extents
    positions, filters, kernel = shape[:rank], shape[rank], shape[rank + 2 :]
    trail.need(held.type.rank == 2 * rank + 2 and weights.type.rank == patches.type.rank == 4)
    seen = moved(trail, patches, with_borders=True)
    x, groups = seen.source, extents(patches.shape)[1]
    trail.need(x.type.rank == rank + 2 and seen.factor == result.factor == 1)
    places = seen.places[..., 0].reshape(*positions, groups, shape[rank + 1], *kernel)
    channel, geometry = _geometry(x, places, rank)
    size = tuple(e for i, e in enumerate(extents(x.shape)) if i not in (0, channel))
    natural = np.arange(result.places.size).reshape(prod(positions), filters, -1)
    order = natural.transpose(2, 1, 0).reshape(-1, filters, *positions)
    trail.need(result.places.shape == order.shape and (result.places == order).all())
    strides, dilations, before = geometry
    axes = zip(positions, strides, dilations, kernel, size, before, strict=True)
    after = tuple(_after(*axis) for axis in axes)
    arguments = window_arguments(kernel, strides, dilations, (before, after))
    arguments |= {"filters": filters} | ({"groups": groups} if groups > 1 else {})
    taken: dict[str, Weight] = {"weight": Weight(held)}
    if bias is None:
        arguments["bias"] = False
    else:
        trail.need(bias.shape == y.shape[1:])
        taken["bias"] = trail.weight(bias)
    layout, result_layout = with_channels_on(rank + 2, channel), with_channels_on(rank + 2, 1)
    return Match("LOCAL", (x,), arguments, taken, layout, result=result_layout)


def _geometry(x: Value, places: Places, rank: int) -> "tuple[int, Geometry]":
    """The axis of channels, and how windows see a tensor of which these are the places."""
    whole, positions, kernel = extents(x.shape), places.shape[:rank], places.shape[rank + 2 :]
    for channel in (1, rank + 1):
        first = np.moveaxis(np.arange(prod(whole)).reshape(whole), channel, 1)
        order = np.append(np.argsort(first, axis=None), -1)  # of borders, too, whose place is -1
        turned = order[places]
        found = _window(turned, first.shape, positions, kernel)
        channels = places.shape[rank] * places.shape[rank + 1]
        if found is None or whole[channel] != channels:
            continue
        if (_seen(found, first.shape, places.shape) == turned).all():
            return channel, found
    raise NoMatch


def _after(count: int, stride: int, dilation: int, width: int, extent: int, before: int) -> int:
    """The border behind an axis: that of `same` where it makes no difference."""
    total = dilation * (width - 1)
    if before == total // 2 and (extent - 1) // stride + 1 == count:
        return total - before
    return max((count - 1) * stride + total + 1 - extent - before, 0)


Geometry = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _window(
    places: Places, shape: tuple[int, ...], positions: tuple[int, ...], kernel: tuple[int, ...]
) -> Geometry | None:
    """Strides, dilations and the padding before, if windows have any; None where none sees."""
    rank = len(kernel)
    found: list[tuple[int, int, int]] = []
    for axis in range(rank):
        # Along one axis a window and a tap determine the place, where any element is no border.
        others = [i for i in range(places.ndim) if i not in (axis, rank + 2 + axis)]
        place = places.max(axis=tuple(others)).reshape(positions[axis], kernel[axis])
        at = np.where(place < 0, -1, np.unravel_index(np.maximum(place, 0), shape)[2 + axis])
        if (at < 0).all():
            return None
        stride, dilation = _step(at), _step(at.T)
        row, tap = np.argwhere(at >= 0)[0]
        found.append((stride, dilation, int(row * stride + tap * dilation - at[row, tap])))
    strides, dilations, before = zip(*found, strict=True)
    return strides, dilations, before


def _step(at: Any) -> int:
    """By how much places differ from row to row; 1 where there are no two rows."""
    both = (at[1:] >= 0) & (at[:-1] >= 0)
    steps = (at[1:] - at[:-1])[both]
    return int(steps[0]) if steps.size else 1


def _seen(geometry: Geometry, shape: tuple[int, ...], wanted: tuple[int, ...]) -> Places:
    """What windows of a geometry see of a tensor (N, C, *S), -1 where it is a border."""
    strides, dilations, before = geometry
    rank = len(strides)
    positions, (groups, channels), kernel = (
        wanted[:rank],
        wanted[rank : rank + 2],
        wanted[rank + 2 :],
    )
    total = np.arange(groups * channels).reshape(groups, channels, *(1,) * rank) * prod(shape[2:])
    total = np.broadcast_to(total, wanted).copy()
    inside = np.ones(wanted, bool)
    for axis in range(rank):
        at = np.arange(positions[axis])[:, None] * strides[axis] - before[axis]
        at = at + np.arange(kernel[axis])[None] * dilations[axis]
        spread = [1] * len(wanted)
        spread[axis], spread[rank + 2 + axis] = at.shape
        at = at.reshape(spread)
        inside &= (at >= 0) & (at < shape[2 + axis])
        total += at * prod(shape[3 + axis :])
    return np.where(inside, total, -1)
