"""Extents that inputs determine -> nothing: checks what the compiler had to leave open."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...compiler.ir.builder import Builder
from ...compiler.ir.dim import Dim, Polynomial, counts_samples
from ...compiler.ir.graph import INPUT, LEAVES, Graph, Node, Value
from ...compiler.ir.signature import InferenceError
from ...compiler.ir.types import TensorType
from ...compiler.ops.opdef import Operands
from ...compiler.passes.rewrite import rewrite
from ...grammar.diagnostics import NetError, error
from ..arrays.feeds import spell
from ..arrays.memory import physical_memory
from .batch_statistics import check_statistics


def check_binding(graph: Graph, nodes: Sequence[int], symbols: Mapping[str, int]) -> None:
    """Check that nodes take the extents that concrete inputs determine, and fit into memory.

    Args:
        graph: The graph.
        nodes: The nodes that are to run.
        symbols: The extents by name, such as `N`.

    Raises:
        NetError: E206, extents do not fit each other or leave nothing; E570, they leave BN in
            training one value per channel; E507, a tensor needs more memory than there is.
    """
    try:
        _check_types(graph, nodes, symbols)
    except NetError:  # where the batch does not matter, the message does not name it
        _check_types(graph, nodes, {name: n for name, n in symbols.items() if name != "N"})
        raise
    check_statistics(graph, nodes, symbols)
    for identifier in nodes:
        for type in graph[identifier].outputs:
            size = type.bind(symbols).bytes
            if isinstance(size, int) and size > physical_memory():
                raise exceeds_memory(graph, identifier, type.bind(symbols))


def place(graph: Graph, node: Node) -> str:
    """A node by its layer, in the author's words: `POOL `pool1``."""
    layer = graph.layers.get(node.scope)
    kind = layer.kind if layer else node.op_type
    return f"{kind} `{node.scope}`" if node.scope else kind


def exceeds_memory(graph: Graph, identifier: int, type: TensorType) -> NetError:
    """The error for a tensor that memory cannot hold."""
    node = graph[identifier]
    return error(
        "E507",
        f"there is not enough memory for the result of {place(graph, node)}: {spell(type.shape)}",
        node.span,
        help="run smaller batches or smaller inputs",
    )


def _check_types(graph: Graph, nodes: Sequence[int], symbols: Mapping[str, int]) -> None:
    """Infer all types again from inputs of the extents that are settled.

    They must be what the compiler declared, which took extents for equal, and cuts to lie within
    their axes, where nothing spoke against it.
    """
    if not symbols:
        return
    settled = _listed([f"{name} = {extent}" for name, extent in symbols.items()])

    def settle(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        return (build.input(node.attributes["name"], node.outputs[0].bind(symbols)),)

    def infer(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        if node.subgraphs:  # whose types hold symbols: of the outside they are told as they are
            types = tuple(type.bind(symbols) for type in node.outputs)
            return build.graph.add(replace(node, inputs=operands, outputs=types))
        try:
            outputs = build.again(node, operands)
        except InferenceError as failure:
            message = f"{place(graph, node)} cannot take an input of {settled}"
            raise error("E206", message, node.span, notes=[str(failure)]) from None
        for declared, value in zip(node.outputs, outputs, strict=True):
            if any(map(_vanishes, declared.shape, value.shape)):
                message = f"an input of {settled} is too small for {place(graph, node)}"
                left = spell(_as_met(graph, node, value.type).shape)
                raise error("E206", message, node.span, notes=[f"it leaves {left}"])
            if not declared.bind(symbols).agrees(value.type):
                message = f"{place(graph, node)} cannot take an input of {settled}"
                left, wanted = (
                    spell(_as_met(graph, node, type).shape)
                    for type in (value.type, declared.bind(symbols))
                )
                note = f"it leaves {left} where the network expects {wanted}"
                raise error("E206", message, node.span, notes=[note])
        return outputs

    needed = set(nodes)
    for identifier in nodes:
        needed.update(v.node for v in graph[identifier].inputs if v is not None)
    operators = {graph[i].op_type for i in nodes} - LEAVES
    bare = Graph(graph.name, graph.records, opsets=graph.opsets)
    rewrite(bare, {**dict.fromkeys(operators, infer), INPUT: settle}, keep=needed)


def _as_met(graph: Graph, node: Node, type: TensorType) -> TensorType:
    """The type with the axes of a sequence in the author's order.

    Layers that slide along sequences transpose them, and what they yield back.
    """
    layer = graph.layers.get(node.scope)
    if layer is None or type.rank != 3 or len(layer.outputs) != 1:
        return type
    (inner,), (outer,) = node.outputs[:1], layer.outputs
    transposed = inner.shape != outer.shape == tuple(inner.shape[axis] for axis in (0, 2, 1))
    return type.with_shape(type.shape[axis] for axis in (0, 2, 1)) if transposed else type


def _vanishes(declared: Dim, extent: Dim) -> bool:
    """Whether nothing is left of an open extent; there may be no samples, but no part of one."""
    least = 0 if counts_samples(declared) else 1
    return isinstance(declared, Polynomial) and isinstance(extent, int) and extent < least


def _listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))
