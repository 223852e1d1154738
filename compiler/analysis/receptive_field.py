"""Graph to receptive fields: how much of the input one element of each tensor sees.

The arithmetic is that of Araujo, Norris and Sim, "Computing receptive fields of convolutional
neural networks" (Distill 2019): a window of K taps, dilation D and stride S makes of an extent r
and a jump j the extent r + D (K - 1) j and the jump S j. Padding counts as input.
Enlarging by S is a stride of 1 / S. A window across enlarged elements is then taken to lie where it
sees most of the input, although strides after it may step over that place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest
from math import ceil, gcd

from ..dim import Dim, Polynomial
from ..graph import INPUT, Graph, Node
from ..opdef import OPS
from ..ops.reduction import REDUCTIONS
from ..ops.resampling import NEIGHBOURS
from ..types import Shape, product
from ..windows import window_of
from .sliding_layers import Slide, sliding_layers, spatial_axes

Extent = Dim | Fraction


@dataclass(frozen=True, slots=True)
class Axis:
    """What a tensor's elements see along one spatial axis of the input.

    Attributes:
        extent: How many rows (columns, positions) of the input one element sees.
        whole: How many the input has.
        jump: By how many of them the windows of neighbours differ; None without `places`.
        places: The tensor's own axes along which neighbours lie; empty where none is left, as in
            a vector, which then stands for the whole input.
    """

    extent: Extent
    whole: Dim
    jump: int | Fraction | None = 1
    places: frozenset[int] = frozenset()


Field = tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """What one element of a tensor sees, per spatial axis of the input (height, width).

    Attributes:
        extents: Rows, columns, ...; empty where the input has no spatial axes.
        strides: Cumulative strides, below 1 where the tensor is larger than the input; None for a
            tensor without positions, such as a vector.
    """

    extents: tuple[Dim, ...]
    strides: tuple[float, ...] | None


def receptive_fields(graph: Graph) -> dict[str, ReceptiveField]:
    """The receptive field of each layer's output, by path; linear in the graph.

    A layer with several outputs reports its first.
    """
    fields: dict[int, Field] = {}
    sliding = sliding_layers(graph)
    for identifier, node in graph.nodes():
        operands = [fields.get(v.node, ()) if v is not None else () for v in node.inputs]
        unknown = see_all if node.op_type in OPS.foreign else keep
        rule = RULES.get(node.op_type, unknown)
        fields[identifier] = rule(node, operands)
        if identifier in sliding:
            x, slides = sliding[identifier]
            fields[identifier] = tuple(_slid(axis, slides) for axis in fields[x.node])
    return {
        path: _reported(fields[layer.outputs[0].node])
        for path, layer in graph.layers.items()
        if layer.outputs
    }


def _reported(field: Field) -> ReceptiveField:
    jumps = tuple(_plain(axis.jump) for axis in field if axis.jump is not None)
    placed = jumps if jumps and len(jumps) == len(field) else None
    return ReceptiveField(tuple(map(_whole_number, (axis.extent for axis in field))), placed)


def _plain(jump: int | Fraction) -> float:
    return int(jump) if jump == int(jump) else float(jump)


def _whole_number(extent: Extent) -> Dim:
    """What an element sees at most, where its neighbour may see one row less."""
    return ceil(extent) if isinstance(extent, Fraction) else extent


Rule = Callable[[Node, Sequence[Field]], Field]


def start(node: Node, operands: Sequence[Field]) -> Field:
    """An input: each element sees itself."""
    (type,) = node.outputs
    return tuple(Axis(1, type.shape[a], 1, frozenset({a})) for a in spatial_axes(type))


def keep(node: Node, operands: Sequence[Field]) -> Field:
    """Elementwise: what any operand sees; operands of a lower rank align with the last axes."""
    rank = node.outputs[0].rank
    aligned = [
        _shifted(field, rank - value.type.rank)
        for field, value in zip(operands, node.inputs, strict=True)
        if value is not None and field
    ]
    if len(aligned) == 1:
        return aligned[0]
    return tuple(_merged(axes) for axes in zip_longest(*aligned))


def window(node: Node, operands: Sequence[Field]) -> Field:
    """A sliding window: r += D (K - 1) j, j *= S along the axes that it slides on."""
    taps = window_of(node.attributes)
    slides = {
        2 + i: (reach, stride)
        for i, (reach, stride) in enumerate(zip(taps.reach, taps.strides, strict=True))
    }
    return tuple(_slid(axis, slides) for axis in operands[0])


def scatter(node: Node, operands: Sequence[Field]) -> Field:
    """A transposed window: an element sees the inputs whose taps reach it; j /= S.

    Of the taps that meet in one element, neighbours are lcm(S, D) apart in the output.
    """
    taps = window_of(node.attributes)
    slides: dict[int, Slide] = {}
    for axis, (k, s, d) in enumerate(
        zip(taps.kernel, taps.strides, taps.dilations, strict=True), start=2
    ):
        meeting = (k - 1) // (s // gcd(s, d))
        slides[axis] = (1 + meeting * (d // gcd(s, d)), Fraction(1, s))
    return tuple(_slid(axis, slides) for axis in operands[0])


def resize(node: Node, operands: Sequence[Field]) -> Field:
    """Interpolation between neighbours; j is divided by the scale."""
    (x, *_), (y,) = node.inputs, node.outputs
    assert x is not None
    reach = NEIGHBOURS[node.attributes["mode"]]
    scales = [_ratio(after, before) for after, before in zip(y.shape, x.shape, strict=True)]
    slides = {axis: (reach, 1 / scale) for axis, scale in enumerate(scales) if scale != 1}
    return tuple(_slid(axis, slides) for axis in operands[0])


def _ratio(after: Dim, before: Dim) -> Fraction:
    """How often one extent goes into another; 1 where types do not tell."""
    sizes = [d if isinstance(d, int) else sum(c for _, c in d.terms) for d in (after, before)]
    return Fraction(*sizes) if all(size > 0 for size in sizes) else Fraction(1)


def depth_to_space(node: Node, operands: Sequence[Field]) -> Field:
    """Elements of a block see the same; j is divided by the block's side."""
    slide = (1, Fraction(1, node.attributes["blocksize"]))
    return tuple(_slid(axis, {2: slide, 3: slide}) for axis in operands[0])


