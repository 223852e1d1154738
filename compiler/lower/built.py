"""What a layer appended to the graph, to append it again where a call would build the same."""

from collections.abc import Hashable, Sequence

from ...grammar.records import record
from ...grammar.source import Span
from ..expressions.binding import Bound
from ..ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Node, Value
from ..layers.layerdef import LayerDef


def likeness(
    definition: LayerDef, bound: Bound, operands: Sequence[Value], graph: Graph
) -> Hashable | None:
    """What calls share that build the same wherever they stand.

    None where more than types may count: weights that another layer holds, a tensor that is given
    twice, or one whose numbers type inference may know.
    """
    distinct = {(x.node, x.output) for x in operands}
    if bound.share is not None or len(distinct) < len(operands):
        return None
    for x in operands:
        producer = graph.producer(x)
        if producer.op_type == CONSTANT or (producer.row and producer.row.known):
            return None
    return id(definition), bound.text, tuple([x.type for x in operands])


@record
class Built:
    """What a layer appended.

    Attributes:
        path: The layer's path.
        nodes: Its nodes, each with the places of its arguments among the layer's operands and,
            after them, the outputs of its nodes.
        results: The places of what it yields.
    """

    path: str
    nodes: tuple[tuple[Node, tuple[int | None, ...]], ...]
    results: tuple[int, ...]

    def again(
        self, graph: Graph, operands: Sequence[Value], path: str, span: Span
    ) -> tuple[Value, ...]:
        """Append the same on other operands, as the layer of another path."""
        values = [*operands]
        for node, places in self.nodes:
            inputs = tuple([None if place is None else values[place] for place in places])
            attributes = node.attributes
            if node.op_type == PARAMETER:
                attributes = {**attributes, "name": self._name(node, path)}
            same = (node.outputs, attributes, path, span, node.row)
            values += graph.add(Node(node.op_type, inputs, *same))
        return tuple([values[place] for place in self.results])

    def fits(self, graph: Graph, path: str) -> bool:
        """Whether the names of its weights are free there."""
        names = [self._name(node, path) for node, _ in self.nodes if node.op_type == PARAMETER]
        return not any(name in graph.parameters or name in graph.inputs for name in names)

    def _name(self, node: Node, path: str) -> str:
        name: str = node.attributes["name"]
        return path + name.removeprefix(self.path)


def built(
    graph: Graph, first: int, operands: Sequence[Value], results: Sequence[Value], path: str
) -> Built | None:
    """What was appended from node `first` on; None where it reads or holds anything else."""
    places = {(x.node, x.output): place for place, x in enumerate(operands)}
    nodes = []
    for identifier in range(first, len(graph)):
        node = graph[identifier]
        read = [None if x is None else (x.node, x.output) for x in node.inputs]
        own = node.scope == path and not node.subgraphs and node.op_type != INPUT
        if not own or any(source is not None and source not in places for source in read):
            return None
        nodes.append((node, tuple([None if s is None else places[s] for s in read])))
        for output in range(len(node.outputs)):
            places[identifier, output] = len(places)
    return Built(path, tuple(nodes), tuple([places[x.node, x.output] for x in results]))
