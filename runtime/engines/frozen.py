"""Graph -> Graph whose weights stay as they are: what depends on them alone is computed once."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import CONSTANT, PARAMETER, Graph, Node, Value
from ...compiler.ir.types import HolderType
from ...compiler.ops.opdef import Operands
from ...compiler.passes.eliminate_common_subexpressions import is_determined
from ...compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from ...compiler.passes.rewrite import copy, rewrite
from ..weights.state import State
from .executor import run
from .plan import plan

MOST_BYTES = 2**28  # that are kept of what was computed, besides the weights themselves


def frozen(graph: Graph, weights: State, *, dtype: str | None = None) -> Graph:
    """A graph in inference mode for these weights alone, which it reads where inputs meet them.

    Such are the factors of a normalization, and the transposed weights of a dense layer, whose
    products are faster. What comes to more than `MOST_BYTES` in all is computed by each run.
    """
    graph = rewrite(graph, {"Gemm": _transpose_first})
    fixed = _fixed(graph)
    ends = {v for i, node in graph.nodes() if i not in fixed for v in node.inputs if v is not None}
    ends |= set(graph.outputs.values())
    computed = {
        str(number): value
        for number, value in enumerate(sorted(ends, key=lambda v: (v.node, v.output)))
        if fixed.get(value.node) and _is_array(value)
    }
    if not computed or bytes_of(computed.values()) > MOST_BYTES:
        return graph
    alone = replace(graph, inputs={}, outputs=computed)
    arrays = run(plan(alone, dtype=dtype, fuse=True), {}, weights)
    known = {value: arrays[name] for name, value in computed.items()}

    def build_known(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        values = [Value(identifiers[id(node)], k, type) for k, type in enumerate(node.outputs)]
        if not any(value in known for value in values):
            return None
        made = copy(build, node, operands)
        return tuple(
            build.constant(known[old], old.dtype) if old in known else new
            for old, new in zip(values, made, strict=True)
        )

    identifiers = {id(node): identifier for identifier, node in graph.nodes()}
    op_types = {graph[value.node].op_type for value in known}
    return eliminate_dead_nodes(rewrite(graph, dict.fromkeys(op_types, build_known)))


def _fixed(graph: Graph) -> Mapping[int, bool]:
    """The nodes that depend on weights and constants alone, and whether they compute anything."""
    found: dict[int, bool] = {}
    for identifier, node in graph.nodes():
        if node.op_type in (PARAMETER, CONSTANT):
            found[identifier] = False
        elif node.inputs and is_determined(node) and not _sees_others(node, found):
            found[identifier] = True
    return found


def _sees_others(node: Node, known: Container[int]) -> bool:
    return any(value is not None and value.node not in known for value in node.inputs)


def _is_array(value: Value) -> bool:
    """Whether a value is an array of known extents, and not a list of some."""
    return not isinstance(value.type, HolderType) and isinstance(value.type.bytes, int)


def bytes_of(values: Iterable[Value]) -> int:
    """How many bytes the values of known extents take."""
    sizes = (value.type.bytes for value in values)
    return sum(size for size in sizes if isinstance(size, int))


def _transpose_first(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """A dense layer by its transposed weight, as it is multiplied."""
    _, weight, *_ = operands
    if not node.attributes["transB"] or weight is None:
        return None
    turned = build.Transpose(weight, perm=(1, 0))
    plain = replace(node, attributes={**node.attributes, "transB": 0})
    return copy(build, plain, (operands[0], turned, *operands[2:]))
