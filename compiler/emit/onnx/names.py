"""Readable names for the nodes and values of an exported model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ....grammar.diagnostics import error
from ...ir.graph import CONSTANT, LEAVES, Graph, Node, Output, Value
from ...onnx_standard.schemas import argument_name


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the operators by node, and of all values by node and output.

    `copies` are the outputs that must be copies, because their value has another name: what no
    operator computes, and what is an earlier output, too. `outputs` are names by the graph's own,
    and `taken` all names of the model, those in subgraphs, too, as soon as they are given.
    """

    nodes: dict[int, str]
    values: dict[Output, str]
    copies: frozenset[str]
    outputs: dict[str, str]
    taken: set[str]

    def of(self, value: Value | None) -> str:
        """A value's name; empty where an optional argument is left out, as in ONNX."""
        return "" if value is None else self.values[value.node, value.output]


class _Distinct:
    """Gives names out once: the second `relu1` becomes `relu1_2`."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.counts: Counter[str] = Counter()

    def __call__(self, wanted: str) -> str:
        name = wanted
        while name in self.taken:
            self.counts[wanted] += 1
            name = f"{wanted}_{self.counts[wanted] + 1}"
        self.taken.add(name)
        return name


def name_all(graph: Graph) -> Names:
    """Name every node and value.

    Inputs, parameters and outputs have their own names. A layer's tensor has the layer's path,
    what leads to it the path and the operator (`fc1.Flatten`), a constant the path and the name
    of the argument that it is first used for (`add1.shape`).

    Raises:
        NetError: E510, two of inputs, parameters and outputs share a name.
    """
    taken = _fixed_names(graph)
    return _named(graph, taken, {name: name for name in taken})


def name_inside(graph: Graph, outer: Names, captured: Mapping[str, str]) -> Names:
    """Name every node and value of a subgraph, none as any other value of the model.

    Args:
        graph: The subgraph.
        outer: The names of the graph that it is in.
        captured: The names that its inputs have there.
    """
    distinct = _Distinct(outer.taken)
    own = {name: distinct(name) for name in (*graph.inputs, *graph.outputs) if name not in captured}
    return _named(graph, distinct.taken, {**own, **captured})


def _named(graph: Graph, taken: set[str], fixed: Mapping[str, str]) -> Names:
    """Name what is inside of a graph, whose inputs, parameters and outputs have names."""
    tables = {**graph.inputs, **graph.parameters}
    values = {(v.node, v.output): fixed[name] for name, v in tables.items()}
    own = _own_outputs(graph)
    values |= {output: fixed[name] for output, name in own.items()}
    wanted = _layer_names(graph)
    distinct_value, distinct_node = _Distinct(taken), _Distinct(set())
    constants = _constant_names(graph)
    nodes: dict[int, str] = {}
    for identifier, node in graph.nodes():
        if node.op_type not in LEAVES:
            nodes[identifier] = distinct_node(wanted.get((identifier, 0)) or _inner(node))
        for i in range(len(node.outputs)):
            if (identifier, i) not in values:
                name = wanted.get((identifier, i)) or constants.get(identifier)
                name = name or _inner(node) + (f".{i}" if i else "")
                values[identifier, i] = distinct_value(name)
    copies = frozenset(graph.outputs).difference(own.values())
    outputs = {name: fixed[name] for name in graph.outputs}
    return Names(nodes, values, copies, outputs, taken)


def _own_outputs(graph: Graph) -> dict[Output, str]:
    """The values that have an output's name: computed ones, by the first of their outputs."""
    own: dict[Output, str] = {}
    for name, value in graph.outputs.items():
        if graph.producer(value).op_type not in LEAVES:
            own.setdefault((value.node, value.output), name)
    return own


def _fixed_names(graph: Graph) -> set[str]:
    """The names that the network's interface takes."""
    owners: dict[str, str] = {}
    tables = {"input": graph.inputs, "parameter": graph.parameters, "output": graph.outputs}
    for kind, table in tables.items():
        for name in table:
            if name in owners:
                raise error(
                    "E510",
                    f"{owners[name]} and {kind} share the name `{name}`, and names in ONNX"
                    " must be unique",
                    help=f"rename the {kind}",
                )
            owners[name] = kind
    return set(owners)


def _layer_names(graph: Graph) -> dict[Output, str]:
    """The tensors that have a layer's path: those that its own operators compute."""
    names: dict[Output, str] = {}
    for path, layer in graph.layers.items():
        for i, value in enumerate(layer.outputs):
            if graph.producer(value).scope == path:
                name = f"{path}.{i}" if i else path
                names.setdefault((value.node, value.output), name)
    return names


def _constant_names(graph: Graph) -> dict[int, str]:
    """Constants by the first argument that they are used for."""
    names: dict[int, str] = {}
    for _, node in graph.nodes():
        for position, value in enumerate(node.arguments):
            if value is not None and graph.producer(value).op_type == CONSTANT:
                argument = argument_name(node.row, position)
                names.setdefault(value.node, _join(graph.producer(value).scope, argument))
    return names


def _inner(node: Node) -> str:
    return _join(node.scope, node.op_type)


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
