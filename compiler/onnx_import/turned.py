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
    """What a value is where that is a rotation (N, heads, L, D) or (N, L, heads, D)."""
    if y.type.rank != 4 or not y.dtype.is_float:
        return None
    try:
        found = rotation_of(build.graph, y)
    except NoMatch:
        return None
    x, depth = found.x, y.shape[3]
    if found.order is None or not isinstance(depth, int):
        return None
    if found.given is not None:
        aside = x if found.given == IN_ORDER else build.Transpose(x, perm=found.given)
        x = build.Reshape(aside, build.index_constant((0, 0, found.heads * depth)))
    whole = rotated(build, x, found.heads, depth, found.base, found.layout)
    shown = build.Reshape(whole, build.index_constant((0, 0, found.heads, depth)))
    is_moved = found.order != IN_ORDER
    return build.Transpose(shown, perm=found.order) if is_moved else shown


IN_ORDER = (0, 1, 2, 3)
