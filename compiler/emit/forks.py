"""Drawing -> Drawing: a tensor that skips within a frame enters it once, and forks inside."""

from collections import Counter
from dataclasses import replace

from .clusters import Cluster
from .collapse import Drawing
from .layer_view import Box, Edge

FORK = "FORK"


def fork(drawing: Drawing) -> Drawing:
    """Put a fork into every cluster that a skip enters from outside with other edges beside it.

    So the skip of a residual block stays inside the block's frame.
    """
    chains: dict[int, tuple[Cluster, ...]] = {}
    _index(drawing.root, (), chains)
    entering = Counter(
        (edge.source, cluster)
        for edge in drawing.edges
        for cluster in chains[edge.target]
        if cluster not in chains[edge.source]
    )
    boxes = list(drawing.boxes)
    edges: dict[Edge, None] = {}
    forks: dict[tuple[int, Cluster], int] = {}
    for edge in drawing.edges:
        place = (edge.source, chains[edge.target][-1])
        if edge.skip and entering[place] > 1 and place not in forks:
            forks[place] = len(boxes)
            place[1].children.insert(0, len(boxes))
            boxes.append(Box("", FORK))
    for edge in drawing.edges:
        near = reversed(chains[edge.target])
        via = next((forks[edge.source, c] for c in near if (edge.source, c) in forks), None)
        if via is not None:
            edges[Edge(edge.source, via)] = None
            edge = replace(edge, source=via)
        edges[edge] = None
    return replace(drawing, boxes=tuple(boxes), edges=tuple(edges))


def _index(
    cluster: Cluster, around: tuple[Cluster, ...], chains: dict[int, tuple[Cluster, ...]]
) -> None:
    """Note for each box the clusters around it, outermost first."""
    around = (*around, cluster)
    for child in cluster.children:
        if isinstance(child, Cluster):
            _index(child, around, chains)
        else:
            chains[child] = around
