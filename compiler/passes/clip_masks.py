"""Graph -> Graph: masks of what is positive, in one pass over memory."""

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value, present
from ..ir.types import DType
from ..ops.opdef import Operands
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import rewrite_if_any

STEEP = 3e38  # times the least normal number of float32 this is above 1


def clip_masks(graph: Graph) -> Graph:
    """Build 1 where x > 0, else 0, as `STEEP` x cut off at 0 and 1.

    onnxruntime takes twice as long for the comparison and the truth values as numbers. The mask of
    NaN is NaN, and that of a subnormal number may be between 0 and 1.

    Args:
        graph: The graph, in a mode, for onnxruntime alone.
    """
    found = rewrite_if_any(graph, {"Cast": _clipped})
    return found if found is graph else eliminate_dead_nodes(found)


def _clipped(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    (condition,) = present(operands)
    before = build.graph.producer(condition)
    if before.op_type != "Greater" or node.outputs[0].dtype is not DType.FLOAT32:
        return None
    x, least = present(before.inputs)
    if x.dtype is not DType.FLOAT32 or least.shape or build.known(least) != 0:
        return None
    return (build.HardSigmoid(x, alpha=STEEP, beta=0.0),)
