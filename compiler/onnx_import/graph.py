"""ModelProto -> Graph: each operator as it is, with the types that inference gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, defs

from ...grammar.diagnostics import NetError, error
from .. import ops as _ops  # noqa: F401  (fills the op table)
from ..ir.builder import Builder
from ..ir.dim import Polynomial
from ..ir.graph import CONSTANT, Graph, Value
from ..ir.initializers import ZEROS
from ..ir.signature import OPSETS, InferenceError
from ..ir.types import HolderType, TensorType
from ..onnx_standard.foreign_operators import default_of, foreign_row, one_per_element
from ..onnx_standard.schemas import schema_of
from ..onnx_standard.words import WORDS
from ..ops.cuts import UnknownValueError
from ..ops.opdef import OPS, OpDef, once
from ..ops.receptive_field import everything
from .attributes import graphs_in, subgraphs
from .bodies import free_names, handed_over, widened
from .declared import Declarations
from .differentiated import differentiated
from .faults import fault, shown
from .folding import MOST_FOLDED, folded, held
from .inlining import inlined
from .node_attributes import attributes_of, constant_of
from .roles import STATISTICS, is_compared, is_learned, is_unweighted
from .scopes import Scopes
from .stored import StoredTensor, constant, dequantized, stored

# What inference may raise on operands and attributes that no checked model has.
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def graph_of(model: ModelProto, folder: str = "") -> Graph:
    """The graph of a checked model of an opset that we build.

    Parameters are float tensors that are stored with the model, and have their names; all other
    stored tensors are constants. Nothing is a layer yet.

    Args:
        model: The model, without functions of its own.
        folder: Where the files beside it are.

    Raises:
        NetError: E506, an operator does not take its operands, or its result's rank is open.
    """
    versions = {each.domain: each.version for each in model.opset_import}
    nodes = (node for graph in graphs_in(model.graph) for node in graph.node)
    unstated = {node.domain: 1 for node in nodes}
    opsets = {**unstated, **OPSETS, **versions, "": max(versions.get("", 0), OPSETS[""])}
    build = Builder(Graph(model.graph.name, opsets=opsets))
    declared = Declarations.of(model)
    return _Reader(build, model.graph, declared, Scopes.of(model.graph), folder).read()


@dataclass(eq=False)
class _Reader:
    """Reads a graph of a model, or a subgraph of one of its operators.

    Attributes:
        build: Builds what was read.
        proto: What is read.
        declared: What the model says of types.
        scopes: The paths of nodes.
        folder: Where the files beside the model are.
        given: The types of a subgraph's inputs as its operator hands them over.
        values: What was read, by name.
        tensors: The stored tensors by name.
        uses: The operators that read a name, with the place of the argument.
        own_names: The names of stored tensors that are read by another name only.
        fillers: Stored tensors that stand for weights that a normalization does not have.
    """

    build: Builder
    proto: GraphProto
    declared: Declarations
    scopes: Scopes
    folder: str
    given: Sequence[TensorType | None] = ()
    values: dict[str, Value] = field(default_factory=dict)
    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    uses: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    own_names: dict[str, str] = field(default_factory=dict)
    fillers: set[str] = field(default_factory=set)

    @property
    def is_inner(self) -> bool:
        """Whether it is a subgraph, which holds no parameters of its own."""
        return bool(self.given)

    def read(self) -> Graph:
        """The graph with its inputs and outputs."""
        names = [info.name for info in self.proto.output]
        self.build.graph.outputs = dict(zip(names, self.yields(), strict=True))
        return self.build.graph

    def yields(self) -> list[Value]:
        """What it yields, after all that it takes is entered, and all nodes are read."""
        self.tensors = {t.name: stored(t, self.folder) for t in self.proto.initializer}
        for name, use in _uses(self.proto):
            self.uses.setdefault(name, []).append(use)
        plain = (node for node in self.proto.node if is_unweighted(node))
        self.fillers = {name for node in plain for name in node.input}
        for node in reversed(self.proto.node):  # a mask of which as much is compared as is needed
            compared = [use for name in node.output for use in self.uses.get(name, [])]
            if node.op_type in ("Identity", "Slice") and is_compared(compared):
                uses = self.uses[node.input[0]]
                uses[uses.index((node.op_type, 0))] = compared[0]
        for place, info in enumerate(self.proto.input):
            if info.name not in self.tensors and info.name not in self.values:
                handed = self.given[place] if place < len(self.given) else None
                type = self.declared.input(info, handed)
                self.values[info.name] = self.build.input(info.name, type)
        for node in self.proto.node:
            self.build.scope = self.scopes.path(node)
            self._read_node(node)
        return [self._value(info.name) for info in self.proto.output]

    def _read_node(self, node: NodeProto) -> None:
        if not any(node.output):
            return
        rows = self._rows(node)
        _check_signature(node, _schema(rows))
        if node.op_type == "Constant" and not node.domain:
            tensor = constant_of(node)
            self.values[node.output[0]] = self.build.constant(tensor, tensor.dtype)
            return
        if node.op_type == "Identity" and node.input and node.input[0] in self.tensors:
            # PyTorch's exporter stores equal weights once: each name is a weight of its own.
            # A name that nothing else reads is the weight's own.
            (source,), (name,) = node.input, node.output
            self.tensors[name] = self.tensors[source]
            if len(self.uses[source]) == 1:
                self.own_names[name] = self.own_names.get(source, source)
            return
        if node.op_type == "DequantizeLinear" and self._is_weight(node):
            return
        inputs: list[Value | None] = [self._value(name) if name else None for name in node.input]
        if node.op_type == "Resize":  # tf2onnx leaves scales and a region out as empty tensors
            inputs = [None if x and x.type.size == 0 and i else x for i, x in enumerate(inputs)]
        results: Sequence[Value] | None = self._inlined(node, inputs)
        results = results or differentiated(node, self.build, self._value)
        if results is None:
            results = self._apply(node, rows, inputs, self._subgraphs(node, inputs))
        for name, value in zip(node.output, results, strict=False):
            if name:
                self.values[name] = value

    def _is_weight(self, node: NodeProto) -> bool:
        """Whether a node yields a learned weight, which from now on is read as such."""
        held = [self.tensors.get(name) for name in node.input]
        attributes, (name,) = attributes_of(node), node.output
        if self.is_inner or node.domain or None in held or attributes.get("block_size"):
            return False
        source, scale, zero = (*held, None)[:3]
        assert source is not None
        assert scale is not None
        tensor = dequantized(source, scale, zero, attributes.get("axis", 1))
        own = node.input[0].removesuffix("_quantized")
        if tensor is None or not is_learned(own, tensor, self.uses.get(name, [])):
            return False
        self.tensors[name] = tensor
        if own not in {*self.own_names.values(), *self.tensors.keys() - {node.input[0]}}:
            self.own_names[name] = own
        return True

    def _apply(
        self,
        node: NodeProto,
        rows: Sequence[OpDef],
        inputs: Sequence[Value | None],
        inner: Mapping[str, Graph],
    ) -> Sequence[Value]:
        """The node's outputs, by the first row that takes its operands.

        Rows are ours, then onnx's; where neither infers types, the model may declare them.

        Raises:
            NetError: E506, no row takes the operands, or the types are not declared either.
        """
        attributes = attributes_of(node)
        failure: Exception | None = None
        _check_words(node, attributes)
        _check_types(node, _schema(rows), inputs)
        for row in rows:
            try:
                given = _known_attributes(row, attributes)
                if given is not None:
                    count = len(node.output)
                    found = self.build.op(row, inputs, given, outputs=count, subgraphs=inner)
                    _check_extents(found)
                    return self._settled_results(node, inputs, inner, found)
            except (InferenceError, *UNFORESEEN) as refusal:
                failure = refusal
                # Our own row is as strict as engines are, and onnx's is not.
                if _are_settled(inputs) and not isinstance(refusal, UnknownValueError):
                    break
        if failure is None or isinstance(failure, UnknownValueError):
            return self._declared(node, inputs, attributes, inner, failure)
        raise _misfit(node, failure)

    def _declared(
        self,
        node: NodeProto,
        inputs: Sequence[Value | None],
        attributes: Mapping[str, Any],
        inner: Mapping[str, Graph],
        reason: Exception | None,
    ) -> Sequence[Value]:
        """The node's outputs, of the types that the model declares."""
        rows = self._rows(node)
        types = [self.declared.computed(name) for name in node.output]
        if not rows and types == [None] and inputs and inputs[0] is not None:
            types = [inputs[0].type]  # most operators that others define map element by element
        known = [type for type in types if type is not None]
        if len(known) < len(types):
            raise error(
                "E506",
                f"the type of `{node.output[types.index(None)]}`, which {_described(node)} yields,"
                " is unknown",
                notes=[str(reason)] if reason else [],
                help="state the shapes of the model's inputs and values",
            )
        base = rows[0] if rows else _unknown_row(node, self.build.graph.opsets)
        # The row's own rules may refuse what it is given, as inference did.
        counted: dict[str, Any] = {"cost": one_per_element, "turns": once}
        row = replace(base, infer=lambda call: known, known=None, **counted)
        try:
            given = _known_attributes(rows[0], attributes) if rows else None
            given = attributes if given is None else given
            return self.build.op(row, inputs, given, outputs=len(known), subgraphs=inner)
        except (InferenceError, *UNFORESEEN) as failure:
            raise _misfit(node, failure) from None

    def _settled_results(
        self,
        node: NodeProto,
        inputs: Sequence[Value | None],
        inner: Mapping[str, Graph],
        results: Sequence[Value],
    ) -> Sequence[Value]:
        """Constants in place of results that are the same for all inputs of the model."""
        if any(isinstance(value.type, HolderType) for value in results):
            return results
        found = [held(self.build, value) for value in results]
        if None in found and not inner:
            operands = [None if value is None else held(self.build, value) for value in inputs]
            given = zip(operands, inputs, strict=True)
            if any(operand is None and value is not None for operand, value in given):
                return results
            sizes = [value.type.size for value in results]
            few = all(isinstance(size, int) and size <= MOST_FOLDED for size in sizes)
            found = [*(folded(node, self.build.graph.opsets, operands, few) or found)]
        tensors = [tensor for tensor in found if tensor is not None]
        if not tensors or len(tensors) < len(results):
            return results
        return [self.build.constant(tensor, tensor.dtype) for tensor in tensors]

    def _rows(self, node: NodeProto) -> list[OpDef]:
        opsets = self.build.graph.opsets
        own = OPS.find(_name(node), opsets)
        if own is not None and own.takes_holders:  # which onnx's rules do not know
            return [own]
        foreign = foreign_row(node.op_type, opsets.get(node.domain, 1), node.domain)
        return [row for row in (own, foreign) if row is not None]

    def _value(self, name: str) -> Value:
        """What a name stands for; a stored tensor is entered where it is read first."""
        if name not in self.values and name in self.tensors:
            self.values[name] = self._leaf(name, self.tensors[name])
        if name not in self.values:
            raise error("E506", f"nothing yields `{name}`, which the model reads")
        return self.values[name]

    def _leaf(self, name: str, tensor: StoredTensor) -> Value:
        uses = self.uses.get(name, [])
        buffer = any(place in STATISTICS.get(op_type, ()) for op_type, place in uses)
        is_filler = name in self.fillers and not buffer
        if self.is_inner or is_filler or not is_learned(name, tensor, uses):
            held = constant(tensor)
            return self.build.constant(held, held.dtype)
        return self.build.parameter(
            self.own_names.get(name, name),
            tensor.type.shape,
            init=ZEROS,
            buffer=buffer,
            literal=tensor,
            dtype=tensor.type.dtype,
        )

    def _inlined(self, node: NodeProto, inputs: Sequence[Value | None]) -> list[Value] | None:
        """What a node yields for which the nodes of another graph stand."""
        proto = inlined(node, self.build, inputs)
        if proto is None:
            return None
        values = {name: self._value(name) for name in free_names(proto)}
        given = zip(proto.input, inputs, strict=False)
        values |= {info.name: value for info, value in given if value is not None}
        scopes, folder = self.scopes, self.folder
        reader = _Reader(self.build, proto, self.declared, scopes, folder, (None,), values)
        return reader.yields()

    def _subgraphs(self, node: NodeProto, inputs: list[Value | None]) -> dict[str, Graph]:
        """The node's subgraphs; what they capture is appended to its inputs."""
        protos = {a.name: a.g for a in node.attribute if a.HasField("g")}
        schema = protos and _schema(self._rows(node))
        if schema:  # what ONNX does not know is left out
            protos = {name: proto for name, proto in protos.items() if name in schema.attributes}
        if not protos:
            return {}
        types = [None if value is None else value.type for value in inputs]
        try:
            handed = handed_over(node.op_type, attributes_of(node), types)
        except InferenceError as failure:
            raise fault(f"{_described(node)} {failure}") from None
        captured: dict[str, tuple[Value, int]] = {}
        for name in dict.fromkeys(name for proto in protos.values() for name in free_names(proto)):
            value = self._value(name)
            captured[name] = value, len(inputs)
            if self.build.graph.producer(value).op_type != CONSTANT:
                inputs.append(value)
        found = {name: self._inner(proto, handed, captured) for name, proto in protos.items()}
        wider = widened(node.op_type, handed, found)
        if wider == handed:
            return found
        return {name: self._inner(proto, wider, captured) for name, proto in protos.items()}

    def _inner(
        self,
        proto: GraphProto,
        handed: Sequence[TensorType | None],
        captured: Mapping[str, tuple[Value, int]],
    ) -> Graph:
        build = self.build.inner(proto.name)
        scopes, folder = self.scopes, self.folder
        given = (*handed, None)
        reader = _Reader(build, proto, self.declared, scopes, folder, given)
        read = set(free_names(proto))
        for name, (value, place) in captured.items():
            held = self.build.graph.producer(value)
            if held.op_type == CONSTANT:
                tensor = held.attributes["value"]
                reader.values[name] = build.constant(tensor, value.dtype)
            elif name in read:
                reader.values[name] = build.capture(value, place)
        return reader.read()


