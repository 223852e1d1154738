"""What one element of a tensor sees of the network's input, and how operators change that.

The arithmetic is that of Araujo, Norris and Sim, "Computing receptive fields of convolutional
neural networks" (Distill 2019): a window of K taps, dilation D and stride S makes of an extent r
and a jump j the extent r + D (K - 1) j and the jump S j. Padding counts as input.
Enlarging by S is a stride of 1 / S. A window across enlarged elements is then taken to lie where it
sees most of the input, although strides after it may step over that place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest
from math import ceil, gcd
from typing import NamedTuple

from ...grammar.records import record
from ..ir.dim import Dim, Polynomial
from ..ir.graph import Node
from ..ir.types import Shape, product
from ..ir.windows import window_of

FieldExtent = Dim | Fraction


class Slide(NamedTuple):
    """How a window slides: its reach and its stride, and how far before 0 the first one begins."""

    reach: int
    stride: int | Fraction
    before: int | Fraction = 0


@record
class Axis:
    """What a tensor's elements see along one spatial axis of the input.

    Attributes:
        extent: How many rows (columns, positions) of the input one element sees.
        whole: How many the input has.
        jump: By how many of them the windows of neighbours differ; None without `places`.
        places: The tensor's own axes along which neighbours lie; empty where none is left, as in
            a vector, which then stands for the whole input.
        start: Where the window of the first element begins, counted from the input's first row and
            below 0 in padding; None where all elements see everything. Pads and slices that are
            operators of their own do not move it.
    """

    extent: FieldExtent
    whole: Dim
    jump: int | Fraction | None = 1
    places: frozenset[int] = frozenset()
    start: int | Fraction | None = 0


Field = tuple[Axis, ...]
FieldRule = Callable[[Node, Sequence[Field]], Field]


def elementwise(node: Node, operands: Sequence[Field]) -> Field:
    """Elementwise: what any operand sees; operands of a lower rank align with the last axes."""
    rank = node.outputs[0].rank
    aligned = [
        shifted(field, rank - value.type.rank)
        for field, value in zip(operands, node.inputs, strict=True)
        if value is not None and field
    ]
    if len(aligned) == 1:
        return aligned[0]
    return tuple(merged(axes) for axes in zip_longest(*aligned))


def window(node: Node, operands: Sequence[Field]) -> Field:
    """A sliding window: r += D (K - 1) j, j *= S along the axes that it slides on."""
    taps = window_of(node.attributes)
    geometry = zip(taps.reach, taps.strides, taps.before, strict=True)
    slides = {axis: Slide(*each) for axis, each in enumerate(geometry, start=2)}
    return tuple(slid(axis, slides) for axis in operands[0])


def scatter(node: Node, operands: Sequence[Field]) -> Field:
    """A transposed window: an element sees the inputs whose taps reach it; j /= S.

    Of the taps that meet in one element, neighbours are lcm(S, D) apart in the output.
    """
    taps = window_of(node.attributes)
    slides: dict[int, Slide] = {}
    for axis, (k, s, d, before) in enumerate(
        zip(taps.kernel, taps.strides, taps.dilations, taps.before, strict=True), start=2
    ):
        meeting = (k - 1) // (s // gcd(s, d))
        reach = 1 + meeting * (d // gcd(s, d))
        slides[axis] = Slide(reach, Fraction(1, s), Fraction(d * (k - 1) - before, s))
    return tuple(slid(axis, slides) for axis in operands[0])


def everything(node: Node, operands: Sequence[Field]) -> Field:
    """Every element sees the whole input, and no positions are left."""
    return tuple(map(spread, elementwise(node, operands)))


def throughout(node: Node, operands: Sequence[Field]) -> Field:
    """Every element sees the whole input; places stay."""
    return tuple(all_seen(axis) for axis in elementwise(node, operands))


def along_axis(node: Node, operands: Sequence[Field]) -> Field:
    """Elements on `axis` see each other: all of the input, where that axis holds places."""
    mixed = node.attributes["axis"] % node.outputs[0].rank
    return tuple(all_seen(axis) if mixed in axis.places else axis for axis in operands[0])


def statistics(node: Node, operands: Sequence[Field]) -> Field:
    """Elements that are normalized together see each other: on all axes, or those from `axis`."""
    first = node.attributes.get("axis", 2) % node.outputs[0].rank
    return tuple(
        all_seen(axis) if any(p >= first for p in axis.places) else axis for axis in operands[0]
    )


def reshape(node: Node, operands: Sequence[Field]) -> Field:
    """Places stay with their axes, which may merge or split; a vector stands for the input."""
    source, (target,) = node.input(0), node.outputs
    if target.rank <= 2:
        return everything(node, operands)
    # Of one sample, whose windows lie along the batch.
    before, after = (type.bind({"N": 1}).shape for type in (source.type, target))
    moved = _axes_after(before, after)
    batch = frozenset({0} if after[0] == 1 else ())
    result = []
    for axis in operands[0]:
        places = frozenset[int]().union(*(moved[a] for a in axis.places)) - batch
        result.append(replace(axis, places=places) if places else spread(axis))
    return _dealt(result, frozenset(range(2, target.rank)))


def _dealt(field: Sequence[Axis], spatial: frozenset[int]) -> Field:
    """Rows and columns that one axis held together, as a sequence of positions does, apart again.

    Those that share an image's spatial axes get one each, in order.
    """
    if len(field) != len(spatial) or any(axis.places != spatial for axis in field):
        return tuple(field)
    return tuple(
        replace(axis, places=frozenset({place})) for place, axis in enumerate(field, start=2)
    )


def shifted(field: Field, by: int) -> Field:
    """The same on axes that lie further back."""
    if by == 0:
        return field
    return tuple(replace(axis, places=frozenset(a + by for a in axis.places)) for axis in field)


def merged(axes: Sequence[Axis | None]) -> Axis:
    """What several operands see together; the places are those of the operands that have some."""
    present = [axis for axis in axes if axis is not None]
    placed = [axis for axis in present if axis.places]
    return Axis(
        extent=_widest([axis.extent for axis in present]),
        whole=whole_number(_widest([axis.whole for axis in present])),
        jump=max((axis.jump for axis in placed if axis.jump is not None), default=None),
        places=frozenset[int]().union(*(axis.places for axis in placed)),
        start=_first([axis.start for axis in placed]),
    )


def _first(starts: Sequence[int | Fraction | None]) -> int | Fraction | None:
    """The first of several starts; None where one sees everything."""
    known = [start for start in starts if start is not None]
    return min(known, default=0) if len(known) == len(starts) else None


def _widest(extents: Sequence[FieldExtent]) -> FieldExtent:
    """The largest extent; a symbolic one counts as larger than any number."""
    return next((e for e in extents if isinstance(e, Polynomial)), None) or max(
        e for e in extents if not isinstance(e, Polynomial)
    )


def whole_number(extent: FieldExtent) -> Dim:
    """What an element sees at most, where its neighbour may see one row less."""
    return ceil(extent) if isinstance(extent, Fraction) else extent


def slid(axis: Axis, slides: Mapping[int, Slide]) -> Axis:
    """What is seen through windows, given how they slide on a tensor's axes."""
    extent, jump, start = axis.extent, axis.jump, axis.start
    for place in sorted(axis.places & slides.keys()):
        reach, stride, before = slides[place]
        assert jump is not None
        start = None if start is None else start - before * jump
        extent, jump = _grown(extent, (reach - 1) * jump), jump * stride
    return replace(axis, extent=extent, jump=jump, start=start)


