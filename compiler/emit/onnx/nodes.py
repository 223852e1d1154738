"""Graph -> GraphProto without weights: a table of emitters, one rule for all that have none."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from onnx import AttributeProto, GraphProto, NodeProto, ValueInfoProto, helper

from ...ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Node, required
from ...onnx_standard.protos import CONSTANT_NOTE, attributes_of, tensor_proto, value_info
from .names import Names, name_all, name_inside
from .written import written


@dataclass(frozen=True, slots=True)
class Emission:
    """A model under construction.

    Attributes:
        graph: What is exported.
        opset: The opset to write.
        names: Names of nodes and values.
        proto: What was emitted so far.
    """

    graph: Graph
    opset: int
    names: Names
    proto: GraphProto = field(default_factory=GraphProto)


def emit(graph: Graph, opset: int, *, every_value: bool = False) -> Emission:
    """Emit a graph; parameters are referred to by name and stay out.

    Args:
        graph: The graph, in inference mode.
        opset: The opset to write.
        every_value: Make every computed value an output, after the graph's own.

    Raises:
        NetError: E510, names that ONNX cannot keep apart.
    """
    emission = _emit(Emission(graph, opset, name_all(graph)))
    infos = _intermediates(emission)
    (emission.proto.output if every_value else emission.proto.value_info).extend(infos)
    return emission


def _emit(emission: Emission) -> Emission:
    """Write a graph with the names that were chosen."""
    graph, proto, names = emission.graph, emission.proto, emission.names
    proto.name = graph.name or "net"
    captured = graph.captures
    proto.input.extend(
        value_info(names.of(value), value.type)
        for name, value in graph.inputs.items()
        if name not in captured
    )
    for identifier, node in graph.nodes():
        EMITTERS.get(node.op_type, emit_operator)(emission, identifier, node)
    _emit_outputs(emission)
    _drop_unused(proto)
    return emission


def emit_operator(emission: Emission, identifier: int, node: Node) -> None:
    """A node with the same operator and the same attributes; those that are not set stay out.

    Optional arguments that are left out at the end stay out, too: onnxruntime takes an empty name
    for an argument that is there, and no longer folds what follows into a convolution.
    """
    call = written(emission.graph, node, emission.opset)
    row = required(node.row)
    version = emission.graph.opsets[row.domain] if row.domain else emission.opset
    proto = NodeProto(op_type=row.name, domain=row.domain, name=emission.names.nodes[identifier])
    inputs = [emission.names.of(value) for value in call.inputs]
    while inputs and not inputs[-1]:
        inputs.pop()
    proto.input.extend(inputs)
    proto.output.extend(emission.names.values[identifier, i] for i in range(len(node.outputs)))
    proto.attribute.extend(attributes_of(row, call.attributes, version))
    proto.attribute.extend(_subgraphs(emission, node))
    layer = emission.graph.layers.get(node.scope)
    proto.doc_string = f"{layer.kind} {node.scope}" if layer else node.scope
    emission.proto.node.append(proto)


def _subgraphs(emission: Emission, node: Node) -> Iterator[AttributeProto]:
    """A node's subgraphs, which read outer values by their names."""
    for key, inner in node.subgraphs.items():
        captured = {name: emission.names.of(node.inputs[i]) for name, i in inner.captures.items()}
        names = name_inside(inner, emission.names, captured)
        proto = _emit(Emission(inner, emission.opset, names)).proto
        yield AttributeProto(name=key, type=AttributeProto.GRAPH, g=proto)


def emit_constant(emission: Emission, identifier: int, node: Node) -> None:
    """A constant is an initializer, which says that it is none of the weights."""
    (type,), name = node.outputs, emission.names.values[identifier, 0]
    tensor = tensor_proto(node.attributes["value"], type.dtype, name)
    if type.dtype.is_float:
        tensor.doc_string = CONSTANT_NOTE
    emission.proto.initializer.append(tensor)


def emit_nothing(emission: Emission, identifier: int, node: Node) -> None:
    """Inputs are declared and parameters are written elsewhere."""


Emitter = Callable[[Emission, int, Node], None]
EMITTERS: Mapping[str, Emitter] = {
    INPUT: emit_nothing,
    PARAMETER: emit_nothing,
    CONSTANT: emit_constant,
}


def _emit_outputs(emission: Emission) -> None:
    """Declare the outputs; what has another name already is copied."""
    for label, value in emission.graph.outputs.items():
        name = emission.names.outputs[label]
        if label in emission.names.copies:
            source = emission.names.of(value)
            emission.proto.node.append(helper.make_node("Identity", [source], [name], name=name))
        emission.proto.output.append(value_info(name, value.type))


def _drop_unused(proto: GraphProto) -> None:
    """Leave out constants that no node reads: an older opset may have them as attributes."""
    read = set(_read(proto))
    kept = [constant for constant in proto.initializer if constant.name in read]
    del proto.initializer[:]
    proto.initializer.extend(kept)


def _read(proto: GraphProto) -> Iterator[str]:
    """The names that nodes read, in subgraphs, too."""
    for node in proto.node:
        yield from node.input
        for held in node.attribute:
            if held.type == AttributeProto.GRAPH:
                yield from _read(held.g)
                yield from (output.name for output in held.g.output)


def _intermediates(emission: Emission) -> list[ValueInfoProto]:
    """The types of all values that are computed and not outputs by themselves."""
    outputs = set(emission.graph.outputs)
    return [
        value_info(emission.names.values[identifier, i], type)
        for identifier, node in emission.graph.nodes()
        if identifier in emission.names.nodes
        for i, type in enumerate(node.outputs)
        if emission.names.values[identifier, i] not in outputs
    ]
