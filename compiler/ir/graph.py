"""The graph: ONNX operators, inputs and parameters as nodes, each with its arguments.

A graph is append-only. Its records are the truth; `Graph.nx`, a `networkx.MultiDiGraph`, and
`Graph.consumers` are indexes of them, brought up to date when they are asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ...grammar.records import record
from ...grammar.source import Span
from .signature import NO_ATTRIBUTES, OPSETS, Signature
from .types import DType, Shape, TensorType

if TYPE_CHECKING:
    import networkx

INPUT = "Input"
PARAMETER = "Parameter"
CONSTANT = "Constant"
LEAVES = frozenset({INPUT, PARAMETER, CONSTANT})

Output = tuple[int, int]  # a node, and which of its outputs
T = TypeVar("T")


def required(value: T | None) -> T:
    """What is there, such as an argument that an operator cannot do without."""
    assert value is not None
    return value


def present(values: Iterable[T | None]) -> tuple[T, ...]:
    """Values of which all are there, such as the arguments of an operator without optional ones."""
    return tuple([required(value) for value in values])


@record
class Value:
    """One output of a node: what other nodes take as an argument."""

    node: int
    output: int
    type: TensorType

    def __repr__(self) -> str:
        return f"<Value {self.node}:{self.output} {self.type}>"

    @property
    def shape(self) -> Shape:
        """The extents, channels first."""
        return self.type.shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.type.dtype


@record
class Node:
    """An operator, input, parameter or constant.

    Attributes:
        op_type: The operator's name, with its domain, as its row has it, or one of `LEAVES`.
        inputs: Arguments in order; None where an optional one is left out. What subgraphs capture
            of this graph comes last.
        outputs: The types of all outputs.
        attributes: ONNX's attributes. `Input` and `Parameter` hold their `name`; an `Input` of a
            subgraph that is captured `captures`, the argument of the outer node; a `Parameter`
            also `init`, `trainable` and `literal`; a `Constant` its `value`, a `Tensor`.
        scope: The path of the layer that it belongs to, such as `layer1.0.conv1`.
        span: Where the author wrote that layer.
        row: What is known of the operator; a leaf has none.
        subgraphs: Graphs that the operator runs, by the names of ONNX's attributes.
    """

    op_type: str
    inputs: tuple[Value | None, ...]
    outputs: tuple[TensorType, ...]
    attributes: Mapping[str, Any] = field(default_factory=lambda: NO_ATTRIBUTES)
    scope: str = ""
    span: Span | None = None
    row: Signature | None = None
    subgraphs: "Mapping[str, Graph]" = field(default_factory=lambda: NO_ATTRIBUTES)

    @property
    def arguments(self) -> tuple[Value | None, ...]:
        """The arguments without what subgraphs capture."""
        return self.inputs[: own_arguments(len(self.inputs), self.subgraphs)]

    def input(self, index: int) -> Value:
        """A required argument."""
        return required(self.inputs[index])

    def optional(self, index: int) -> Value | None:
        """An argument that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def on(self, inputs: "tuple[Value | None, ...]") -> "Node":
        """The same on other arguments, of types with which it yields the same."""
        same = (self.outputs, self.attributes, self.scope, self.span, self.row, self.subgraphs)
        return Node(self.op_type, inputs, *same)

    def __repr__(self) -> str:
        types = ", ".join(map(str, self.outputs))
        return f"<Node {self.op_type} in `{self.scope}`: {types}>"


@record
class Turn:
    """One turn of a repetition that a layer is in: turn `index` (from 0) of `count`."""

    span: Span
    serial: int
    index: int
    count: int


@record
class Layer:
    """A layer of the network; its operators carry its path as scope.

    Attributes:
        kind: The language's name of the layer, such as `CONV`.
        outputs: The tensors that it yields.
        arguments: What it was called with, defaults included.
        defaulted: Names of the arguments that a default filled in.
        span: Where a program calls it; None where no program does.
        labelled: Whether the author named it; automatic names shift when a layer is inserted.
        turns: The repetitions around it, outermost first.
        frozen: Whether training leaves it alone, its weights and its running statistics.
    """

    kind: str
    outputs: tuple[Value, ...]
    arguments: Mapping[str, Any] = field(default_factory=lambda: NO_ATTRIBUTES)
    defaulted: frozenset[str] = frozenset()
    span: Span | None = None
    labelled: bool = False
    turns: tuple[Turn, ...] = ()
    frozen: bool = False


