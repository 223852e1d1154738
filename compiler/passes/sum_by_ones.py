"""Graph -> Graph: sums over rows as products with ones, which onnxruntime takes less time for."""

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value, present, required
from ..ir.types import DType
from ..ops.opdef import Operands
from .rewrite import rewrite_if_any

NARROWEST = 64  # numbers of a row; sums of shorter ones take no longer than other operators
FEWEST = 16  # rows; a product of fewer leaves too many


def sum_by_ones(graph: Graph) -> Graph:
    """Sum x (*A, T, C) over all axes but the last as ones (1, T) times x, and what is left.

    Such are the gradients of biases. The sum itself takes three to nine times as long: it passes
    over C numbers once for each of the T rows.

    Args:
        graph: The graph, in a mode, for onnxruntime alone.
    """
    return rewrite_if_any(graph, {"ReduceSum": _by_ones})


def _by_ones(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    x, *axes = present(operands)
    known = build.known(axes[0]) if axes else None
    width, rank = x.shape[-1] if x.shape else 0, x.type.rank
    leading = set(range(rank - 1))
    if x.dtype is not DType.FLOAT32 or node.attributes["keepdims"] or known is None or rank < 2:
        return None
    summed = {axis % rank for axis in known}
    if summed != leading or not isinstance(width, int) or width < NARROWEST:
        return None
    rows = x.shape[-2]
    if isinstance(rows, int) and rows < FEWEST:
        return None
    if rank == 2:
        return (build.MatMul(_ones(build, x), x),)
    products = build.MatMul(build.Unsqueeze(_ones(build, x), build.index_constant((0,))), x)
    return (build.ReduceSum(products, required(operands[1]), keepdims=0),)


def _ones(build: Builder, x: Value) -> Value:
    """As many ones as x has rows."""
    one, rows = build.constant(1.0, DType.FLOAT32), x.shape[-2]
    if isinstance(rows, int):
        return build.constant((1.0,) * rows, DType.FLOAT32)
    return build.Expand(one, build.Shape(x, start=-2, end=-1))
