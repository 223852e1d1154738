"""Graph to receptive fields: how much of the input one element of each layer's output sees."""

from fractions import Fraction

from ...grammar.records import record
from ..ir.dim import Dim
from ..ir.graph import INPUT, LEAVES, Graph, Node
from ..ops.opdef import row_of
from ..ops.receptive_field import Axis, Field, slid, whole_number
from .sliding_layers import sliding_layers, spatial_axes


@record
class ReceptiveField:
    """What one element of a tensor sees, per spatial axis of the input (height, width).

    Attributes:
        extents: Rows, columns, ...; empty where the input has no spatial axes.
        strides: Cumulative strides, below 1 where the tensor is larger than the input; None for a
            tensor without positions, such as a vector.
        starts: Where the window of the first element begins, counted from the input's first row or
            column and below 0 in padding; None on an axis where every element sees everything, and
            as `strides`.
    """

    extents: tuple[Dim, ...]
    strides: tuple[float, ...] | None
    starts: tuple[float | None, ...] | None = None


def receptive_fields(graph: Graph) -> dict[str, ReceptiveField]:
    """The receptive field of each layer's output, by path; linear in the graph.

    A layer with several outputs reports its first.
    """
    fields: dict[int, Field] = {}
    sliding = sliding_layers(graph)
    for identifier, node in graph.nodes():
        operands = [fields.get(v.node, ()) if v is not None else () for v in node.inputs]
        if node.op_type in LEAVES:
            fields[identifier] = _start(node)
        else:
            fields[identifier] = row_of(node).sees(node, operands)
        if identifier in sliding:
            x, slides = sliding[identifier]
            fields[identifier] = tuple(slid(axis, slides) for axis in fields[x.node])
    return {
        path: _reported(fields[layer.outputs[0].node])
        for path, layer in graph.layers.items()
        if layer.outputs
    }


def seen_by(
    field: ReceptiveField, place: tuple[int, int], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """The first row and column that an element sees, and those after the last; below 0 in padding.

    What sees everything, such as a mean over all positions, sees the input alone.
    """
    ends = []
    for axis, whole in enumerate(size):
        start = None if field.starts is None else field.starts[axis]
        if start is None or field.strides is None:
            ends.append((0.0, float(whole)))
            continue
        low, extent = start + field.strides[axis] * place[axis], field.extents[axis]
        assert isinstance(extent, int)
        ends.append((low, low + extent))
    (top, bottom), (left, right) = ends
    return top, left, bottom, right


def _reported(field: Field) -> ReceptiveField:
    jumps = tuple(_plain(axis.jump) for axis in field if axis.jump is not None)
    placed = jumps if jumps and len(jumps) == len(field) else None
    starts = tuple(None if axis.start is None else _plain(axis.start) for axis in field)
    extents = tuple(whole_number(axis.extent) for axis in field)
    return ReceptiveField(extents, placed, starts if placed else None)


def _plain(jump: int | Fraction) -> float:
    return int(jump) if jump == int(jump) else float(jump)


def _start(node: Node) -> Field:
    """Each element of an input sees itself; other leaves see nothing."""
    (type,) = node.outputs
    axes = spatial_axes(type) if node.op_type == INPUT else ()
    return tuple(Axis(1, type.shape[a], 1, frozenset({a})) for a in axes)
