"""Values of a graph that no input changes, and how they are written."""

from collections.abc import Sequence
from typing import Any

from ...ir.builder import Builder
from ...ir.graph import CONSTANT, Graph, Value
from .code import Code, code, filled
from .steps import Key
from .tensors import buffer, scalar


class StaticValues:
    """What constants, and parameters by name, alone determine.

    Attributes:
        results: Expressions: of parameters by their key, of what is computed of constants by its
            node and -1.
        found: The values that constants alone determine.
        same: What is another value by a second name.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.build = Builder(graph)
        self.results: dict[Key, Code] = {}
        self.found: set[Key] = set()
        self.same: dict[Key, Key] = {}

    def resolved(self, key: Key) -> Key:
        """A value by its first name."""
        return self.same.get(key, key)

    def known(self, value: Value) -> Any:
        """The numbers, where they are known without running it; else None."""
        if value.output < 0:
            return None
        node = self.graph[value.node]
        known = None if node.row is None else self.build.known(value)
        return known if _is_numbers(known) else None

    def number(self, value: Value) -> Any:
        """The number that a constant without axes is; None of any other."""
        node = self.graph[value.node]
        if node.op_type != CONSTANT or node.outputs[0].rank:
            return None
        return scalar(node)

    def code(self, value: Value) -> Code:
        """An expression of a value that no input changes."""
        identifier, _ = self.resolved((value.node, value.output))
        node = self.graph[identifier]
        if node.op_type == CONSTANT:
            return buffer(node.attributes["value"].nested(), value.type)
        known = self.known(value)
        if known is not None:
            return buffer(known, value.type)
        return self.results[identifier, -1]

    def fold(
        self, identifier: int, expression: Code, operands: Sequence[Value], literals: bool
    ) -> None:
        """A value that constants alone determine is computed once."""
        arguments = []
        for value in operands:
            number = self.number(value)
            literal = literals and number is not None
            arguments.append(code(number) if literal else self.code(value))
        self.found.add((identifier, 0))
        self.results[identifier, -1] = filled(expression, arguments)

    def is_static(self, value: Value) -> bool:
        """Whether no input changes a value."""
        key = self.resolved((value.node, value.output))
        return key in self.found or self.known(value) is not None


def _is_numbers(known: Any) -> bool:
    if isinstance(known, tuple):
        return all(map(_is_numbers, known))
    return isinstance(known, int | float)
