"""Attributes of nodes: their values by type, and the checks that make reading them safe."""

from collections.abc import Iterator, Mapping
from typing import Any

from onnx import AttributeProto, GraphProto, NodeProto

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
SINGLE = {"f", "i", "s", "t", "g", "sparse_tensor", "tp"}
REFERENCE = "ref_attr_name"


def is_set(attribute: AttributeProto, field: str) -> bool:
    """Whether an attribute holds something in a field."""
    if field in SINGLE:
        return bool(attribute.HasField(field))
    return len(getattr(attribute, field)) > 0


def check_attributes(node: NodeProto, *, in_function: bool) -> None:
    """Names are there once each, types are known, and values are of their types.

    A type that is missing, as old files have it, is told by the value.

    Raises:
        NetError: E576.
    """
    names = set()
    for attribute in node.attribute:
        where = f"attribute {shown(attribute.name)} of {described(node)}"
        if not attribute.name or attribute.name in names:
            raise fault(f"{where} is given twice" if attribute.name else f"{where} has no name")
        names.add(attribute.name)
        held = [field for field in FIELDS.values() if is_set(attribute, field)]
        if attribute.ref_attr_name:
            if not in_function:
                raise fault(f"{where} refers to {shown(attribute.ref_attr_name)} of no function")
            if held:
                raise fault(f"{where} holds both a value and a reference")
            continue
        if attribute.type == AttributeProto.UNDEFINED and len(held) == 1:
            attribute.type = next(kind for kind, field in FIELDS.items() if field == held[0])
        if attribute.type not in FIELDS:
            raise fault(f"{where} has no type that ONNX knows")
        own = FIELDS[attribute.type]
        if any(field != own for field in held) or (own in {"t", "g"} and not held):
            kind = AttributeProto.AttributeType.Name(attribute.type)
            raise fault(f"{where} does not hold the {kind} that it says")


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
        raise fault(f"attribute {shown(name)} of {described(node)} is no {wanted}")
    held = getattr(found, FIELDS[kind])
    if kind == AttributeProto.STRING:
        return held.decode(errors="replace")
    return tuple(held) if kind in (AttributeProto.INTS, AttributeProto.FLOATS) else held


def drop(node: NodeProto, *names: str) -> None:
    """Remove attributes from a node, where they are given."""
    for position in reversed(range(len(node.attribute))):
        if node.attribute[position].name in names:
            del node.attribute[position]
