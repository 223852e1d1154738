"""Network -> its diagram at several levels of folding, each as SVG."""

from collections.abc import Sequence
from math import sqrt

from ..compiler.analysis.counts import Counts
from ..compiler.emit.palette import THEMES
from ..compiler.ir.graph import Graph
from ..compiler.pictures.graph import MANY_LAYERS, graph_scene
from ..compiler.pictures.svg import to_svg

PAGE = "300x225"  # millimetres: about what a screen has room for
LARGE = "10000x10000"  # that nothing is made smaller for: a reader zooms
COLUMNS = 0.5  # columns squared for each box that make a chain about as wide as a screen
MOST_DEPTHS = 6
MANY_BOXES = 2_000  # from here on only one level that folds is drawn
OVERSEEN = 200  # boxes that it has at most


def levels(graph: Graph, counts: Counts) -> list[dict[str, object]]:
    """Levels from the most folded to every layer: `name`, `depth` (0 where none) and `svg`.

    The one that is shown first has `first`; levels that look like the one before are left out.
    """
    found: dict[str, dict[str, object]] = {}
    for name, depth, settings in _settings(graph):
        options = {"page": PAGE, "title": False, **settings}
        scene = graph_scene(graph, counts=counts, **options)  # type: ignore[arg-type]  # a row of options
        svg = to_svg(scene).partition("\n")[2]  # without the declaration, which no page has inside
        found.setdefault(svg, {"name": name, "depth": depth, "svg": svg})
        if name == "overview":
            found[svg]["name"] = name
    rows = list(found.values())
    first = next((row for row in rows if row["name"] == "overview"), None)
    if first is None:
        first = rows[0] if len(graph.layers) >= MANY_BOXES else rows[-1]
    first["first"] = True
    return rows


def _settings(graph: Graph) -> list[tuple[str, int, dict[str, object]]]:
    """Name, depth and the options of `graph_scene` for each level."""
    deepest = max((path.count(".") for path in graph.layers), default=0)
    depths: Sequence[int] = range(1, deepest + 1)
    if len(graph.layers) >= MANY_BOXES:
        depths = [depth for depth in depths if _boxes(graph, depth) <= OVERSEEN][-1:]
    found = [(f"depth {d}", d, dict[str, object](depth=d)) for d in depths[:MOST_DEPTHS]]
    if MANY_LAYERS < len(graph.layers) < MANY_BOXES:
        found.append(("overview", 0, {}))
    everything: dict[str, object] = {"compact": False, "depth": deepest + 2}
    if len(graph.layers) >= MANY_BOXES:  # the best number of columns would take long to find
        everything |= {"page": LARGE, "columns": round(sqrt(COLUMNS * len(graph.layers)))}
    return [*found, ("every layer", deepest + 1, everything)]


def _boxes(graph: Graph, depth: int) -> int:
    """How many boxes are left where deeper scopes are folded."""
    return len({".".join(path.split(".")[:depth]) for path in graph.layers})


def dark_rules() -> str:
    """CSS by which a diagram in light colours is shown in dark ones."""
    light, dark = THEMES["light"], THEMES["dark"]
    pairs = {light.families[f]: dark.families[f] for f in light.families} | {
        getattr(light, name): getattr(dark, name)
        for name in ("background", "text", "soft_text", "line", "skip", "cluster", "border")
    }
    pairs[light.other] = dark.other
    rules = (
        f'[data-theme="dark"] :is(.diagram, .picture) [fill="{a}"]{{fill:{b}}}'
        f'[data-theme="dark"] :is(.diagram, .picture) [stroke="{a}"]{{stroke:{b}}}'
        for a, b in pairs.items()
    )
    return "\n".join(rules)
