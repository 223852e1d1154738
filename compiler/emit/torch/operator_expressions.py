"""Operators of a graph as expressions of PyTorch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ....grammar.diagnostics import listing
from ...ir.builder import Builder
from ...ir.graph import CONSTANT, Graph, Node, Value
from .code import Code, Input, mapped
from .operator_call import DTYPES, OperatorCall
from .operators import OPERATORS
from .steps import Key
from .tensors import scalar


@dataclass(frozen=True, slots=True)
class OperatorExpressions:
    """Writes operators.

    Attributes:
        graph: The graph.
        build: What is known of its values.
        read: The results that something reads.
    """

    graph: Graph
    build: Builder
    read: frozenset[Key]

    def written(self, identifier: int, node: Node) -> tuple[Code, list[Value], bool]:
        """The expression of an operator, its operands, and whether numbers are literals in it.

        Raises:
            NotImplementedError: It has no counterpart, with what it lacks.
        """
        row = OPERATORS.get(node.op_type)
        if row is None:
            raise NotImplementedError("")
        if others := {t.dtype.value for t in _types(node)} - DTYPES:
            raise NotImplementedError(listing(sorted(others)))
        wanted = max((k + 1 for i, k in self.read if i == identifier), default=1)
        if wanted > 1 and not row.several:
            raise NotImplementedError("several results")
        operands = [v for i, v in enumerate(node.inputs) if v is not None and i not in row.known]
        positions = {
            i: len(
                [j for j, u in enumerate(node.inputs[:i]) if u is not None and j not in row.known]
            )
            for i, v in enumerate(node.inputs)
            if v is not None and i not in row.known
        }
        operands += self._shapes(node, row.known)
        expression = row.write(self._call(node, operands, wanted))

        def change(part: object) -> Code | None:
            if not isinstance(part, Input):
                return None
            index = part.index
            placed = positions[index] if index < len(node.inputs) else index - len(node.inputs)
            return Code((Input(placed, part.level),))

        return mapped(expression, change), operands, row.numbers

    def _call(self, node: Node, operands: Sequence[Value], wanted: int) -> OperatorCall:
        suppliers = [
            (dim, len(node.inputs) + index, axis)
            for index, value in enumerate(operands)
            for axis, dim in enumerate(value.shape)
            if not isinstance(dim, int)
        ]
        return OperatorCall(
            node.attributes,
            tuple(None if v is None else v.type for v in node.inputs),
            node.outputs,
            tuple(None if v is None else self._known(v) for v in node.inputs),
            "self.training",
            wanted,
            suppliers,
        )

    def _known(self, value: Value) -> Any:
        node = self.graph[value.node]
        if node.op_type == CONSTANT and not value.type.rank and value.dtype.is_float:
            return scalar(node)
        return self.build.known(value)

    def _shapes(self, node: Node, known: frozenset[int]) -> list[Value]:
        """The values whose extents an argument that is no operand is made of."""
        pending = [v for i, v in enumerate(node.inputs) if v is not None and i in known]
        found: list[Value] = []
        while pending:
            producer = self.graph[pending.pop().node]
            sources = [v for v in producer.inputs if v is not None]
            if producer.op_type == "Shape":
                found += sources
            else:
                pending += sources
        return found


def _types(node: Node) -> Iterator[Any]:
    yield from (v.type for v in node.inputs if v is not None)
    yield from node.outputs
