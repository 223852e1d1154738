"""Graph -> Graph: multiplies the gradient of a max-pool before it is spread, not after."""

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value, present
from ..ops.opdef import Operands, definition
from .cancel_transposes import BROADCASTING
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import rewrite_if_any

SPREAD = "netc.MaxPoolGrad"
DEEPEST = 4  # operators of a slope, such as 1 - y y of a hyperbolic tangent


def narrow_masks(graph: Graph) -> Graph:
    """Compute the slope of an activation in front of a max-pool for the maxima alone.

    The gradient of the pool is zero everywhere else. So spread(dy) f(x) is spread(dy f(y)), with y
    the maxima of x and any f that is computed number by number, such as the mask of a ReLU: to the
    bit where windows do not overlap. And f is computed for one number of each window.
    """
    fetched = set(graph.outputs.values())

    def multiply_first(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        for old, spread, slope in zip(
            present(node.inputs), present(operands), reversed(present(operands)), strict=True
        ):
            if old in fetched or len(graph.consumers(old)) > 1:
                continue
            pool = build.graph.producer(spread)
            if pool.op_type != SPREAD or slope == spread:
                continue
            x, y, dy = present(pool.inputs)
            narrow = _on_maxima(build, slope, x, y, DEEPEST) if slope.shape == x.shape else None
            if narrow is not None:
                return build.again(pool, (x, y, build.Mul(dy, narrow)))
        return None

    found = rewrite_if_any(graph, {"Mul": multiply_first})
    return found if found is graph else eliminate_dead_nodes(found)


def _on_maxima(build: Builder, slope: Value, x: Value, y: Value, depth: int) -> Value | None:
    """What is computed from x, number by number, computed from y; None where it is not."""
    if slope == x:
        return y
    if not slope.shape:
        return slope
    node = build.graph.producer(slope)
    row = definition(node)
    if row is None or not depth or None in node.inputs:
        return None
    if not (row.elementwise or row.infer in BROADCASTING):
        return None
    operands = [_on_maxima(build, each, x, y, depth - 1) for each in present(node.inputs)]
    return None if None in operands else build.again(node, operands)[0]
