"""Graph to bytes: the peak of live activations for one sample at inference, and per layer."""

from collections.abc import Iterator, Mapping

from ...grammar.records import record
from ..ir.dim import Dim
from ..ir.graph import INPUT, LEAVES, Graph, Node
from ..ir.schedule import Schedule, needed_outputs, schedule
from ..ir.types import TensorType
from ..ops.opdef import definition
from .counts import ONE_SAMPLE, at_large, total


@record
class Memory:
    """Bytes of activations for one sample at inference.

    Attributes:
        peak: The most that is live at once, in the order of the schedule. An operator's arguments
            and outputs are live together; inputs count, parameters and constants do not.
        layers: For each layer, the bytes of its outputs; 0 for views of another layer's.
    """

    peak: Dim
    layers: Mapping[str, Dim]


def measure(graph: Graph) -> Memory:
    """Measure a graph; linear in its nodes.

    Where extents are symbolic, the peak is that of large inputs.
    """
    owners = _owners(graph)
    layers = {
        path: total(
            tensor_bytes(value.type)
            for value in layer.outputs
            if graph[owners[value.node]].scope == path
        )
        for path, layer in graph.layers.items()
    }
    return Memory(_peak(graph, schedule(graph, graph.outputs.values()), owners), layers)


def tensor_bytes(type: TensorType) -> Dim:
    """The bytes of a tensor for one sample."""
    return type.bind(ONE_SAMPLE).bytes


def _owners(graph: Graph) -> list[int]:
    """For each node the node whose memory its output lies in: its own, or a view's origin."""
    owners: list[int] = []
    for identifier, node in graph.nodes():
        origin = node.inputs[0] if _is_view(node) else None
        owners.append(identifier if origin is None else owners[origin.node])
    return owners


def _is_view(node: Node) -> bool:
    row = definition(node)
    return row is not None and row.view


def live_bytes(graph: Graph) -> Iterator[tuple[int, Dim]]:
    """Each node of the schedule, in order, and the bytes that are live while it runs."""
    return _live(graph, schedule(graph, graph.outputs.values()), _owners(graph))


def _live(graph: Graph, plan: Schedule, owners: list[int]) -> Iterator[tuple[int, Dim]]:
    """Nodes and live bytes.

    Memory is taken when its owner runs, and given back after the last use of its owner and views.
    """
    dies: dict[int, int] = {}
    for identifier, position in plan.last_use.items():
        owner = owners[identifier]
        dies[owner] = max(dies.get(owner, 0), position)
    scheduled = (*plan.leaves, *plan.order)
    needed = needed_outputs(graph, scheduled)
    held = {i: _held(graph[i], needed[i]) for i in scheduled if owners[i] == i}
    dying: dict[int, list[int]] = {}
    for owner, position in dies.items():
        dying.setdefault(position, []).append(owner)

    live = total(held[i] for i in plan.leaves)
    for leaf in plan.leaves:
        yield leaf, live
    for position, identifier in enumerate(plan.order):
        live = live + held.get(identifier, 0)
        yield identifier, live
        live = live - total(held[owner] for owner in dying.get(position, ()))


def _peak(graph: Graph, plan: Schedule, owners: list[int]) -> Dim:
    """The most live bytes at any time."""
    return max((live for _, live in _live(graph, plan, owners)), key=at_large, default=0)


def _held(node: Node, outputs: int) -> Dim:
    """Bytes that a node's outputs take while it is live; parameters are not activations."""
    if node.op_type in LEAVES and node.op_type != INPUT:
        return 0
    return total(map(tensor_bytes, node.outputs[:outputs]))
