"""Graph -> Graph: a sum and a product in one pass over memory, where onnxruntime has that."""

from dataclasses import dataclass, field

from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Graph, Node, Value, present
from ..ir.types import DType
from ..ops.gated_sums import DOMAIN, GATED_SUM
from ..ops.opdef import Operands
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import rewrite

LEAST = 2**13  # numbers; spreading a scalar over the rows of fewer takes longer than a pass
SHORTEST = 16  # numbers of a row; the kernel begins anew at each


def gate_sums(graph: Graph) -> Graph:
    """Build a + b s and a - b s as one operator, s a scalar or a number for each row of b.

    Such are an optimizer's updates, and what normalizations take off a gradient. The gradient
    y (dy - s) of a softmax is y dy - y s, whose first product has been summed to s before.

    Args:
        graph: The graph, in a mode, for onnxruntime alone.
    """
    gating = _Gating(graph)
    rules = {"Add": gating.sum, "Sub": gating.difference, "Mul": gating.softmax}
    found = rewrite(graph, rules)
    if not gating.gates:
        return graph
    found.opsets = {**graph.opsets, DOMAIN: 1}
    return eliminate_dead_nodes(found)


@dataclass
class _Gating:
    """What is known while a graph is rebuilt.

    Attributes:
        graph: The graph before.
        gates: What multiplies rows, by its factor, its shape, and whether it is negated.
    """

    graph: Graph
    gates: dict[tuple[Value, tuple[Dim, ...], bool], Value] = field(default_factory=dict)

    def sum(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """A product and whatever it is added to."""
        (a, b), (old_a, old_b) = present(operands), present(node.inputs)
        return self._gated(build, a, b, old_b) or self._gated(build, b, a, old_a)

    def difference(
        self, build: Builder, node: Node, operands: Operands
    ) -> tuple[Value, ...] | None:
        """Something minus a product."""
        (a, b), (_, old_b) = present(operands), present(node.inputs)
        return self._gated(build, a, b, old_b, negated=True)

    def softmax(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """y (dy - s), where there is y dy."""
        (y, slope), (_, old) = present(operands), present(node.inputs)
        before = build.graph.producer(slope)
        if before.op_type != "Sub" or not self._is_read_once(old):
            return None
        dy, s = present(before.inputs)
        products = (build.graph[reader] for reader in build.graph.consumers(y))
        if s.shape != _row_shape(y) or not any(
            each.op_type == "Mul" and set(each.inputs) == {y, dy} for each in products
        ):
            return None
        (product,) = build.op("Mul", (y, dy))
        return self._built(build, product, y, s, negated=True)

    def _gated(
        self, build: Builder, a: Value, product: Value, old: Value, *, negated: bool = False
    ) -> tuple[Value, ...] | None:
        """a and a product, unless something else reads that as well."""
        before = build.graph.producer(product)
        if before.op_type != "Mul" or not self._is_read_once(old):
            return None
        for b, s in (before.inputs, reversed(before.inputs)):
            assert b is not None
            assert s is not None
            if a.shape == b.shape and (s.shape == _row_shape(b) or _takes_scalar(b, s)):
                return self._built(build, a, b, s, negated=negated)
        return None

    def _built(
        self, build: Builder, a: Value, b: Value, s: Value, *, negated: bool
    ) -> tuple[Value, ...] | None:
        if a.dtype is not DType.FLOAT32 or b.shape == s.shape:
            return None
        shape = _row_shape(b)
        key = (s, shape, negated)
        if key not in self.gates:
            gate = build.Neg(s) if negated else s
            if s.shape != shape:
                gate = build.Expand(gate, build.index_constant(shape))
            self.gates[key] = gate
        return build.op(GATED_SUM, (a, b, self.gates[key]))

    def _is_read_once(self, value: Value) -> bool:
        fetched = value in self.graph.outputs.values()
        return not fetched and len(self.graph.consumers(value)) == 1


def _row_shape(b: Value) -> tuple[Dim, ...]:
    """The shape of a number for each row of b; none where b is a scalar."""
    return (*b.shape[:-1], 1) if b.shape else ()


def _takes_scalar(b: Value, s: Value) -> bool:
    """Whether s is a scalar, and b large enough to spread it over its rows."""
    known = [extent for extent in b.shape if isinstance(extent, int)]
    if s.shape or len(known) < max(2, len(b.shape)):
        return False
    size = b.type.size
    return isinstance(size, int) and size >= LEAST and known[-1] >= SHORTEST