def _grown(extent: FieldExtent, by: int | Fraction) -> FieldExtent:
    return extent + ceil(by) if isinstance(extent, Polynomial) else extent + by


def all_seen(axis: Axis) -> Axis:
    """The whole input, from every place."""
    return replace(axis, extent=axis.whole, start=None)


def without(axis: Axis, place: int) -> Axis:
    """What is seen once the elements along one of a tensor's axes are summed."""
    if place not in axis.places:
        return axis
    left = axis.places - {place}
    return replace(all_seen(axis), places=left) if left else spread(axis)


def spread(axis: Axis) -> Axis:
    """The whole input, without places."""
    return Axis(extent=axis.whole, whole=axis.whole, jump=None)


def _axes_after(before: Shape, after: Shape) -> list[frozenset[int]]:
    """For each axis of a shape, the axes that hold its elements' places once it is reshaped.

    Both shapes are cut into the shortest runs of axes with equal products: (C, H, W) and (C, H W)
    into C | H W. Symbolic products that differ leave one run for all the rest.
    """
    moved: list[frozenset[int]] = []
    i = j = 0
    while i < len(before):
        left, right = i + 1, j + 1
        a, b = product(before[i:left]), product(after[j:right])
        while a != b and (left < len(before) or right < len(after)):
            if not (isinstance(a, int) and isinstance(b, int)):
                left, right = len(before), len(after)
            elif right == len(after) or (a < b and left < len(before)):
                left += 1
            else:
                right += 1
            a, b = product(before[i:left]), product(after[j:right])
        moved += [frozenset(range(j, min(right, len(after))))] * (left - i)
        i, j = left, right
    return moved
