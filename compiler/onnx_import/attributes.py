"""Attributes of nodes: their values by type, and the checks that make reading them safe."""

from collections.abc import Iterator, Mapping
from typing import Any

from onnx import AttributeProto, FunctionProto, GraphProto, NodeProto

from .faults import fault, shown

# The field that holds the value of an attribute of each type.
FIELDS: Mapping[int, str] = {
    AttributeProto.FLOAT: "f",
    AttributeProto.INT: "i",
    AttributeProto.STRING: "s",
    AttributeProto.TENSOR: "t",
    AttributeProto.GRAPH: "g",
    AttributeProto.SPARSE_TENSOR: "sparse_tensor",
    AttributeProto.TYPE_PROTO: "tp",
    AttributeProto.FLOATS: "floats",
    AttributeProto.INTS: "ints",
    AttributeProto.STRINGS: "strings",
    AttributeProto.TENSORS: "tensors",
    AttributeProto.GRAPHS: "graphs",
    AttributeProto.SPARSE_TENSORS: "sparse_tensors",
    AttributeProto.TYPE_PROTOS: "type_protos",
}
KINDS: Mapping[str, Any] = {field: kind for kind, field in FIELDS.items()}
MESSAGES = {"t", "g", "sparse_tensor", "tp"}  # which are there, however empty


def check_attributes(node: NodeProto, *, in_function: bool) -> None:
    """Names are there once each, types are known, and values are of their types.

    A type that is missing, as old files have it, follows from the value.

    Raises:
        NetError: E576.
    """
    names = set()
    for attribute in node.attribute:
        wrong = _wrong(attribute, in_function)
        if attribute.name in names:
            wrong = "is given twice"
        if wrong:
            raise fault(f"attribute {shown(attribute.name)} of {described(node)} {wrong}")
        names.add(attribute.name)


def _wrong(attribute: AttributeProto, in_function: bool) -> str:
    """What is wrong with an attribute; empty where nothing is."""
    held = [field.name for field, _ in attribute.ListFields() if field.name in KINDS]
    if not attribute.name:
        return "has no name"
    if attribute.ref_attr_name:
        if not in_function:
            return f"refers to {shown(attribute.ref_attr_name)} of no function"
        return "holds both a value and a reference" if held else ""
    if attribute.type == AttributeProto.UNDEFINED and len(held) == 1:
        attribute.type = KINDS[held[0]]
    if attribute.type not in FIELDS:
        return "has no type that ONNX knows"
    own = FIELDS[attribute.type]
    if held not in ([own], []) or (own in MESSAGES and not held):
        kind = AttributeProto.AttributeType.Name(attribute.type)
        return f"does not hold the {kind} that it says"
    return ""


def described(node: NodeProto) -> str:
    """A node as messages name it: its operator, and its name or its first output."""
    name = node.name or next((output for output in node.output if output), "")
    op_type = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    return f"{op_type} {shown(name)}" if name else op_type


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs that a node holds in its attributes."""
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def graphs_in(graph: GraphProto | FunctionProto) -> Iterator[GraphProto | FunctionProto]:
    """A graph, or the body of a function, and all subgraphs in it."""
    yield graph
    for node in graph.node:
        for inner in subgraphs(node):
            yield from graphs_in(inner)


def find(node: NodeProto, name: str) -> AttributeProto | None:
    """An attribute of a node, where it is given."""
    return next((attribute for attribute in node.attribute if attribute.name == name), None)


def value(node: NodeProto, name: str, kind: int, default: Any = None) -> Any:
    """The value of an attribute; strings are text, lists are tuples.

    Raises:
        NetError: E576, the attribute is of another type.
    """
    found = find(node, name)
    if found is None:
        return default
    if found.type != kind:
        wanted = AttributeProto.AttributeType.Name(kind)
        raise fault(f"attribute {shown(name)} of {described(node)} is not of type {wanted}")
    held = getattr(found, FIELDS[kind])
    if kind == AttributeProto.STRING:
        return held.decode(errors="replace")
    return tuple(held) if kind in (AttributeProto.INTS, AttributeProto.FLOATS) else held


def drop(node: NodeProto, *names: str) -> None:
    """Remove attributes from a node, where they are given."""
    for position in reversed(range(len(node.attribute))):
        if node.attribute[position].name in names:
            del node.attribute[position]
