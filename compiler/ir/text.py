"""Graph -> stable text, a line per node: for golden tests and `--emit`."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any
from zlib import crc32

from .graph import Graph, Node, Value
from .tensor import Tensor, shape_of

MAX_SHOWN = 16  # numbers of a literal; longer ones show their shape and a checksum


def to_text(graph: Graph) -> str:
    """The graph as text: inputs, outputs, nodes in order, then layers and other labels.

    The text holds no places in the source, so it changes only where the network does. Values are
    `%node`, or `%node.output` for all but the first output; attributes that are not set are left
    out.
    """
    sections = [
        _header(graph),
        [line for identifier, node in graph.nodes() for line in _lines(identifier, node)],
        [
            f"layer {path} = {layer.kind} -> {_listed(layer.outputs)}"
            for path, layer in graph.layers.items()
        ],
        [
            f"label {name} = {_spell(value)}"
            for name, value in graph.labels.items()
            if name not in graph.layers
        ],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _header(graph: Graph) -> list[str]:
    return [
        f"net {graph.name}",
        *(f"input {name} = {_typed(value)}" for name, value in graph.inputs.items()),
        *(f"output {name} = {_typed(value)}" for name, value in graph.outputs.items()),
    ]


def _lines(identifier: int, node: Node) -> Iterator[str]:
    """A node, and below it its subgraphs, indented."""
    yield _line(identifier, node)
    for name, inner in node.subgraphs.items():
        yield f"  {name}:"
        yield from (f"    {line}".rstrip() for line in to_text(inner).splitlines())


def _line(identifier: int, node: Node) -> str:
    outputs = ", ".join(
        f"{_spell(Value(identifier, i, type))}: {type}" for i, type in enumerate(node.outputs)
    )
    arguments = [*map(_spell, node.inputs), *_attributes(node.attributes)]
    scope = f"  @{node.scope}" if node.scope else ""
    return f"{outputs} = {node.op_type}({', '.join(arguments)}){scope}"


def _attributes(attributes: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sorted(attributes.items()):
        if value is not None:
            yield f"{name}={_literal(value)}"


def _literal(value: Any) -> str:
    if isinstance(value, Tensor):
        value = value.nested()
    if isinstance(value, tuple):
        shape = shape_of(value)
        if prod(shape) > MAX_SHOWN:
            return f"<{'x'.join(map(str, shape))}, crc {crc32(repr(value).encode()):08x}>"
    return repr(value) if isinstance(value, str | tuple) else str(value)


def _typed(value: Value) -> str:
    return f"{_spell(value)}: {value.type}"


def _listed(values: tuple[Value, ...]) -> str:
    return ", ".join(map(_spell, values))


def _spell(value: Value | None) -> str:
    if value is None:
        return "_"
    return f"%{value.node}" + (f".{value.output}" if value.output else "")
