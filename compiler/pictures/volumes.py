"""Graph -> its feature maps as volumes, as in the figures of LeNet's and AlexNet's papers."""

from collections.abc import Iterator

from ...grammar.diagnostics import error
from ..analysis.counts import Counts, count
from ..emit.dot import check_choices
from ..emit.palette import LIGHT, Theme, family, meaning
from ..ir.graph import Graph
from .feature_maps import FeatureMaps, feature_maps
from .ladder import Ladder, levels
from .laid_out_maps import shapes
from .page import Swatch, page
from .repeated_maps import fold
from .rows import BROAD, CLOSE, DENSE, HEAD, LEVELS, NARROW, ROOMY, SLIM, TINY, Layout, Look
from .scene import Line, Paint, Scene
from .solids import PLANES, VOLUMES, activation_colour

# Families of layers that yield feature maps.
SHOWN = frozenset({"convolution", "pooling", "dense", "attention", "unpooling", "resampling"})


def volumes(
    graph: Graph,
    *,
    theme: Theme = LIGHT,
    maps: str = VOLUMES,
    scale: str = "log",
    depth: int | None = None,
    title: bool = True,
    counts: Counts | None = None,
) -> Scene:
    """The feature maps of a network as volumes, on a page of at most A4 across.

    What repeats is drawn once. Chains that are too long for a row take several; where the page
    does not hold these, numbers of channels that differ count as equal, and scopes fold.

    Args:
        graph: The network, not optimised.
        theme: Its colours.
        maps: `volumes`, or `planes`: a stack of planes per map.
        scale: Whether sides follow the extents (`linear`) or their logarithms (`log`).
        depth: Scopes below this depth are one map each.
        title: Whether name and totals are above.
        counts: The network's counts, where they are known already.

    Raises:
        NetError: E511, the network has no feature maps, or too many for a page.
    """
    check_choices(maps=maps, scale=scale)
    counts = counts or count(graph)
    whole = feature_maps(graph, counts, depth)
    if not any(family(found.kind) in SHOWN or not found.kind for found in whole.maps):
        raise error(
            "E511",
            "the style `volumes` draws feature maps, and no layer of this network yields any",
            help="the style `graph` draws any network",
        )
    for found, look, rows in _attempts(graph, counts, depth, whole):
        form = Layout if rows else Ladder
        layout = form(found, look, rows, planes=maps == PLANES, linear=scale == "linear")
        width, height = layout.width, layout.height + HEAD
        if any(width <= size[0] and height <= size[1] for size in layout.pages):
            drawn, legend = shapes(layout, theme), _legend(layout, theme)
            return page(drawn, theme, name=graph.name, counts=counts, legend=legend, heading=title)
    raise error(
        "E511",
        f"the {len(whole.maps)} feature maps of this network do not fit a page",
        help="fold scopes with a smaller depth, or draw it with the style `graph`",
    )


def _attempts(
    graph: Graph, counts: Counts, depth: int | None, whole: FeatureMaps
) -> Iterator[tuple[FeatureMaps, Look, int]]:
    """What to draw, how large, and in how many rows; none stands for a ladder."""
    folded, loose = fold(whole), fold(whole, loosely=True)
    if levels(folded):
        yield from ((folded, look, 0) for look in (*LEVELS, CLOSE, DENSE, SLIM))
    yield folded, BROAD, 1
    yield folded, ROOMY, 1
    yield folded, NARROW, 1
    yield folded, CLOSE, 1
    yield folded, CLOSE, 2
    yield folded, DENSE, 3
    yield loose, CLOSE, 2
    yield loose, DENSE, 3
    yield folded, TINY, 6
    parts = max((path.count(".") + 1 for path in graph.layers), default=1)
    for level in range(min(depth or parts, parts) - 1, 0, -1):
        found = fold(feature_maps(graph, counts, level))
        yield found, CLOSE, 2
        yield found, DENSE, 3
        yield found, TINY, 6


def _legend(layout: Layout, theme: Theme) -> dict[str, Swatch]:
    """What the colours mean."""
    found = layout.found
    legend: dict[str, Swatch] = {}
    for each in found.maps:
        words, colour = meaning(theme, each.kind, each.path)
        legend.setdefault(words or ("other" if each.kind else "block"), colour)
    words, colour = meaning(theme, "INPUT")
    legend[words] = legend.pop(words, colour)  # the last one
    if any(s.found.activation and not s.solid.planes for s in layout.slots):
        legend[meaning(theme, "RELU")[0]] = activation_colour(theme)
    if {"arc", "bridge", "detour", "stub"} & {
        layout.kind(connection) for connection in found.connections
    }:
        legend["skip"] = (Line(((0, 4), (8, 4)), Paint(stroke=theme.skip, width=1.4)),)
    return legend
