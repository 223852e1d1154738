"""A node of the graph -> the arguments and attributes that an opset writes it with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....grammar.diagnostics import NetError, error
from ...ir.builder import Builder
from ...ir.graph import Graph, Node, Value
from ...onnx_standard.schemas import OPSET, argument_name, default_of, schema_of
from ...ops.opdef import row_of

# Words that attributes of earlier opsets do not know: operator, attribute, word => first opset.
NEWER_WORDS: Mapping[tuple[str, str, Any], int] = {
    ("Pad", "mode", "wrap"): 19,
    ("Resize", "coordinate_transformation_mode", "half_pixel_symmetric"): 19,
    ("ScatterElements", "reduction", "max"): 18,
    ("ScatterElements", "reduction", "min"): 18,
    ("ScatterND", "reduction", "max"): 18,
    ("ScatterND", "reduction", "min"): 18,
}


@dataclass(frozen=True, slots=True)
class Written:
    """How a node is written.

    Attributes:
        inputs: Its arguments, None where one is left out.
        attributes: Those that are set.
    """

    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Any]


def written(graph: Graph, node: Node, opset: int) -> Written:
    """The node in an opset, which may take as an attribute what is an argument now.

    Raises:
        NetError: E509, the opset has no such operator, or it lacks what the node uses.
    """
    assert node.row is not None
    if node.row.domain:
        return Written(node.arguments, node.attributes)
    call = _written(graph, node, opset)
    if isinstance(call, Written):
        return call
    raise _refused(graph, node, opset, call)


def _written(graph: Graph, node: Node, opset: int) -> Written | str:
    """The node in an opset, or what that lacks."""
    schema = schema_of(node.op_type, opset)
    if schema is None:
        return "the operator came later"
    attributes = {name: value for name, value in node.attributes.items() if value is not None}
    for name in [name for name in attributes if name not in schema.attributes]:
        if not _is_default(node.op_type, name, attributes.pop(name)):
            return f"its attribute `{name}` came later"
    for name, value in attributes.items():
        if isinstance(value, str) and opset < NEWER_WORDS.get((node.op_type, name, value), opset):
            return f"its `{name}={value}` came later"
    taken = schema.max_input
    for position, value in enumerate(node.arguments[taken:], start=taken):
        if value is None:
            continue
        name = argument_name(row_of(node), position)
        known = Builder(graph).known(value)
        if name not in schema.attributes or known is None:
            return f"its argument `{name}` came later"
        attributes[name] = known
    return Written(node.arguments[:taken], attributes)


def _is_default(op_type: str, name: str, value: Any) -> bool:
    """Whether an attribute may be left out: it says what its absence says."""
    default = default_of(op_type, name)
    if name == "dilations":  # whose default has an element per axis
        return all(each == 1 for each in value)
    return bool(value == default)


def _refused(graph: Graph, node: Node, opset: int, lack: str) -> NetError:
    later = range(opset + 1, OPSET + 1)
    first = next((o for o in later if isinstance(_written(graph, node, o), Written)), None)
    return error(
        "E509",
        f"cannot write `{node.op_type}` in ONNX opset {opset}: {lack}",
        node.span,
        help=f"opset {first} has it" if first else None,
    )
