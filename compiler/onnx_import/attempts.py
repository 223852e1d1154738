"""Graph of operators -> graph of layers, until all that is recognized turns out to be one."""

from contextlib import suppress

from ..ir.dim import BATCH
from ..ir.graph import Graph
from ..layers.recurrent import CELLS
from .batches import Misfit, check_one_sample
from .layered import Layering
from .recognition.movements import forget
from .recognize import Recognized, recognize
from .states import with_states


def layered(raw: Graph, *, keeps_equals: bool = False) -> Graph:
    """The graph with layers in place of what is recognized; other operators are layers themselves.

    A batch of one sample, as exporters leave it, becomes `N` where all operators allow it.

    Args:
        raw: The operators, simplified.
        keeps_equals: Whether equal tensors are stored once for each layer, as netc does, so that
            one that several layers read is shared by them.
    """
    found = recognize(raw)
    others = [n for i, n in raw.nodes() if n.op_type in CELLS and i not in {*found, *found.inside}]
    if others:
        graph = _recognized(with_states(raw, others), keeps_equals)
        kinds = [layer for layer in graph.layers.values() if layer.kind in CELLS]
        if not any("hidden_size" in layer.arguments for layer in kinds):
            return graph  # all of them are layers
    return _recognized(raw, keeps_equals)


def _recognized(raw: Graph, keeps_equals: bool) -> Graph:
    try:
        return _attempted(raw, keeps_equals)
    finally:
        forget()


def _attempted(raw: Graph, keeps_equals: bool) -> Graph:
    refused: set[tuple[int, str]] = set()
    # Where the batch is open already, an extent of 1 is no batch.
    is_open = any(x.shape[:1] == (BATCH,) for x in raw.inputs.values())
    while True:
        found, known = recognize(raw, refused), len(refused)
        for opens in (False,) if is_open else (True, False):
            attempt = Layering(raw, found, opens, keeps_equals)
            with suppress(Misfit):
                graph = attempt.run()
                if attempt.refused <= refused:
                    if opens:
                        check_one_sample(graph)
                    return graph
                refused |= attempt.refused
                break
        if len(refused) == known:
            return Layering(raw, Recognized(), False, keeps_equals).run()
