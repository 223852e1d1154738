"""Queries and keys that are turned head by head -> sequences that are, and then divided."""

from ..ir.builder import Builder
from ..ir.graph import Node, Value
from ..layers.positions import rotated
from ..ops.opdef import Operands
from .recognition.rotations import rotation_of
from .recognition.trail import NoMatch

ENDS = {"Add": ("Mul",), "Concat": ("Add", "Sub")}  # and the operators before them


def turned_whole(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """A rotation of (N, heads, L, D) or (N, L, heads, D) is one of the sequence (N, L, heads D)."""
    summed = [x for x in operands if x is not None]
    if node.outputs[0].rank != 4 or len(summed) != 2:
        return None
    if any(build.graph.producer(x).op_type not in ENDS[node.op_type] for x in summed):
        return None
    found = turned(build, build.again(node, operands)[0])
    return None if found is None else (found,)


def turned(build: Builder, y: Value) -> Value | None:
    """What a value is where that is a rotation (N, heads, L, D) or (N, L, heads, D).

    So is one of heads side by side whose operand has another shape.
    """
    if y.type.rank not in (3, 4) or not y.dtype.is_float:
        return None
    try:
        found = rotation_of(build.graph, y)
    except NoMatch:
        return None
    x, last = found.x, y.shape[-1]
    if not isinstance(last, int) or (found.order is None and x.shape == y.shape):
        return None
    depth = last if found.order else last // found.heads
    if found.given not in (None, IN_ORDER):
        x = build.Transpose(x, perm=found.given)
    if x.type.rank == 4 or x.shape[-1] != found.heads * depth:
        x = build.Reshape(x, build.index_constant((0, -1, found.heads * depth)))
    whole = rotated(build, x, found.heads, depth, found.base, found.layout)
    if found.order is None:
        return whole
    shown = build.Reshape(whole, build.index_constant((0, 0, found.heads, depth)))
    return shown if found.order == IN_ORDER else build.Transpose(shown, perm=found.order)


IN_ORDER = (0, 1, 2, 3)