@dataclass(eq=False)
class Graph:
    """A dataflow graph, append-only but for what is added tentatively.

    Attributes:
        name: The network's name.
        records: The nodes; what a node is called by is its place here.
        inputs, parameters, outputs: Values by name, in order of appearance.
        layers: Layers by path, in order of appearance.
        labels: Every name that a value can be fetched by: layers' paths, labels, bindings.
        blocks: What scopes are calls of, by path: blocks' names, as a program lowers to them.
        opsets: The version of each domain that the operators are of.
        facts: What is known of nodes' outputs before they run, by node; `Builder.known` fills it.
    """

    name: str
    records: list[Node] = field(default_factory=list, repr=False)
    inputs: dict[str, Value] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict, repr=False)
    labels: dict[str, Value] = field(default_factory=dict, repr=False)
    blocks: dict[str, str] = field(default_factory=dict, repr=False)
    opsets: Mapping[str, int] = field(default_factory=lambda: OPSETS, repr=False)
    facts: dict[int, Any] = field(default_factory=dict, repr=False)
    _readers: list[list[tuple[int, int]]] = field(default_factory=list, init=False, repr=False)
    _nx: "networkx.MultiDiGraph[int] | None" = field(default=None, init=False, repr=False)

    def __repr__(self) -> str:
        kinds = {"inputs": self.inputs, "parameters": self.parameters, "outputs": self.outputs}
        counts = (f"{len(values):,} {kind}" for kind, values in kinds.items())
        return f"<Graph {self.name}: {len(self):,} nodes, {', '.join(counts)}>"

    def __len__(self) -> int:
        return len(self.records)

    @property
    def nx(self) -> "networkx.MultiDiGraph[int]":
        """The graph for the algorithms of networkx; changes to it change nothing here.

        Node `i` holds its record under `"node"`; edges are keyed (output index, argument index).
        """
        if self._nx is None:
            import networkx  # slow to load, and for users only

            self._nx = networkx.MultiDiGraph()
        for identifier in range(len(self._nx), len(self)):
            node = self.records[identifier]
            self._nx.add_node(identifier, node=node)
            for position, value in enumerate(node.inputs):
                if value is not None:
                    self._nx.add_edge(value.node, identifier, key=(value.output, position))
        return self._nx

    @property
    def captures(self) -> dict[str, int]:
        """Of a subgraph, the inputs that are arguments of the outer node, and which."""
        held = {name: self.producer(value).attributes for name, value in self.inputs.items()}
        return {name: found["captures"] for name, found in held.items() if "captures" in found}

    def add(self, node: Node) -> tuple[Value, ...]:
        """Append a node and return its outputs.

        Raises:
            ValueError: An input or parameter's name is taken: a bug in the caller.
        """
        identifier = len(self.records)
        self.records.append(node)
        outputs = tuple([Value(identifier, i, type) for i, type in enumerate(node.outputs)])
        if node.op_type == INPUT or node.op_type == PARAMETER:
            table = self.inputs if node.op_type == INPUT else self.parameters
            name = node.attributes["name"]
            if name in table:
                raise ValueError(f"{node.op_type} `{name}` is there already")
            table[name] = outputs[0]
        return outputs

    @contextmanager
    def tentatively(self) -> Iterator["Attempt"]:
        """Takes back at the end what is added within, unless it is kept."""
        attempt = Attempt()
        count = len(self)
        tables: tuple[dict[Any, Any], ...] = (
            self.inputs,
            self.parameters,
            self.layers,
            self.labels,
            self.blocks,
            self.facts,
        )
        lengths = [len(table) for table in tables]
        try:
            yield attempt
        finally:
            if not attempt.kept:
                del self.records[count:]
                self._readers, self._nx = [], None
                for table, length in zip(tables, lengths, strict=True):
                    while len(table) > length:
                        table.popitem()

    def __getitem__(self, identifier: int) -> Node:
        return self.records[identifier]

    def producer(self, value: Value) -> Node:
        """The node that a value comes from."""
        return self.records[value.node]

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """All nodes in order of appearance, which is a topological order."""
        return enumerate(self.records)

    def likeness(self, node: Node) -> tuple[int, ...]:
        """What nodes share whose types and costs follow from the very same objects.

        It holds while the graph does. Arguments count by their types and, where it is known,
        by what they hold.
        """
        parts = [id(node.row), id(node.attributes), id(node.outputs), id(node.subgraphs)]
        for value in node.inputs:
            if value is None:
                parts.append(0)
                continue
            parts.append(id(value.type))
            producer = self.records[value.node]
            if producer.op_type == CONSTANT:
                parts.append(id(producer.attributes))
            elif producer.row is not None and producer.row.known is not None:
                parts.append(value.node)
        return tuple(parts)

    def consumers(self, value: Value) -> Sequence[int]:
        """The nodes that take a value as an argument, each once, in order."""
        for identifier in range(len(self._readers), len(self)):
            self._readers.append([])
            for argument in self.records[identifier].inputs:
                if argument is not None:
                    self._readers[argument.node].append((argument.output, identifier))
        readers = self._readers[value.node]
        return list(dict.fromkeys(reader for output, reader in readers if output == value.output))

    def readers(self, identifier: int) -> Iterator[int]:
        """The nodes that take any output of a node as an argument."""
        for output, type in enumerate(self.records[identifier].outputs):
            yield from self.consumers(Value(identifier, output, type))


class Attempt:
    """What is added to a graph tentatively."""

    kept = False

    def keep(self) -> None:
        """Let it stay."""
        self.kept = True


def own_arguments(count: int, subgraphs: Mapping[str, Graph]) -> int:
    """How many of an operator's arguments are its own, and not captured by its subgraphs."""
    return min((p for inner in subgraphs.values() for p in inner.captures.values()), default=count)
