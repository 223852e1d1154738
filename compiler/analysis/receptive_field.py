"""Graph to receptive fields: how much of the input one element of each tensor sees.

The arithmetic is that of Araujo, Norris and Sim, "Computing receptive fields of convolutional
neural networks" (Distill 2019): a window of K taps, dilation D and stride S makes of an extent r
and a jump j the extent r + D (K - 1) j and the jump S j. Padding counts as input.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from ..dim import Dim
from ..graph import INPUT, Graph, Node
from ..types import Shape, TensorType, product
from ..windows import window_of


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

    extent: Dim
    whole: Dim
    jump: int | None = 1
    places: frozenset[int] = frozenset()


Field = tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """What one element of a tensor sees, per spatial axis of the input (height, width).

    Attributes:
        extents: Rows, columns, ...; empty where the input has no spatial axes.
        strides: Cumulative strides; None for a tensor without positions, such as a vector.
    """

    extents: tuple[Dim, ...]
    strides: tuple[int, ...] | None


def receptive_fields(graph: Graph) -> dict[str, ReceptiveField]:
    """The receptive field of each layer's output, by path; linear in the graph.

    A layer with several outputs reports its first.
    """
    fields: dict[int, Field] = {}
    for identifier, node in graph.nodes():
        operands = [fields.get(v.node, ()) if v is not None else () for v in node.inputs]
        rule = RULES.get(node.op_type, keep)
        fields[identifier] = rule(node, operands)
    return {
        path: _reported(fields[layer.outputs[0].node])
        for path, layer in graph.layers.items()
        if layer.outputs
    }


def _reported(field: Field) -> ReceptiveField:
    jumps = tuple(axis.jump for axis in field if axis.jump is not None)
    placed = jumps if jumps and len(jumps) == len(field) else None
    return ReceptiveField(tuple(axis.extent for axis in field), placed)


Rule = Callable[[Node, Sequence[Field]], Field]


def start(node: Node, operands: Sequence[Field]) -> Field:
    """An input: each element sees itself."""
    (type,) = node.outputs
    return tuple(Axis(1, type.shape[a], 1, frozenset({a})) for a in spatial_axes(type))


def spatial_axes(type: TensorType) -> range:
    """The axes of an input that are places: all of (N, L), L of (N, L, C), S of (N, C, *S)."""
    if not type.dtype.is_float:
        return range(1, type.rank)
    return range(1, 2) if type.rank == 3 else range(2, type.rank)


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


def see_all(node: Node, operands: Sequence[Field]) -> Field:
    """Every element sees the whole input, and no positions are left."""
    return tuple(map(_spread, keep(node, operands)))


def matrix_product(node: Node, operands: Sequence[Field]) -> Field:
    """A sum over places, as attention's over the keys, sees them all; other places stay."""
    ranks = [value.type.rank for value in node.inputs if value is not None]
    summed = (ranks[0] - 1, max(ranks[1] - 2, 0))
    pairs = zip(operands, summed, strict=True)
    return keep(node, [tuple(_without(axis, at) for axis in field) for field, at in pairs])


def transpose(node: Node, operands: Sequence[Field]) -> Field:
    """Places move along: y's axis i is x's axis perm[i]."""
    position = {axis: i for i, axis in enumerate(node.attributes["perm"])}
    return tuple(
        replace(axis, places=frozenset(position[a] for a in axis.places)) for axis in operands[0]
    )


def softmax(node: Node, operands: Sequence[Field]) -> Field:
    """Elements on `axis` see each other: all of the input, where that axis holds places."""
    mixed = node.attributes["axis"] % node.outputs[0].rank
    return tuple(
        replace(axis, extent=axis.whole) if mixed in axis.places else axis for axis in operands[0]
    )


def reshape(node: Node, operands: Sequence[Field]) -> Field:
    """Places stay with their axes, which may merge or split; a vector stands for the input."""
    source, (target,) = node.inputs[0], node.outputs
    assert source is not None
    if target.rank <= 2:
        return see_all(node, operands)
    moved = _axes_after(source.shape, target.shape)
    result = []
    for axis in operands[0]:
        places = frozenset[int]().union(*(moved[a] for a in axis.places))
        result.append(replace(axis, places=places) if places else _spread(axis))
    return tuple(result)


RULES: Mapping[str, Rule] = {
    INPUT: start,
    "AveragePool": window,
    "Conv": window,
    "Flatten": see_all,
    "Gemm": see_all,
    "GlobalAveragePool": see_all,
    "GlobalMaxPool": see_all,
    "LpPool": window,
    "MatMul": matrix_product,
    "MaxPool": window,
    "Reshape": reshape,
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
        whole=_widest([axis.whole for axis in present]),
        jump=max((axis.jump for axis in placed if axis.jump is not None), default=None),
        places=frozenset[int]().union(*(axis.places for axis in placed)),
    )


def _widest(extents: Sequence[Dim]) -> Dim:
    """The largest extent; a symbolic one counts as larger than any number."""
    return next((e for e in extents if not isinstance(e, int)), None) or max(
        e for e in extents if isinstance(e, int)
    )


def _slid(axis: Axis, slides: Mapping[int, tuple[int, int]]) -> Axis:
    extent, jump = axis.extent, axis.jump
    for place in sorted(axis.places & slides.keys()):
        reach, stride = slides[place]
        assert jump is not None
        extent, jump = extent + (reach - 1) * jump, jump * stride
    return replace(axis, extent=extent, jump=jump)


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
