"""The layers of a network as a diagram for a page: boxes, frames, arrows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from ...grammar.diagnostics import error, listing
from ..analysis.counts import Counts, count
from ..emit.clusters import Cluster
from ..emit.collapse import Drawing, collapse
from ..emit.dot import check_choices, check_word
from ..emit.layer_view import layer_view
from ..emit.palette import THEMES, Theme, family
from ..ir.graph import Graph
from .cells import SMALL, Cell, cell_of, frame_words, words_width, written
from .detail import compact as compacted
from .detail import folded, listed, opened, unframed
from .flow import flow
from .fonts import bounds, text_width
from .layout import Layout, Piece, Size
from .page import legend_rows
from .pages import columns, parts_of
from .scene import (
    SMALLEST_TEXT,
    Drawn,
    Group,
    Line,
    Paint,
    Point,
    Rectangle,
    Scene,
    Text,
    around,
    placed,
)
from .u_shape import ladder, u_shaped

MANY_LAYERS = 30  # from here on layers are joined unless the caller says otherwise
MARGIN = 24.0  # around the picture
TITLE = 34.0  # the height of what is above the network
LEGEND = 12.0  # between the network and its legend
MOST_COLUMNS = 40
ENOUGH = 0.8  # of the best size: pictures that are wider still get no larger
CUT_LEVELS = 3  # how deep in frames a column may end
WORTH = 1.06  # how much larger a picture must get for another column, or a deeper cut

SHOWN = ("names", "arguments", "shapes", "params", "macs")
USUAL = SHOWN[:-1]
LAYOUTS = ("auto", "layered", "u")


def graph_scene(
    graph: Graph,
    *,
    counts: Counts | None = None,
    depth: int | None = None,
    compact: bool | None = None,
    direction: str = "TB",
    theme: str = "light",
    page: str = "a4",
    show: Iterable[str] = USUAL,
    title: bool = True,
    layout: str = "auto",
) -> Scene:
    """The layers of a network on a page.

    Where they are too many for legible text, frames that differ by numbers are drawn once, and
    then scopes are folded, the deepest first.

    Args:
        graph: The network, not optimised.
        counts: Its counts, where they are known.
        depth: Scopes of so many parts are one box each.
        compact: Whether normalizations and activations are in the box of the layer before them;
            by default in networks of more than `MANY_LAYERS` layers.
        direction: Where the tensors flow: `TB`, `LR`, `BT` or `RL`.
        theme: `light` or `dark`.
        page: What the picture must fit, upright or across: a name of `PAGES`, or width and height
            in millimetres, such as `160x100`.
        show: What boxes say besides the kind of layer, of `SHOWN`; all but `macs` by default.
        title: Whether name and totals of the network are above.
        layout: `u` draws encoders and decoders as a U where it can, `layered` never does, `auto`
            does so where the text stays legible.

    Raises:
        NetError: E511, one of the choices is not known.
    """
    check_choices(direction=direction, theme=theme)
    if depth is not None and depth < 1:
        raise error("E511", f"the depth of a diagram must be at least 1, not {depth}")
    check_word("layout", layout, LAYOUTS)
    for word in show:
        check_word("item to show", word, SHOWN)
    counts = counts or count(graph)
    drawing = collapse(layer_view(graph, counts))
    joined = len(graph.layers) > MANY_LAYERS if compact is None else compact
    drawing = unframed(compacted(drawing) if joined else drawing)
    chosen = {name: name in set(show) for name in SHOWN}
    heading = _heading(graph, counts, THEMES[theme]) if title else []
    page_of = _Page(THEMES[theme], direction, page_size(page), chosen, layout, heading, graph.name)
    if depth is not None:
        return page_of.filled(unframed(folded(drawing, depth)))[0]
    several = listed(drawing)
    levels = (unframed(folded(several, level)) for level in range(_depth(several.root), 0, -1))
    best, scale = None, 0.0
    for shown in chain([drawing, several], levels):
        found, size = page_of.filled(shown)
        if best is None or size > scale:
            best, scale = found, size
        if scale * SMALL >= SMALLEST_TEXT:
            break
    assert best is not None
    return best


# Widths and heights in points.
PAGES: Mapping[str, Size] = {
    "a3": (842.0, 1191.0),
    "a4": (595.0, 842.0),
    "a5": (420.0, 595.0),
    "letter": (612.0, 792.0),
    "slide": (960.0, 540.0),
}
_MILLIMETRES = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)")
LEAST_PAGE = 20.0  # millimetres


def page_size(page: str) -> Size:
    """A page's width and height in points.

    Raises:
        NetError: E511, it is neither a name nor a size.
    """
    name = str(page).lower()
    if name in PAGES:
        return PAGES[name]
    found = _MILLIMETRES.fullmatch(name)
    if found is None or min(map(float, found.groups())) < LEAST_PAGE:
        help = f"choose from {listing(PAGES)}, or give a size in millimetres such as `160x100`"
        raise error("E511", f"unknown page `{page}`", help=help)
    width, height = (float(text) * 72 / 25.4 for text in found.groups())
    return width, height


def _depth(cluster: Cluster) -> int:
    """The most parts that a frame's path has."""
    inner = [_depth(child) for child in cluster.children if isinstance(child, Cluster)]
    return max([cluster.scope.count(".") + 1 if cluster.scope else 0, *inner])


