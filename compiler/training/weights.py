"""Graph -> what its parameters are: weights, biases, or scales and shifts."""

from collections.abc import Iterator

from ..ir.graph import INPUT, Graph, Value
from ..ops.opdef import Role, row_of


def roles(graph: Graph) -> dict[str, Role]:
    """What each parameter is, by name, as the operators that it reaches show, not its name.

    A parameter is what it is where it, or what is computed from parameters alone (a weight that
    is transposed, masked, or normalized), meets data. One that is shared is a weight where any of
    its uses makes it one.
    """
    data = _data(graph)
    return {name: _role(graph, value, data) for name, value in graph.parameters.items()}


def regularized(graph: Graph, *, biases: bool = False) -> dict[str, Value]:
    """The trainable weights by name; with `biases` all that is trainable."""
    found = roles(graph)
    return {
        name: value
        for name, value in graph.parameters.items()
        if graph.producer(value).attributes["trainable"] and (biases or found[name] is Role.WEIGHT)
    }


def _role(graph: Graph, value: Value, data: set[int]) -> Role:
    met = set(_roles_at_data(graph, value, data))
    for role in (Role.WEIGHT, Role.SCALE, Role.BIAS):
        if role in met:
            return role
    return Role.OTHER


def _roles_at_data(graph: Graph, value: Value, data: set[int]) -> Iterator[Role]:
    """The roles that a parameter plays where it meets data."""
    pending, seen = [value], {(value.node, value.output)}
    while pending:
        current = pending.pop()
        for identifier in graph.consumers(current):
            node = graph[identifier]
            if identifier in data:
                yield from _roles_at(graph, identifier, current)
                continue
            for output, type in enumerate(node.outputs):
                if (identifier, output) not in seen:
                    seen.add((identifier, output))
                    pending.append(Value(identifier, output, type))


def _roles_at(graph: Graph, identifier: int, value: Value) -> Iterator[Role]:
    """The roles of a parameter among a node's arguments; w in sum w x is a weight, too."""
    node = graph[identifier]
    if node.op_type == "Mul":
        users = graph.consumers(Value(identifier, 0, node.outputs[0]))
        if users and all(graph[user].op_type == "ReduceSum" for user in users):
            yield Role.WEIGHT
    for place, argument in enumerate(node.inputs):
        if argument == value:
            yield row_of(node).role(place)


def _data(graph: Graph) -> set[int]:
    """The nodes that depend on an input of the network."""
    found: set[int] = set()
    for identifier, node in graph.nodes():
        if node.op_type == INPUT or any(v is not None and v.node in found for v in node.inputs):
            found.add(identifier)
    return found
