"""Graph -> Graph: determines what differs between training and inference."""

from functools import partial

from ..ir.graph import Graph
from ..ir.verify import need_output
from .inference_mode import INFERENCE_RULES
from .rewrite import rewrite_if_any, within
from .training_mode import NEXT, Training


def set_mode(
    graph: Graph,
    *,
    training: bool,
    seed: int = 0,
    shards: bool = False,
    sync_bn: bool = False,
) -> Graph:
    """Put a mode-neutral graph in training or inference mode.

    In inference Dropout and noise pass their input on, BatchNormalization uses its running
    statistics, spectral normalization its singular vectors, and stochastic pooling is a weighted
    mean. Noise that is always drawn is that of step 0 with the seed 0.

    In training Dropout draws masks and stochastic pooling elements, from noise that depends on
    nothing but the seed, the layer's path and the input `step` (a scalar of int64, counted from
    0), which the graph gets where something draws. BatchNormalization uses the batch's own mean
    and variance, and the running statistics after the batch are the outputs `<name>.next`; a
    frozen one uses its running statistics, and leaves them as they are. So are the vectors of
    spectral normalization, after a step of the power method.

    What is in training mode stays so: a graph that was put in a mode is no longer neutral.

    Subgraphs are put in the mode, too. What they draw is the same in each turn of a loop.

    With `shards` the graph sees part of each batch, and gets the inputs of `Shard` that say which,
    where something draws. With `sync_bn`, the statistics of BatchNormalization are those of the
    whole batch, summed over all ranks.

    Raises:
        NetError: There is no output (E575); in training an input is named `step` (E134), a rate
            of Dropout is computed, or a subgraph moves running statistics (E103).
    """
    need_output(graph)
    if not training:
        return within(partial(rewrite_if_any, rules=INFERENCE_RULES), graph)
    settling = Training(graph, seed, shards=shards, sync_bn=sync_bn)
    settled = settling.settled()
    settled.outputs |= {
        f"{name}{NEXT}": settling.moved[value]
        for name, value in settled.parameters.items()
        if value in settling.moved
    }
    return settled
