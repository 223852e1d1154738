"""A shard's losses, gradients and statistics -> those of the whole batch, summed over all ranks."""

from ..ir.builder import Builder
from ..ir.graph import Graph
from ..ops.collective import summed
from ..passes.append_backward import GRADIENT
from ..passes.shards import Shard, differing
from ..passes.training_mode import NEXT
from .objective import LOSS


def sum_over_ranks(graph: Graph) -> None:
    """Sum the outputs of a step that belong to the whole batch, in the graph itself.

    Losses and gradients are parts of those of the batch, and sum to these. Running statistics that
    differ between the ranks become their mean, each weighed by the samples of its shard. What the
    network yields for each sample stays with the rank.
    """
    differ = differing(graph)
    build = Builder(graph, scope=LOSS)
    for name, value in graph.outputs.items():
        if value.node not in differ:
            continue
        if name == LOSS or name.startswith(f"{LOSS}.") or name.endswith(GRADIENT):
            graph.outputs[name] = summed(build, value)
        elif name.endswith(NEXT):
            part = build.Mul(value, Shard.of(build).share(build, value.dtype))
            graph.outputs[name] = summed(build, part)