def see_all(node: Node, operands: Sequence[Field]) -> Field:
    """Every element sees the whole input, and no positions are left."""
    return tuple(map(_spread, keep(node, operands)))


def matrix_product(node: Node, operands: Sequence[Field]) -> Field:
    """A sum over places, as attention's over the keys, sees them all; other places stay."""
    ranks = [value.type.rank for value in node.inputs if value is not None]
    summed = (ranks[0] - 1, max(ranks[1] - 2, 0))
    pairs = zip(operands, summed, strict=True)
    return keep(node, [tuple(_without(axis, at) for axis in field) for field, at in pairs])


def gather(node: Node, operands: Sequence[Field]) -> Field:
    """Indices carry their places along, and so do the axes that nothing is picked from."""
    x, indices = node.inputs
    assert x is not None
    assert indices is not None
    at, rank = node.attributes["axis"] % x.type.rank, indices.type.rank
    after = [
        range(a, a + 1) if a < at else range(a + (a > at) * (rank - 1), a + rank)
        for a in range(x.type.rank)
    ]
    kept = tuple(
        replace(axis, places=frozenset(place for a in axis.places for place in after[a]))
        for axis in operands[0]
    )
    return tuple(_merged(axes) for axes in zip_longest(kept, _shifted(operands[1], at)))


def transpose(node: Node, operands: Sequence[Field]) -> Field:
    """Places move along: y's axis i is x's axis perm[i]."""
    position = {axis: i for i, axis in enumerate(node.attributes["perm"])}
    return tuple(
        replace(axis, places=frozenset(position[a] for a in axis.places)) for axis in operands[0]
    )


def reduce(node: Node, operands: Sequence[Field]) -> Field:
    """What is left of an axis sees all of it; with axes dropped, which they were is not told."""
    x, (y,) = node.inputs[0], node.outputs
    assert x is not None
    if x.type.rank != y.rank:
        return see_all(node, operands)
    field = operands[0]
    for place, (before, after) in enumerate(zip(x.shape, y.shape, strict=True)):
        if before != after:
            field = tuple(_without(axis, place) for axis in field)
    return field


def softmax(node: Node, operands: Sequence[Field]) -> Field:
    """Elements on `axis` see each other: all of the input, where that axis holds places."""
    mixed = node.attributes["axis"] % node.outputs[0].rank
    return tuple(
        replace(axis, extent=axis.whole) if mixed in axis.places else axis for axis in operands[0]
    )