def _heading(graph: Graph, counts: Counts, theme: Theme) -> list[Text]:
    name = Text(0, 13, graph.name, 13, theme.text, bold=True)
    return [name, Text(0, 26, counts.headline, 8.5, theme.soft_text)]


@dataclass(frozen=True)
class _Page:
    """What a drawing is put on, and how."""

    theme: Theme
    direction: str
    size: Size
    show: Mapping[str, bool]
    layout: str
    heading: Sequence[Text]
    name: str

    def filled(self, drawing: Drawing) -> tuple[Scene, float]:
        """The picture of a drawing, and how much it was scaled: 1 at most."""
        if self.layout != "layered":
            found = self._as_u(opened(drawing))
            if found and (self.layout == "u" or found[1] * SMALL >= SMALLEST_TEXT):
                return found
        return self._in_columns(drawing)

    def _in_columns(self, drawing: Drawing) -> tuple[Scene, float]:
        """A drawing in as many columns as make it largest."""
        cells = self._cells(drawing)
        flat = self.direction in ("LR", "RL")
        sizes = {b: (c.height, c.width) if flat else (c.width, c.height) for b, c in cells.items()}
        series = flow(drawing)
        layout = self._laid_out(sizes, cells, aside=flat)
        levels = (parts_of(layout, series, level) for level in range(CUT_LEVELS))
        parts = list({len(found.parts): found for found in levels}.values())
        scale, piece = 0.0, Piece()
        for number in range(1, MOST_COLUMNS + 1):
            largest = 0.0
            for part in parts if number > 1 else parts[:1]:
                found = columns(replace(layout, continued=set()), series, part, number)
                for page in (self.size, self.size[::-1]):
                    fits = self._scale(found, page, cells)
                    largest = max(largest, fits)
                    if fits > scale * WORTH:
                        scale, piece = fits, found
            if scale >= 1.0 or largest < scale * ENOUGH:
                break
        return self._scene(piece, scale, cells), scale

    def _as_u(self, drawing: Drawing) -> tuple[Scene, float] | None:
        """An encoder and a decoder along the page's longer side; None for other networks."""
        found = ladder(flow(drawing), drawing.boxes)
        if found is None:
            return None
        cells = self._cells(drawing)
        sizes = {box: (cell.width, cell.height) for box, cell in cells.items()}
        turned = {box: (height, width) for box, (width, height) in sizes.items()}
        piece = u_shaped(found, self._laid_out(turned, cells, aside=True), sizes)
        upright = replace(self, direction="TB")
        scale = upright._scale(piece, (max(self.size), min(self.size)), cells)
        return upright._scene(piece, scale, cells), scale

    def _laid_out(
        self, sizes: Mapping[int, Size], cells: Mapping[int, Cell], *, aside: bool
    ) -> Layout:
        return Layout(
            sizes,
            lambda cluster, more: words_width(frame_words(cluster, "", continued=more)),
            aside=aside,
            round=frozenset(box for box, cell in cells.items() if cell.is_sign),
        )

    def _cells(self, drawing: Drawing) -> dict[int, Cell]:
        found: dict[int, Cell] = {}

        def visit(cluster: Cluster, scope: str) -> None:
            for child in cluster.children:
                if isinstance(child, Cluster):
                    visit(child, child.scope or scope)
                else:
                    found[child] = cell_of(drawing.boxes[child], scope, show=self.show)

        visit(drawing.root, "")
        return found

    def _extent(self, piece: Piece) -> Size:
        across, along = piece.left + piece.right, piece.length
        across, along = max(across, 1.0), max(along, 1.0)  # of a graph without nodes
        return (along, across) if self.direction in ("LR", "RL") else (across, along)

    def _scale(self, piece: Piece, page: Size, cells: Mapping[int, Cell]) -> float:
        """How much a piece must be scaled to fit a page, title and legend included."""
        width, height = self._extent(piece)
        room = page[1] - 2 * MARGIN - (TITLE if self.heading else 0)
        scale = min(1.0, (page[0] - 2 * MARGIN) / width, room / height)
        legend = self._legend(piece, cells)
        if not legend:
            return scale
        below = around([bounds(each) for each in self._below(legend, width * scale)])
        return min(scale, (room - below.height - LEGEND) / height)

    def _below(self, legend: Mapping[str, str], width: float) -> list[Drawn]:
        """The rows of the legend under a picture of some width."""
        return list(legend_rows(legend, self.theme, max(width, *self._widths())))

    def _widths(self) -> list[float]:
        return [text_width(text.text, text.size, bold=text.bold) for text in self.heading]

    def _legend(self, piece: Piece, cells: Mapping[int, Cell]) -> dict[str, str]:
        """What colours mean, where boxes have stripes of others than their own."""
        boxes = [cells[box].box for box in piece.boxes]
        if not self.heading or not any(box.joined for box in boxes):
            return {}
        kinds = (kind for box in boxes for kind in (box.kind, *box.joined))
        families = self.theme.families
        return {name: families[name] for name in map(family, kinds) if name in families}

    def _scene(self, piece: Piece, scale: float, cells: Mapping[int, Cell]) -> Scene:
        width, height = (extent * scale for extent in self._extent(piece))
        boxes = (cells[b].shapes(*self._at(piece, p), self.theme) for b, p in piece.boxes.items())
        shapes = [*self._frames(piece), *self._lines(piece), *boxes]
        total = max([width, *self._widths()])
        top = MARGIN + (TITLE if self.heading else 0)
        left = MARGIN + (total - width) / 2
        titles = tuple(placed(text, MARGIN + total / 2, MARGIN) for text in self.heading)
        drawn = [placed(shape, left, top, scale) for shape in shapes]
        heading = [Group(titles, "title")] if titles else []
        legend, bottom = self._legend(piece, cells), top + height
        below = self._below(legend, width) if legend else []
        if below:
            rows = around([bounds(each) for each in below])
            dx, dy = MARGIN + total / 2 - rows.center[0], bottom + LEGEND - rows.top
            below = [placed(each, dx, dy) for each in below]
            bottom += LEGEND + rows.height
        size = total + 2 * MARGIN, bottom + MARGIN
        return Scene(*size, (*heading, *drawn, *below), self.theme.background, self.name)

    def _at(self, piece: Piece, place: Point) -> Point:
        """A place of the layout in the picture, whose upper left corner is (0, 0)."""
        across, along = place[0] + piece.left, place[1]
        width, height = self._extent(piece)
        if self.direction == "TB":
            return across, along
        if self.direction == "BT":
            return across, height - along
        return (along, across) if self.direction == "LR" else (width - along, across)

    def _frames(self, piece: Piece) -> Iterator[Drawn]:
        for frame in piece.frames:
            box = frame.bounds
            (x0, y0), (x1, y1) = (
                self._at(piece, corner) for corner in ((box.left, box.top), (box.right, box.bottom))
            )
            left, top = min(x0, x1), min(y0, y1)
            several = frame.cluster.times > 1 or frame.cluster.listed
            paint = Paint(None, self.theme.cluster, 0.9, (4.0, 2.5) if several else ())
            words = frame_words(frame.cluster, "", continued=frame.continued)
            label = written(words, left + 6 + words_width(words) / 2, top + 9.5, self.theme)
            outline = Rectangle(left, top, abs(x1 - x0), abs(y1 - y0), paint, 5.0)
            yield Group((outline, *label), "frame", frame.cluster.name, frame.cluster.scope)

    def _lines(self, piece: Piece) -> Iterator[Drawn]:
        for route in piece.routes:
            points = tuple(self._at(piece, point) for point in route.points)
            colour, width = (self.theme.skip, 1.3) if route.skip else (self.theme.line, 0.9)
            head = 5.0 if route.arrow else 0.0
            line = Line(rounded(points), Paint(None, colour, width), head, curved=True)
            yield Group((line,), "edge")


def rounded(points: Sequence[Point], radius: float = 5.0) -> tuple[Point, ...]:
    """Bezier points of a line through points, with rounded corners."""
    found: list[Point] = [points[0]]

    def line_to(point: Point) -> None:
        x, y = found[-1]
        dx, dy = point[0] - x, point[1] - y
        found.extend([(x + dx / 3, y + dy / 3), (x + 2 * dx / 3, y + 2 * dy / 3), point])

    for (before, corner), (_, after) in pairwise(pairwise(points)):
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        line_to(start)
        found.extend([corner, corner, end])
    line_to(points[-1])
    return tuple(found)


def _towards(corner: Point, other: Point, radius: float) -> Point:
    """The point of a segment at a distance from its corner, or its middle where it is short."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    share = min(radius, length / 2) / length
    return corner[0] + dx * share, corner[1] + dy * share
