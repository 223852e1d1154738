"""A graph -> the same graph that also yields on which side of every kink its operators are.

A function such as max(x, 0) has another formula on each side of its kink. Differences across one
say nothing of a gradient; differences within one side do.
"""

from collections.abc import Callable, Mapping, Sequence

from ...compiler.builder import Builder
from ...compiler.graph import LEAVES, Graph, Node, Value
from ...compiler.passes.rewrite import rewrite

SIDE = "side "  # no label has a space in it
Sides = Callable[[Builder, Node, Sequence[Value]], list[Value]]


def with_sides(graph: Graph) -> Graph:
    """A copy with the outputs `side 0`, `side 1`, ...: integers and yes or no.

    Numbers around which none of them changes lie within one formula of the graph.
    """
    found = rewrite(graph, {})
    sides: list[Value] = []
    for identifier, node in list(found.nodes()):
        if node.op_type in LEAVES or node.inputs[:1] in ((), (None,)):
            continue
        build = Builder(found, scope=node.scope, span=node.span)
        results = [Value(identifier, i, type) for i, type in enumerate(node.outputs)]
        of = SIDES.get(node.op_type, _decided)
        sides += of(build, node, results)
    found.outputs.update({f"{SIDE}{i}": value for i, value in enumerate(sides)})
    return found


def _decided(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    """What is not a real number: results of comparisons, and indices that were found."""
    real = any(value is not None and value.dtype.is_float for value in node.inputs)
    return [value for value in results if real and not value.dtype.is_float]


def _around(*bounds: float) -> Sides:
    """The first operand's place among some numbers."""

    def sides(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
        x = _first(node)
        return [build.Greater(x, build.constant(bound, x.dtype)) for bound in bounds]

    return sides


def _beyond(attribute: str) -> Sides:
    """Whether the first operand's size is above an attribute."""

    def sides(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
        x = _first(node)
        bound = build.constant(float(node.attributes[attribute]), x.dtype)
        return [build.Greater(build.Abs(x), bound), build.Greater(x, bound)]

    return sides


def _clip(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    x, *bounds = node.inputs
    return [build.Greater(x, bound) for bound in bounds if bound is not None]


def _hard_sigmoid(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    slope, offset = node.attributes["alpha"], node.attributes["beta"]
    bounds = (-offset / slope, (1 - offset) / slope) if slope else ()
    return _around(*bounds)(build, node, results)


def _chosen(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    """Which operands, or which of an operand's elements, are the result."""
    return [build.Equal(x, results[0]) for x in node.inputs if x is not None]


def _reduced(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    kept = {**node.attributes, "keepdims": 1}
    return [build.Equal(_first(node), build.op(node.op_type, node.inputs, kept)[0])]


def _pooled(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    return [build.op(node.op_type, node.inputs, node.attributes, outputs=2)[1]]


def _stepped(build: Builder, node: Node, results: Sequence[Value]) -> list[Value]:
    """The steps of a function that is constant between them."""
    return list(results)


def _first(node: Node) -> Value:
    assert node.inputs[0] is not None
    return node.inputs[0]


ZERO = _around(0.0)
SIDES: Mapping[str, Sides] = {
    **dict.fromkeys(("Abs", "Celu", "Elu", "LeakyRelu", "PRelu", "Relu", "Selu", "ReduceL1"), ZERO),
    **dict.fromkeys(("Ceil", "Floor", "Round", "Sign"), _stepped),
    **dict.fromkeys(("Max", "Min", "GlobalMaxPool"), _chosen),
    **dict.fromkeys(("ReduceMax", "ReduceMin"), _reduced),
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _around(-3.0, 3.0),
    "MaxPool": _pooled,
    "Shrink": _beyond("lambd"),
    "ThresholdedRelu": _beyond("alpha"),
}
