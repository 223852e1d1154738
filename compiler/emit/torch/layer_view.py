"""A layer as the rows that write it as a module of PyTorch see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...ir.graph import INPUT, LEAVES, PARAMETER, Graph, Layer, Node, Value
from .code import Code, Ref, call, operand

# What stands for the module itself in the expression that calls it.
SELF = Code((Ref(""),))


@dataclass(frozen=True, slots=True)
class Module:
    """A layer, or a part of it, as a module of PyTorch.

    Attributes:
        definition: The module's construction; None where the layer is an expression only.
        takes: Its operands.
        before: What is computed of them first, as further operands.
        gives: Its results, which its operators yield in the graph.
        expression: How it is computed of its operands.
        learned: Whether it holds weights, by whose names it is called.
        heavy: Whether a line holds no other like it: a product, and not what follows one.
        follows: Whether it may end a chain of layers that is a module.
    """

    definition: Code | None
    takes: tuple[Value, ...]
    gives: tuple[Value, ...]
    expression: Code
    learned: bool = False
    heavy: bool = False
    follows: bool = False
    before: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer with its operators.

    Attributes:
        graph: The network.
        path: The layer's path.
        layer: The layer.
        operators: Its operators, by place in the graph.
        read: Results of operators that something reads.
    """

    graph: Graph
    path: str
    layer: Layer
    operators: Mapping[int, Node]
    read: frozenset[tuple[int, int]]

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the layer was called with."""
        return self.layer.arguments

    def find(self, op_type: str) -> tuple[int, Node] | None:
        """The layer's only operator of a type."""
        found = [(i, node) for i, node in self.operators.items() if node.op_type == op_type]
        return found[0] if len(found) == 1 else None

    def result(self, identifier: int, output: int = 0) -> Value:
        """A result of an operator."""
        return Value(identifier, output, self.graph[identifier].outputs[output])

    def outer(self, value: Value) -> Value:
        """What comes into the layer on the way back by first operands from a value of its own."""
        while (node := self.graph[value.node]).scope == self.path and node.inputs:
            first = node.input(0)
            value = first
        return value

    @property
    def parameters(self) -> list[Node]:
        """The parameters that its operators take, in order."""
        values = [v for node in self.operators.values() for v in node.inputs if v is not None]
        found = {v.node: self.graph[v.node] for v in values}
        return [node for node in found.values() if node.op_type == PARAMETER]

    @property
    def operand(self) -> Value | None:
        """The one tensor that the layer takes; None where it takes several."""
        found = dict.fromkeys(
            (value.node, value.output)
            for node in self.operators.values()
            for value in node.inputs
            if value is not None
            and self.graph[value.node].scope != self.path
            and self.graph[value.node].op_type not in LEAVES - {INPUT}
        )
        if len(found) != 1:
            return None
        ((node, output),) = found
        return Value(node, output, self.graph[node].outputs[output])


def around(
    view: LayerView,
    op_type: str,
    make: Callable[[Node], Code | None],
    called: Callable[[Node], Code] = lambda node: call(SELF, operand(0)),
    **facts: Any,
) -> Module | None:
    """A module in the place of one operator; what moves axes around it stays as it is."""
    found = view.find(op_type)
    if found is None or found[1].inputs[0] is None:
        return None
    identifier, node = found
    definition = make(node)
    if definition is None:
        return None
    gives = (view.result(identifier),)
    return Module(definition, (node.input(0),), gives, called(node), **facts)


def whole(
    view: LayerView, definition: Code | None, expression: Code, **facts: Any
) -> Module | None:
    """A module, or an expression, in the place of all operators of a layer with one operand."""
    operand = view.operand
    if operand is None or not view.operators:
        return None
    return Module(definition, (operand,), view.layer.outputs, expression, **facts)
