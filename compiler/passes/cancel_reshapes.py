"""Graph -> Graph: makes one `Reshape` of two, and none where the shape is what it was."""

from collections.abc import Mapping

from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Graph, Node, Value, required
from ..ops.opdef import Operands
from .rewrite import RewriteRule, rewrite_if_any

# What `Reshape` takes for the extent that its operand has, and for what is left over.
COPIED, LEFT = 0, -1

# What keeps all numbers in their order, so that the shape says all of the result.
RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")


def cancel_reshapes(graph: Graph) -> Graph:
    """Let each operator that changes a shape read what was there before such operators.

    Where that has the shape already, nothing is left; otherwise a `Reshape`, if it can state the
    shape without reading extents. What nothing reads any more is left to `eliminate_dead_nodes`.
    """
    return rewrite_if_any(graph, RULES)


def _cancel(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    x, (type,) = required(operands[0]), node.outputs
    if x.type == type:
        return (x,)
    before = build.graph.producer(x)
    if before.op_type not in RESHAPES:
        return None
    source = before.input(0)
    if source.type == type:
        return (source,)
    target = _target(source, type.shape)
    if target is None:
        return None
    reshaped = build.Reshape(source, build.index_constant(target))
    return (reshaped,) if reshaped.type == type else None


def _target(x: Value, shape: tuple[Dim, ...]) -> tuple[int, ...] | None:
    """What makes `Reshape` give x a shape; None where no constant does."""
    target = tuple(
        extent if isinstance(extent, int) else COPIED if (extent,) == x.shape[i : i + 1] else LEFT
        for i, extent in enumerate(shape)
    )
    return None if 0 in shape or target.count(LEFT) > 1 else target


RULES: Mapping[str, RewriteRule] = dict.fromkeys(RESHAPES, _cancel)