EXTENTS = range(2**63)  # what an int64 holds
SINGLE = defs.OpSchema.FormalParameterOption.Single


def _name(node: NodeProto) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain else node.op_type


def _described(node: NodeProto) -> str:
    return f"`{_name(node)}`" + (f" (`{node.name}`)" if node.name else "")


def _unknown_row(node: NodeProto, opsets: Mapping[str, int]) -> OpDef:
    """The row of an operator that only the model's author knows."""
    facts: dict[str, Any] = {"cost": one_per_element, "sees": everything, "takes_holders": True}
    attributes = dict.fromkeys(attributes_of(node))
    version = opsets.get(node.domain, 1)
    infer = lambda call: ()  # noqa: E731  (it is replaced)
    return OpDef(
        _name(node), version, domain=node.domain, infer=infer, attributes=attributes, **facts
    )


def _known_attributes(row: OpDef, attributes: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The attributes that the row has; None where it lacks one that is not at its default.

    What ONNX does not know is left out.
    """
    schema = schema_of(row.name, row.since_version, row.domain)
    known = schema.attributes if schema else attributes
    for name in attributes.keys() - row.attributes.keys():
        if name in known and (not schema or attributes[name] != default_of(schema, name)):
            return None
    return {name: value for name, value in attributes.items() if name in row.attributes}


def _uses(proto: GraphProto) -> Iterator[tuple[str, tuple[str, int]]]:
    """The names that nodes read, in subgraphs, too, each with the operator and the argument."""
    for node in proto.node:
        for place, name in enumerate(node.input):
            yield name, (node.op_type, place)
        for inner in subgraphs(node):
            yield from _uses(inner)


def _check_words(node: NodeProto, attributes: Mapping[str, Any]) -> None:
    """Refuse words that ONNX does not know.

    Raises:
        NetError: E576.
    """
    for name, value in attributes.items():
        words = WORDS.get((node.op_type, name))
        if words is not None and value not in words:
            message = f"{_described(node)} has no `{name}` {shown(str(value))}"
            raise fault(message, help=f"it is one of {', '.join(words)}")


def _check_types(node: NodeProto, schema: Any, inputs: Sequence[Value | None]) -> None:
    """Refuse arguments of element types that the operator does not take, or not together.

    Raises:
        NetError: E506.
    """
    if schema is None or not schema.inputs:
        return
    bound: dict[str, str] = {}
    for place, value in enumerate(inputs[: len(node.input)]):
        formal = schema.inputs[min(place, len(schema.inputs) - 1)]
        if value is None or isinstance(value.type, HolderType):
            continue
        kind = f"tensor({TensorProto.DataType.Name(value.type.dtype.code).lower()})"
        wanted = bound.setdefault(formal.type_str, kind) if formal.is_homogeneous else kind
        if kind not in formal.types or kind != wanted:
            reason = f"`{formal.name}` is of {value.type.dtype.value}"
            raise _misfit(node, InferenceError(reason))


def _check_extents(results: Sequence[Value]) -> None:
    """Refuse extents that no tensor has, which the largest of numbers lead to.

    Raises:
        InferenceError: There is one.
    """
    for value in results:
        for extent in value.type.shape:
            if not (
                isinstance(extent, Polynomial) or (isinstance(extent, int) and extent in EXTENTS)
            ):
                raise InferenceError(f"it would yield {value.type}")


def _are_settled(inputs: Sequence[Value | None]) -> bool:
    """Whether all extents are numbers."""
    types = [value.type for value in inputs if value is not None]
    return all(isinstance(extent, int) for type in types for extent in type.shape)


def _misfit(node: NodeProto, failure: Exception) -> NetError:
    message = f"{_described(node)} does not fit its arguments"
    return error("E506", message, notes=[str(failure)])


def _schema(rows: Sequence[OpDef]) -> Any:
    """What ONNX says of an operator; None where it does not know it."""
    return schema_of(rows[-1].name, rows[-1].since_version, rows[-1].domain) if rows else None


def _check_signature(node: NodeProto, schema: Any) -> None:
    """Refuse arguments, outputs and attributes that the operator does not have, or lacks.

    Raises:
        NetError: E576.
    """
    if schema is None:
        return
    for what, names, least, most in (
        ("inputs", node.input, schema.min_input, schema.max_input),
        ("outputs", node.output, schema.min_output, schema.max_output),
    ):
        if len(names) > most:
            raise fault(f"{_described(node)} has {len(names):_} {what}, and not up to {most:_}")
        if len(names) < least:
            raise fault(f"{_described(node)} has {len(names):_} {what}, and not {least:_} or more")
    for formal, name in zip(schema.inputs, node.input, strict=False):
        if not name and formal.option == SINGLE:
            raise fault(f"{_described(node)} lacks its argument {shown(formal.name)}")
    given = {attribute.name: attribute.type for attribute in node.attribute}
    for attribute in schema.attributes.values():
        kind = AttributeProto.AttributeType.Value(attribute.type.name)
        if attribute.required and attribute.name not in given:
            raise fault(f"{_described(node)} lacks its attribute {shown(attribute.name)}")
        if given.get(attribute.name, kind) != kind:
            message = f"attribute {shown(attribute.name)} of {_described(node)}"
            raise fault(f"{message} is not of type {attribute.type.name}")
