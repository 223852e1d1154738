"""Adds nodes to a graph and infers their types at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...grammar.source import Span
from .graph import CONSTANT, INPUT, PARAMETER, Graph, Node, Value, own_arguments
from .initializers import Init
from .signature import (
    NO_ATTRIBUTES,
    REQUIRED,
    SIGNATURES,
    BodyType,
    InferenceError,
    MissingAttributeError,
    OpCall,
    Signature,
)
from .tensor import Tensor
from .types import DType, HolderType, Shape, TensorType

MOST_KNOWN = 1_000


class Builder:
    """Builds onto `graph`; nodes get the builder's current scope and span.

    Operators are methods by their ONNX names: `build.Conv(x, w, b, strides=(2, 2))` returns the
    operator's only output; `build.op("Split", (x,), outputs=3)` returns all of several. An
    operator that the table does not have is given as its row.
    """

    def __init__(self, graph: Graph, *, scope: str = "", span: Span | None = None) -> None:
        self._graph = graph
        self.scope = scope
        self.span = span

    @property
    def graph(self) -> Graph:
        """What it builds onto."""
        return self._graph

    def __getattr__(self, op_type: str) -> Callable[..., Value]:
        row = SIGNATURES.find(op_type, self._graph.opsets)
        if row is None:
            raise AttributeError(op_type)

        def apply(*inputs: Value | None, **attributes: Any) -> Value:
            return self.op(row, inputs, attributes)[0]

        return apply

    def op(
        self,
        operator: str | Signature,
        inputs: Sequence[Value | None],
        attributes: Mapping[str, Any] | None = None,
        *,
        outputs: int = 1,
        subgraphs: Mapping[str, Graph] = NO_ATTRIBUTES,
    ) -> tuple[Value, ...]:
        """Append an operator, given by its name in the table or as a row.

        What its subgraphs capture stands after its own arguments.

        Raises:
            InferenceError: The operator does not take these operands.
        """
        inputs = tuple(inputs)
        call = self.call(operator, inputs, attributes, outputs=outputs, subgraphs=subgraphs)
        types, row = tuple(call.row.infer(call)), call.row
        attributes = call.attributes
        return self._append(
            Node(row.op_type, inputs, types, attributes, self.scope, self.span, row, subgraphs)
        )

    def _append(self, operator: Node) -> tuple[Value, ...]:
        return self._graph.add(operator)

    def again(
        self, node: Node, inputs: Sequence[Value | None], *, outputs: int | None = None
    ) -> tuple[Value, ...]:
        """Append the operator of a node on other arguments, on demand with fewer outputs.

        Raises:
            InferenceError: The operator does not take these operands.
        """
        assert node.row is not None
        count = len(node.outputs) if outputs is None else outputs
        subgraphs = node.subgraphs
        return self.op(node.row, inputs, node.attributes, outputs=count, subgraphs=subgraphs)

    def inner(self, name: str) -> "Builder":
        """A builder on a new graph, to be a subgraph of an operator that is appended here."""
        graph = Graph(name, opsets=self._graph.opsets)
        return Builder(graph, scope=self.scope, span=self.span)

    def capture(self, value: Value, argument: int) -> Value:
        """Append to a subgraph what stands for a value of the outer graph.

        Args:
            value: The outer value.
            argument: Which argument of the operator that the subgraph belongs to it is.
        """
        return self._leaf(INPUT, value.type, name=f"captured{argument}", captures=argument)

    def call(
        self,
        operator: str | Signature,
        inputs: Sequence[Value | None],
        attributes: Mapping[str, Any] | None = None,
        *,
        outputs: int = 1,
        subgraphs: Mapping[str, Graph] = NO_ATTRIBUTES,
    ) -> OpCall:
        """An application as type inference sees it: types, known values, defaults filled in.

        Raises:
            MissingAttributeError: An attribute without a default is not given.
            InferenceError: An attribute asks for what the types do not determine.
        """
        row = operator
        if not isinstance(row, Signature):
            row = SIGNATURES.named(row, self._graph.opsets)
        if subgraphs:
            inputs = inputs[: own_arguments(len(inputs), subgraphs)]
        filled = {**row.attributes, **(attributes or {})}
        if REQUIRED in filled.values():
            missing = ", ".join(f"`{name}`" for name, value in filled.items() if value is REQUIRED)
            raise MissingAttributeError(f"{row.op_type} needs {missing}")
        types = tuple([None if value is None else value.type for value in inputs])
        if not row.takes_holders:
            for type in types:
                if isinstance(type, HolderType):
                    raise InferenceError(f"{row.op_type} takes no {type}")
        return OpCall(
            row,
            types,
            filled if row.settles is None else row.settles(filled, types),
            tuple([None if value is None else self._known(value) for value in inputs]),
            outputs,
            {name: _body_type(inner) for name, inner in subgraphs.items()},
        )

    def known(self, value: Value) -> Any:
        """What a value holds, as nested tuples, where that is known: constants and shapes.

        Of what is computed, no more than `MOST_KNOWN` numbers are given, and each is computed once.
        """
        known = self._known(value)
        return known.nested() if isinstance(known, Tensor) else known

    def _known(self, value: Value) -> Any:
        """What a value holds where that is known, a constant as it is."""
        producer = self._graph.records[value.node]
        if producer.row is None:
            return producer.attributes["value"] if producer.op_type == CONSTANT else None
        if producer.row.known is None or not _is_followed(producer):
            return None
        facts, pending = self._graph.facts, [value.node]
        while pending:  # no recursion: chains may be long
            missing = [] if pending[-1] in facts else self._missing(self._graph[pending[-1]])
            if missing:
                pending += missing
                continue
            identifier = pending.pop()
            if identifier not in facts:
                facts[identifier] = self._computed(self._graph[identifier])
        return facts[value.node]

    def _missing(self, node: Node) -> list[int]:
        """The nodes whose outputs must be known before this one's."""
        sources = {x.node for x in node.inputs if x is not None} - self._graph.facts.keys()
        return [source for source in sources if _is_followed(self._graph[source])]

    def _computed(self, node: Node) -> Any:
        assert node.row is not None
        assert node.row.known is not None
        return node.row.known(self.call(node.row, node.inputs, node.attributes))

    def input(self, name: str, type: TensorType) -> Value:
        """Append an input of the network."""
        return self._leaf(INPUT, type, name=name)

    def constant(self, value: Any, dtype: DType) -> Value:
        """Append a constant, given as a number, nested tuples of numbers, or an array."""
        tensor = Tensor.of(value, dtype)
        return self._leaf(CONSTANT, TensorType(dtype, tensor.shape), value=tensor)

    def index_constant(self, value: Any) -> Value:
        """Append a constant of int64: a shape, axes, or indices."""
        return self.constant(value, DType.INT64)

    def parameter(
        self,
        name: str,
        shape: Shape,
        *,
        init: Init,
        trainable: bool = True,
        buffer: bool = False,
        literal: Any = None,
        dtype: DType = DType.FLOAT32,
        fans: tuple[int, int] | None = None,
    ) -> Value:
        """Append a parameter or, with `buffer`, a running statistic that no gradient trains.

        `fans` are fan_in and fan_out for its initializer, where its shape is not (out, in, *k).
        """
        type = TensorType(dtype, shape)
        return self._leaf(
            PARAMETER,
            type,
            name=name,
            init=init,
            trainable=trainable and not buffer,
            buffer=buffer,
            literal=literal,
            fans=fans,
        )

    def _leaf(self, op_type: str, type: TensorType, **attributes: Any) -> Value:
        node = Node(op_type, (), (type,), attributes, self.scope, self.span)
        return self._graph.add(node)[0]


def _body_type(inner: Graph) -> BodyType:
    captured = inner.captures
    own = (value.type for name, value in inner.inputs.items() if name not in captured)
    return BodyType(tuple(own), tuple(value.type for value in inner.outputs.values()))


def _is_followed(node: Node) -> bool:
    """Whether an operator's output is computed where its arguments are known."""
    if node.row is None or node.row.known is None:
        return False
    if node.outputs[0].dtype.is_float or isinstance(node.outputs[0], HolderType):
        return False
    size = node.outputs[0].size
    return isinstance(size, int) and size <= MOST_KNOWN
