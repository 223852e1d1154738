"""Graph -> nothing: checks the invariants that lowering and every pass must establish."""

from collections.abc import Iterator, Sequence

from .builder import Builder
from .graph import CONSTANT, INPUT, LEAVES, PARAMETER, Graph, Node, Value
from .signature import InferenceError
from .types import TensorType


class InvariantError(Exception):
    """A graph that no program can cause: a bug in the stage that the message names."""


def verify(graph: Graph, *, after: str = "lowering") -> None:
    """Check a graph's invariants, in time linear in its size.

    Every argument is a value of an earlier node and has that node's type; edges are exactly the
    arguments; types are those that inference gives; inputs and parameters are entered under
    their names; outputs, labels and layers refer to values that are there.

    Args:
        graph: What to check.
        after: The stage or pass that made it, for the message.

    Raises:
        InvariantError: An invariant does not hold.
    """
    for finding in _findings(graph):
        raise InvariantError(f"after {after}: {finding}")


def _findings(graph: Graph) -> Iterator[str]:
    """Everything that is wrong, what others rest on first."""
    for position, (identifier, node) in enumerate(graph.nodes()):
        for finding in _of_node(graph, position, identifier, node):
            where = f" in {node.scope}" if node.scope else ""
            yield f"node {identifier} ({node.op_type}{where}) {finding}"
    yield from _tables(graph)


def _of_node(graph: Graph, position: int, identifier: int, node: Node) -> Iterator[str]:
    if identifier != position:
        yield f"stands at position {position}"
    yield from _arguments(graph, identifier, node)
    yield from _edges(graph, identifier, node)
    if node.subgraphs:
        yield from _subgraphs(graph, identifier, node)
    yield from (_leaf if node.op_type in LEAVES else _types)(graph, identifier, node)


def _arguments(graph: Graph, identifier: int, node: Node) -> Iterator[str]:
    """Arguments are outputs of earlier nodes, with those outputs' types."""
    for position, value in enumerate(node.inputs):
        if value is None:
            continue
        if not 0 <= value.node < identifier:
            yield f"takes argument {position} from node {value.node}, which is not before it"
        else:
            yield from (f"takes argument {position}, {what}" for what in _missing(graph, value))


def _edges(graph: Graph, identifier: int, node: Node) -> Iterator[str]:
    """The edges into a node are its arguments, no more and no fewer."""
    arguments = {
        (value.node, value.output, position)
        for position, value in enumerate(node.inputs)
        if value is not None
    }
    edges = {(origin, *key) for origin, _, key in graph.nx.in_edges(identifier, keys=True)}
    if arguments != edges:
        yield f"has edges {sorted(edges)} for arguments {sorted(arguments)}"


def _subgraphs(graph: Graph, identifier: int, node: Node) -> Iterator[str]:
    """Subgraphs are sound themselves, and what they capture are the last arguments."""
    for name, inner in node.subgraphs.items():
        yield from (f"has in its `{name}`: {finding}" for finding in _findings(inner))
        if inner.parameters:
            yield f"holds parameters in its `{name}`, where they can only be captured"
        for captured, position in inner.captures.items():
            given = node.inputs[position] if position < len(node.inputs) else None
            if given is None or not given.type.agrees(inner.inputs[captured].type):
                found = "nothing" if given is None else given.type
                what = f"`{captured}` of type {inner.inputs[captured].type}"
                yield f"captures argument {position}, {found}, in its `{name}` as {what}"


def _types(graph: Graph, identifier: int, node: Node) -> Iterator[str]:
    """The recorded types are those that inference gives."""
    row = node.row
    if row is None or row.op_type != node.op_type:
        yield "is not an operator of the instruction set"
        return
    spoken = graph.opsets.get(row.domain, 0)
    if row.since_version > spoken:
        version = f"version {row.since_version} of the domain `{row.domain}`"
        yield f"is of {version}, and the graph of version {spoken}"
    try:
        call = Builder(graph).call(
            row,
            node.inputs,
            node.attributes,
            outputs=len(node.outputs),
            subgraphs=node.subgraphs,
        )
        inferred = tuple(row.infer(call))
    except InferenceError as failure:
        yield f"has operands that it does not take: {failure}"
        return
    if inferred != node.outputs and not _agree(inferred, node.outputs):
        recorded, found = (", ".join(map(str, types)) for types in (node.outputs, inferred))
        yield f"is recorded as {recorded}, but is {found}"


def _agree(inferred: Sequence[TensorType], recorded: Sequence[TensorType]) -> bool:
    return len(inferred) == len(recorded) and all(
        a.agrees(b) for a, b in zip(inferred, recorded, strict=True)
    )


def _leaf(graph: Graph, identifier: int, node: Node) -> Iterator[str]:
    """Leaves take nothing and yield one value, constants one of their own shape."""
    if node.inputs or len(node.outputs) != 1:
        yield f"has {len(node.inputs)} arguments and {len(node.outputs)} outputs"
    elif node.op_type == CONSTANT and node.attributes["value"].shape != node.outputs[0].shape:
        yield f"is recorded as {node.outputs[0]}, which is not its value's shape"


def _tables(graph: Graph) -> Iterator[str]:
    """The graph's tables refer to values that are there, inputs and parameters of all of them."""
    for op_type, table in ((INPUT, graph.inputs), (PARAMETER, graph.parameters)):
        nodes = {
            node.attributes["name"]: identifier
            for identifier, node in graph.nodes()
            if node.op_type == op_type
        }
        if nodes != {name: value.node for name, value in table.items()}:
            yield f"the table of {op_type} nodes does not hold exactly these nodes"
    if not graph.outputs:
        yield "there is no output"
    for name, value in graph.outputs.items():
        yield from (f"output `{name}` is a value {what}" for what in _missing(graph, value))
    for path, layer in graph.layers.items():
        for value in layer.outputs:
            yield from (f"layer `{path}` yields a value {what}" for what in _missing(graph, value))
    for name, value in graph.labels.items():
        yield from (f"label `{name}` is a value {what}" for what in _missing(graph, value))


def _missing(graph: Graph, value: Value) -> Iterator[str]:
    """What is wrong with a value, if anything."""
    if not 0 <= value.node < len(graph):
        yield f"of node {value.node}, which is not there"
    elif not 0 <= value.output < len(graph[value.node].outputs):
        yield f"output {value.output} of node {value.node}, which has fewer"
    elif value.type != graph[value.node].outputs[value.output]:
        found = graph[value.node].outputs[value.output]
        yield f"of type {value.type}, where node {value.node} yields {found}"
