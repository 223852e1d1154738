"""Graph -> Graph: masks of what is positive, and slopes of two values, by clipping."""

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value, present
from ..ir.types import DType
from ..ops.opdef import Operands
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import rewrite_if_any

STEEP = 3e38  # times the least normal number of float32 this is above 1


def clip_masks(graph: Graph) -> Graph:
    """Build 1 where x > 0, else 0, as `STEEP` x cut off at 0 and 1; for a number s < 1, at s and 1.

    onnxruntime takes twice as long for the comparison and the truth values as numbers. The mask of
    NaN is NaN, and that of a subnormal number may be between the two.

    Args:
        graph: The graph, in a mode, for onnxruntime alone.
    """
    found = rewrite_if_any(graph, {"Cast": _mask, "Where": _slope})
    return found if found is graph else eliminate_dead_nodes(found)


def _mask(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """A truth value as a number."""
    (condition,) = present(operands)
    x = _positive(build, condition) if node.outputs[0].dtype is DType.FLOAT32 else None
    return None if x is None else (_clipped(build, x),)


def _slope(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """1 or a number below it."""
    condition, above, below = present(operands)
    x = _positive(build, condition)
    if x is None or above.shape or below.shape or build.known(above) != 1:
        return None
    least = build.known(below)
    if not isinstance(least, float) or not 0 <= least < 1:
        return None
    return (build.Clip(_clipped(build, x), below, above),)


def _clipped(build: Builder, x: Value) -> Value:
    return build.HardSigmoid(x, alpha=STEEP, beta=0.0)


def _positive(build: Builder, condition: Value) -> Value | None:
    """The x of x > 0."""
    before = build.graph.producer(condition)
    if before.op_type != "Greater":
        return None
    x, least = present(before.inputs)
    is_zero = not least.shape and build.known(least) == 0
    return x if x.dtype is DType.FLOAT32 and is_zero else None