def statistics(node: Node, operands: Sequence[Field]) -> Field:
    """Elements that are normalized together see each other: on all axes, or those from `axis`."""
    first = node.attributes.get("axis", 2) % node.outputs[0].rank
    return tuple(
        replace(axis, extent=axis.whole) if any(p >= first for p in axis.places) else axis
        for axis in operands[0]
    )


def max_unpool(node: Node, operands: Sequence[Field]) -> Field:
    """An element gets the value of its own window, or none; j /= S."""
    slides = {axis: (1, Fraction(1, s)) for axis, s in enumerate(node.attributes["strides"], 2)}
    return tuple(_slid(axis, slides) for axis in operands[0])


def reshape(node: Node, operands: Sequence[Field]) -> Field:
    """Places stay with their axes, which may merge or split; a vector stands for the input."""
    source, (target,) = node.inputs[0], node.outputs
    assert source is not None
    if target.rank <= 2:
        return see_all(node, operands)
    # Of one sample, whose windows lie along the batch.
    before, after = (type.bind({"N": 1}).shape for type in (source.type, target))
    moved = _axes_after(before, after)
    batch = frozenset({0} if after[0] == 1 else ())
    result = []
    for axis in operands[0]:
        places = frozenset[int]().union(*(moved[a] for a in axis.places)) - batch
        result.append(replace(axis, places=places) if places else _spread(axis))
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


RULES: Mapping[str, Rule] = {
    INPUT: start,
    "AveragePool": window,
    "Conv": window,
    "ConvTranspose": scatter,
    "DepthToSpace": depth_to_space,
    "Flatten": see_all,
    "Gather": gather,
    "Gemm": see_all,
    "GlobalAveragePool": see_all,
    "GlobalMaxPool": see_all,
    "GroupNormalization": statistics,
    "InstanceNormalization": statistics,
    "LayerNormalization": statistics,
    "LogSoftmax": softmax,
    "LpNormalization": softmax,
    "LpPool": window,
    "MatMul": matrix_product,
    "MaxPool": window,
    "MaxUnpool": max_unpool,
    "Reshape": reshape,
    "Resize": resize,
    **dict.fromkeys(REDUCTIONS, reduce),
    "Softmax": softmax,
    "Squeeze": reshape,
    "Transpose": transpose,
    "Unsqueeze": reshape,
    "netc.StochasticPool": window,
}


def _shifted(field: Field, by: int) -> Field:
    if by == 0:
        return field
    return tuple(replace(axis, places=frozenset(a + by for a in axis.places)) for axis in field)


def _merged(axes: Sequence[Axis | None]) -> Axis:
    """What several operands see together; the places are those of the operands that have some."""
    present = [axis for axis in axes if axis is not None]
    placed = [axis for axis in present if axis.places]
    return Axis(
        extent=_widest([axis.extent for axis in present]),
        whole=_whole_number(_widest([axis.whole for axis in present])),
        jump=max((axis.jump for axis in placed if axis.jump is not None), default=None),
        places=frozenset[int]().union(*(axis.places for axis in placed)),
    )


def _widest(extents: Sequence[Extent]) -> Extent:
    """The largest extent; a symbolic one counts as larger than any number."""
    return next((e for e in extents if isinstance(e, Polynomial)), None) or max(
        e for e in extents if not isinstance(e, Polynomial)
    )


def _slid(axis: Axis, slides: Mapping[int, Slide]) -> Axis:
    extent, jump = axis.extent, axis.jump
    for place in sorted(axis.places & slides.keys()):
        reach, stride = slides[place]
        assert jump is not None
        extent, jump = _grown(extent, (reach - 1) * jump), jump * stride
    return replace(axis, extent=extent, jump=jump)


def _grown(extent: Extent, by: int | Fraction) -> Extent:
    return extent + ceil(by) if isinstance(extent, Polynomial) else extent + by


def _without(axis: Axis, place: int) -> Axis:
    """What is seen once the elements along one of a tensor's axes are summed."""
    if place not in axis.places:
        return axis
    left = axis.places - {place}
    return replace(axis, extent=axis.whole, places=left) if left else _spread(axis)


def _spread(axis: Axis) -> Axis:
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
