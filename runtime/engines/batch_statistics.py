"""Batches that are too small for BatchNormalization in training, found before they are computed."""

from collections.abc import Iterable, Mapping

from ...compiler.ir.graph import Graph
from ...compiler.ir.types import product
from ...grammar.diagnostics import error

LARGER = "take 2 samples or more, or use `LN`, which needs no batch"


def check_statistics(
    graph: Graph,
    nodes: Iterable[int],
    symbols: Mapping[str, int],
    *,
    batch: str = "a batch",
    help: str = LARGER,
) -> None:
    """Refuse batches that leave BatchNormalization one value per channel, which it makes zero.

    Args:
        graph: The graph, in training mode.
        nodes: The nodes that are to run.
        symbols: The extents that the inputs determine, such as `N`.
        batch: What messages call the batch.
        help: What to do about it.

    Raises:
        NetError: E570.
    """
    for identifier in nodes:
        node = graph[identifier]
        if node.op_type != "BatchNormalization" or not node.attributes["training_mode"]:
            continue
        samples, _, *positions = node.outputs[0].bind(symbols).shape
        if product((samples, *positions)) == 1:
            message = f"`{node.scope}` has one value per channel in {batch} of {samples} sample"
            note = "its mean is that value and its deviation 0, so nothing of the input is left"
            raise error("E570", message, node.span, notes=[note], help=help)
