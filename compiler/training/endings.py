"""Graph -> how an output ends: its last operator that computes, and what only moves data after it.

An output that is reshaped or transposed after its `SOFTMAX` still consists of probabilities; the
loss then takes the logits, moved in the same way.
"""

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value
from ..ir.types import Shape, product
from ..layers.layerdef import activation_of
from ..ops.opdef import Moves, Yields, definition


@record
class Ending:
    """How an output ends.

    Attributes:
        output: The output.
        kind: What its last operator yields.
        node: The last operator that computes.
        moves: The operators between it and the output, in order.
        argument: What the last operator takes; None where it takes nothing.
        axis: The output's axis that the last operator ran over, where it has one and the axis is
            still there.
    """

    output: Value
    kind: Yields
    node: int
    moves: tuple[Node, ...]
    argument: Value | None
    axis: int | None

    @property
    def runs_over_an_axis(self) -> bool:
        """Whether the last operator relates the numbers of an axis to each other."""
        return self.kind.runs_over_an_axis

    def layer(self, graph: Graph) -> str:
        """The last operator's layer, as the author calls it, or the operator."""
        node = graph[self.node]
        found = graph.layers.get(node.scope)
        return found.kind if found else node.op_type


def ending(graph: Graph, output: Value) -> Ending:
    """How an output ends. Takes time linear in the operators that move data at its end."""
    value, moves = output, []
    while _moves(graph.producer(value)):
        moves.append(graph.producer(value))
        (value,) = (graph.producer(value).inputs[0] or value,)
    node = graph.producer(value)
    moves.reverse()
    kind = _kind(graph, node)
    axis = node.attributes.get("axis") if kind.runs_over_an_axis else None
    return Ending(
        output=output,
        kind=kind,
        node=value.node,
        moves=tuple(moves),
        argument=node.inputs[0] if node.inputs else None,
        axis=None if axis is None else _followed(axis % value.type.rank, moves, value.shape),
    )


def replay(build: Builder, found: Ending) -> Value:
    """What the last operator takes, moved as its result is; nodes are appended by `build`."""
    assert found.argument is not None
    value = found.argument
    for node in found.moves:
        (value,) = build.again(node, (value, *node.inputs[1:]))
    return value


def _moves(node: Node) -> bool:
    """Whether an operator moves data and changes no number."""
    row = definition(node)
    return row is not None and row.moves is Moves.ALL


def _kind(graph: Graph, node: Node) -> Yields:
    row = definition(node)
    if row and row.yields is not Yields.ANYTHING:
        return row.yields
    is_activation = activation_of(graph.layers.get(node.scope)) or (row and row.activation)
    return Yields.ACTIVATIONS if is_activation else Yields.ANYTHING


def _followed(axis: int, moves: list[Node], shape: Shape) -> int | None:
    """Where an axis lies after some moves; None where one dissolves it."""
    place: int | None = axis
    for node in moves:
        (type,) = node.outputs
        if place is None:
            break
        if node.op_type == "Transpose":
            place = tuple(node.attributes["perm"]).index(place)
        elif node.op_type != "Identity":
            place = _reshaped(place, shape, type.shape)
        shape = type.shape
    return place


def _reshaped(axis: int, old: Shape, new: Shape) -> int | None:
    """The axis of the same extent with as many elements before and after it, if there is one."""
    for place, extent in enumerate(new):
        if extent == old[axis] and product(new[:place]) == product(old[:axis]):
            return place
    return None
