"""A batch of one sample, as exporters leave it, that a graph of layers opens."""

from ..ir.graph import Graph
from ..ir.signature import InferenceError
from ..passes.bind_extents import bind_extents


class Misfit(Exception):
    """A layer, or a graph of layers, that does not yield what the model's operators do."""


def check_one_sample(graph: Graph) -> None:
    """Refuse a batch that is open where the model's own sample no longer fits.

    Raises:
        Misfit: With a batch of one, types differ from those of the graph.
    """
    one = {"N": 1}
    try:
        bound = bind_extents(graph, one)
    except InferenceError as failure:
        raise Misfit from failure
    for (_, open), (_, node) in zip(graph.nodes(), bound.nodes(), strict=True):
        for type, found in zip(open.outputs, node.outputs, strict=True):
            if not type.bind(one).agrees(found):
                raise Misfit
