"""A graph -> its chain rule: the graph with the gradients of one of its values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..ir.builder import Builder
from ..ir.graph import CONSTANT, Graph, Node, Output, Value, present
from ..ir.types import HolderType
from ..ops.gradient import NodeGradient, cut_between, gradients, no_gradient
from ..ops.opdef import Operands
from ..passes.append_backward import named_value, ones
from ..passes.rewrite import rewrite


@dataclass(frozen=True, slots=True)
class LossBox:
    """A loss, or a penalty, that is drawn as its formula.

    Attributes:
        scope: The scope of its operators.
        loss: Its formula.
        gradient: The formula of its derivative.
        output: The output that it is about, which the formulas call y; None for a penalty.
        target: The input that holds the target, likewise.
        probabilities: The graph's output that the formulas call p; None where they have no p.
    """

    scope: str
    loss: str
    gradient: str
    output: str | None = None
    target: str | None = None
    probabilities: str | None = None


@dataclass(frozen=True, eq=False)
class ChainRule:
    """A graph with the gradients of one of its values.

    Attributes:
        graph: The forward graph, and after it the backward graph.
        forward: How many nodes the forward graph has.
        value: What is differentiated.
        gradients: For each value of the forward graph that it depends on, its gradient.
        steps: What the rule of each node appended.
    """

    graph: Graph
    forward: int
    value: Value
    gradients: Mapping[Output, Value]
    steps: Sequence[NodeGradient] = ()

    def shown(self) -> dict[Output, Value]:
        """All values that a picture can show, by node and output."""
        return {
            (identifier, k): Value(identifier, k, type)
            for identifier, node in self.graph.nodes()
            for k, type in enumerate(node.outputs)
        }


def differentiate(graph: Graph, *, of: str | None = None) -> ChainRule:
    """The gradients of one of a graph's outputs with respect to all values.

    Args:
        graph: A network in training or in inference mode.
        of: The output, or any value by its label; the sum of all outputs where it is None.

    Raises:
        NetError: E131, an operator on the way has no gradient; E101, `of` is not known.
    """
    target = rewrite(graph, {"Identity": _pass_on})
    build = Builder(target)
    value = _total(build, target.outputs) if of is None else named_value(target, of)
    forward = len(target)
    values = [
        Value(identifier, k, type)
        for identifier, node in target.nodes()
        if node.op_type != CONSTANT
        for k, type in enumerate(node.outputs)
        if type.dtype.is_float
    ]
    steps: list[NodeGradient] = []
    found = gradients(
        build, value, values, cotangent=ones(build, value), distinct=True, steps=steps
    )
    pairs = zip(values, found, strict=True)
    by_output = {(v.node, v.output): g for v, g in pairs if g is not None}
    _check_leaves(target, value, by_output)
    return ChainRule(target, forward, value, by_output, steps)


def undifferentiated(graph: Graph) -> ChainRule:
    """A graph without gradients, for pictures of its operators alone."""
    target = rewrite(graph, {"Identity": _pass_on})
    return ChainRule(target, len(target), next(iter(target.outputs.values())), {})


def _check_leaves(graph: Graph, value: Value, found: Mapping[Output, Value]) -> None:
    """Where no gradient reaches an input or a parameter, there is no chain rule to be shown."""
    leaves = [*graph.inputs.values(), *graph.parameters.values()]
    if not any((leaf.node, leaf.output) in found for leaf in leaves):
        for leaf in leaves:
            node = cut_between(graph, leaf, value)
            if node is not None:
                raise no_gradient(node)


def _total(build: Builder, outputs: Mapping[str, Value]) -> Value:
    """The only output, or the sum of all outputs that are tensors."""
    tensors = [x for x in outputs.values() if not isinstance(x.type, HolderType)]
    values = tensors or list(outputs.values())[:1]
    if len(values) == 1:
        return values[0]
    sums = [build.ReduceSum(value, keepdims=0) for value in values]
    return build.Sum(*sums)


def _pass_on(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    (x,) = present(operands)
    return (x,)
