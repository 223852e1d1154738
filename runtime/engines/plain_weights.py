"""A network with normalized weights -> the same with plain ones, as models are deployed."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import PARAMETER, Graph, Node, Value
from ...compiler.ir.initializers import ZEROS
from ...compiler.ops.opdef import Operands
from ...compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from ...compiler.passes.rewrite import rewrite
from ..weights.initialize import NORMALIZED
from ..weights.state import State
from .engine import run


def with_plain_weights(graph: Graph, state: State) -> tuple[Graph, State]:
    """A network whose normalized weights are computed once, each under the name `weight`.

    Args:
        graph: The network, mode-neutral.
        state: Parameters and buffers by name.

    Returns:
        The network, and its weights; both as they were where none is normalized.
    """
    places = dict(_normalized(graph))
    if not places:
        return graph, state
    arrays = run(_alone(graph, places), {}, state)

    def plain(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        name = _plain_name(graph, node)
        if name is None:
            return None
        found = build.graph.parameters.get(name)
        dtype = node.outputs[0].dtype
        return (found or build.parameter(name, node.outputs[0].shape, init=ZEROS, dtype=dtype),)

    kinds = {graph.producer(value).op_type for value in places.values()}
    plainly = eliminate_dead_nodes(graph, dict.fromkeys(kinds, plain))
    joined = ChainMap(dict(arrays), state)  # type: ignore[arg-type]  # nothing is written to it
    return plainly, joined


def _alone(graph: Graph, outputs: Mapping[str, Value]) -> Graph:
    """What outputs are computed from, without inputs that they do not depend on."""
    pending, needed = [value.node for value in outputs.values()], set[int]()
    while pending:
        identifier = pending.pop()
        if identifier not in needed:
            needed.add(identifier)
            pending += [value.node for value in graph[identifier].inputs if value is not None]
    return rewrite(replace(graph, outputs=dict(outputs)), {}, keep=needed)


def _normalized(graph: Graph) -> Iterator[tuple[str, Value]]:
    """The names of plain weights, and the values that normalization yields for them."""
    for identifier, node in graph.nodes():
        name = _plain_name(graph, node)
        if name is not None:
            yield name, Value(identifier, 0, node.outputs[0])


def _plain_name(graph: Graph, node: Node) -> str | None:
    """What the weight is called that an operator makes of what is learned; None of others."""
    first = node.inputs[0] if node.op_type in ("Mul", "netc.SpectralNorm") else None
    source = None if first is None else graph.producer(first)
    if source is None or source.op_type != PARAMETER:
        return None
    learned = str(source.attributes["name"])
    found = (learned.removesuffix(f".{end}") for end in NORMALIZED if learned.endswith(f".{end}"))
    path = next(found, None)
    return None if path is None else f"{path}.weight"
