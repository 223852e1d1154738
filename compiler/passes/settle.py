"""Graph -> Graph: what every engine does to a network before it runs or is written."""

from collections.abc import Callable, Mapping

from ..ir.graph import Graph
from ..ir.verify import verify
from .cancel_transposes import cancel_transposes
from .eliminate_dead_nodes import eliminate_dead_nodes
from .set_mode import set_mode


def settle(graph: Graph) -> Graph:
    """Put a network in inference mode and simplify it; each pass is verified.

    What is to be read must be an output before: nothing else is sure to stay.
    """
    for name, transform in PASSES.items():
        graph = transform(graph)
        verify(graph, after=name)
    return graph


def infer(graph: Graph) -> Graph:
    """The network in inference mode."""
    return set_mode(graph, training=False)


PASSES: Mapping[str, Callable[[Graph], Graph]] = {
    "set_mode": infer,
    "cancel_transposes": cancel_transposes,
    "eliminate_dead_nodes": eliminate_dead_nodes,
}
