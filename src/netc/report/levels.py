"""Network -> its diagram at several levels of folding, each as SVG."""

from ..compiler.analysis.counts import Counts
from ..compiler.emit.palette import THEMES
from ..compiler.ir.graph import Graph
from ..compiler.pictures.graph import MANY_LAYERS, graph_scene
from ..compiler.pictures.svg import to_svg

PAGE = "420x297"  # millimetres: about as wide as a screen
MOST_DEPTHS = 6
MANY_BOXES = 2_000  # from here on only a page's worth and everything are drawn


def levels(graph: Graph, counts: Counts) -> list[dict[str, object]]:
    """Levels from the most folded to every layer: `name`, `depth` (0 where none) and `svg`.

    The one that is shown first has `first`; levels that look like the one before are left out.
    """
    options: list[tuple[str, int, dict[str, object]]] = []
    deepest = max((path.count(".") for path in graph.layers), default=0)
    if len(graph.layers) < MANY_BOXES:
        for depth in range(1, min(deepest, MOST_DEPTHS) + 1):
            options.append((f"depth {depth}", depth, dict[str, object](depth=depth)))
    if len(graph.layers) > MANY_LAYERS:
        options.append(("overview", 0, {}))
    everything: dict[str, object] = {"compact": False, "depth": deepest + 2}
    options.append(("every layer", deepest + 1, everything))
    found: dict[str, dict[str, object]] = {}
    for name, depth, settings in options:
        scene = graph_scene(graph, counts=counts, title=False, page=PAGE, **settings)  # type: ignore[arg-type]  # a row of options
        svg = to_svg(scene).partition("\n")[2]  # without the declaration, which no page has inside
        found.setdefault(svg, {"name": name, "depth": depth, "svg": svg})
        if name == "overview":
            found[svg]["name"] = name
    rows = list(found.values())
    first = next((row for row in rows if row["name"] == "overview"), rows[-1])
    first["first"] = True
    return rows


def dark_rules() -> str:
    """CSS by which a diagram in light colours is shown in dark ones."""
    light, dark = THEMES["light"], THEMES["dark"]
    pairs = {light.families[f]: dark.families[f] for f in light.families} | {
        getattr(light, name): getattr(dark, name)
        for name in ("background", "text", "soft_text", "line", "skip", "cluster", "border")
    }
    pairs[light.other] = dark.other
    rules = (
        f'[data-theme="dark"] .diagram [fill="{a}"]{{fill:{b}}}'
        f'[data-theme="dark"] .diagram [stroke="{a}"]{{stroke:{b}}}'
        for a, b in pairs.items()
    )
    return "\n".join(rules)
