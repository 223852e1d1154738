"""Graph -> nothing: checks the invariants that lowering and every pass must establish."""

from collections.abc import Iterable, Iterator, Sequence

from ...grammar.diagnostics import error
from .builder import Builder
from .graph import CONSTANT, INPUT, LEAVES, PARAMETER, Graph, Node, Value
from .signature import InferenceError
from .types import TensorType


class InvariantError(Exception):
    """A graph that no program can cause: a bug in the stage that the message names."""


def need_output(graph: Graph) -> None:
    """Refuse a graph that yields nothing, which no program makes, but Python can.

    Raises:
        NetError: E575.
    """
    if not graph.outputs:
        raise error(
            "E575",
            f"`{graph.name}` has no output",
            help="enter a value in the outputs of the graph",
        )


def verify(graph: Graph, *, after: str = "lowering") -> None:
    """Check a graph's invariants, in time linear in its size.

    Every argument is a value of an earlier node and has that node's type; types are those that
    inference gives; inputs and parameters are entered under their names; outputs, labels and
    layers refer to values that are there.

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
    sound: set[tuple[int, ...]] = set()
    for identifier, node in graph.nodes():
        for finding in _of_node(graph, identifier, node, sound):
            where = f" in {node.scope}" if node.scope else ""
            yield f"node {identifier} ({node.op_type}{where}) {finding}"
    yield from _tables(graph)


def _of_node(
    graph: Graph, identifier: int, node: Node, sound: set[tuple[int, ...]]
) -> Iterable[str]:
    """What is wrong with a node; `sound` keeps what nodes that are right have in common."""
    if found := _arguments(graph, identifier, node):
        return found
    if node.op_type in LEAVES:
        return _leaf(node)
    like = graph.likeness(node)
    if like in sound:
        return ()
    found = [*_subgraphs(node), *_types(graph, node)]
    if not found:
        sound.add(like)
    return found


def _arguments(graph: Graph, identifier: int, node: Node) -> list[str]:
    """Arguments are outputs of earlier nodes, with those outputs' types."""
    found = []
    for position, value in enumerate(node.inputs):
        if value is None:
            continue
        if not 0 <= value.node < identifier:
            found.append(
                f"takes argument {position} from node {value.node}, which is not before it"
            )
        elif what := _missing(graph, value):
            found.append(f"takes argument {position}, {what}")
    return found


def _subgraphs(node: Node) -> Iterator[str]:
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


def _types(graph: Graph, node: Node) -> Iterator[str]:
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


def _leaf(node: Node) -> Iterator[str]:
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
    held = (
        *((f"output `{name}` is", value) for name, value in graph.outputs.items()),
        *((f"layer `{p}` yields", v) for p, layer in graph.layers.items() for v in layer.outputs),
        *((f"label `{name}` is", value) for name, value in graph.labels.items()),
    )
    for name, value in held:
        if what := _missing(graph, value):
            yield f"{name} a value {what}"


def _missing(graph: Graph, value: Value) -> str:
    """What is wrong with a value, if anything."""
    if not 0 <= value.node < len(graph.records):
        return f"of node {value.node}, which is not there"
    outputs = graph.records[value.node].outputs
    if not 0 <= value.output < len(outputs):
        return f"output {value.output} of node {value.node}, which has fewer"
    if value.type is not outputs[value.output] and value.type != outputs[value.output]:
        return f"of type {value.type}, where node {value.node} yields {outputs[value.output]}"
    return ""
