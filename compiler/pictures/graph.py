"""The layers of a network as a diagram for a page: boxes, frames, arrows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from ...grammar.diagnostics import error
from ..analysis.counts import Counts, count
from ..emit.clusters import Cluster
from ..emit.collapse import Drawing, collapse
from ..emit.dot import check_choices, check_word
from ..emit.layer_view import layer_view
from ..emit.palette import LIGHT, Theme, ink, look_of, meaning
from ..ir.graph import Graph
from .cells import SMALL, Cell, cell_of, frame_words, words_width, written
from .detail import compact as compacted
from .detail import folded, listed, opened, typical, unframed
from .encoder_decoder import Ladder, ladder
from .flow import Item, flow, frames_of
from .layout import Layout
from .page import page as page_of
from .page import scale_to_fit
from .page_size import page_size
from .pages import columns as in_columns
from .pages import parts_of
from .piece import Piece, Size
from .rounded_lines import rounded
from .scene import SMALLEST_TEXT, Drawn, Group, Line, Paint, Point, Rectangle, Scene, placed
from .u_shape import u_shaped

MANY_LAYERS = 30  # from here on layers are joined unless the caller says otherwise
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
    theme: Theme = LIGHT,
    page: str = "a4",
    show: Iterable[str] = USUAL,
    title: bool = True,
    layout: str = "auto",
    columns: int | None = None,
) -> Scene:
    """The layers of a network on a page.

    Where they are too many for legible text, frames that differ by numbers are drawn once, and
    then scopes are folded, the deepest first.

    Args:
        graph: The network, not optimised.
        counts: Its counts, where they are known.
        depth: Scopes whose paths have this many parts are one box each.
        compact: Whether normalizations and activations are in the box of the layer before them;
            by default in networks of more than `MANY_LAYERS` layers.
        direction: Where the tensors flow: `TB`, `LR`, `BT` or `RL`.
        theme: Its colours.
        page: What the picture must fit: a name of `page_size.PAGES`, or width and height in
            millimetres, such as `160x100`. What is upright may be turned.
        show: What boxes say besides the kind of layer, of `SHOWN`; all but `macs` by default.
        title: Whether name and totals of the network are above.
        layout: `u` draws encoders and decoders as a U, `layered` never does, `auto`
            does so where the text stays legible.
        columns: In how many columns a chain is cut; by default as many as make it largest.

    Raises:
        NetError: E511, one of the choices is not known, or the network is no U.
    """
    _check(direction, depth, layout, show)
    counts = counts or count(graph)
    joined = len(graph.layers) > MANY_LAYERS if compact is None else compact
    drawing = _drawing(graph, counts, depth, joined=joined)
    chosen = {name: name in set(show) for name in SHOWN}
    paper = theme, direction, page_size(page)
    pages = _Page(*paper, chosen, layout, title, graph.name, counts, columns)
    if layout == "u" and _as_ladder(drawing) is None:
        help = "leave out `--layout u`, or give a greater `--depth` where one hides the levels"
        message = "the network is not a U: it has no encoder and decoder that skips join"
        raise error("E511", message, help=help)
    if depth is not None:
        return pages.filled(drawing)[0]()
    return pages.legible(drawing)


def _check(direction: str, depth: int | None, layout: str, show: Iterable[str]) -> None:
    """Refuse choices that there are not.

    Raises:
        NetError: E511.
    """
    check_choices(direction=direction)
    if depth is not None and depth < 1:
        raise error("E511", f"the depth of a diagram must be at least 1, not {depth}")
    check_word("layout", layout, LAYOUTS)
    for word in show:
        check_word("item to show", word, SHOWN)


def _drawing(graph: Graph, counts: Counts, depth: int | None, *, joined: bool) -> Drawing:
    """The boxes and frames of a network, folded below a depth."""
    drawing = collapse(layer_view(graph, counts))
    drawing = unframed(compacted(drawing) if joined else drawing)
    return drawing if depth is None else unframed(folded(drawing, depth))


def _as_ladder(drawing: Drawing) -> Ladder | None:
    """The levels of a drawing; None where it is no encoder with a decoder."""
    shown = opened(drawing)
    return ladder(flow(shown), shown.boxes)


@dataclass(frozen=True)
class _Page:
    """What a drawing is put on, and how."""

    theme: Theme
    direction: str
    size: Size
    show: Mapping[str, bool]
    layout: str
    title: bool
    name: str
    counts: Counts
    columns: int | None = None

    @property
    def _sizes(self) -> Sequence[Size]:
        """The sizes that a picture may have: paper can be turned, a slide cannot."""
        across = self.size[0] > self.size[1]
        return (self.size,) if across else (self.size, self.size[::-1])

    def legible(self, drawing: Drawing) -> Scene:
        """The picture with the most boxes whose text is legible, or the one with the largest."""
        several = listed(drawing)
        best, scale = self.filled(drawing)
        if scale * SMALL >= SMALLEST_TEXT:
            return best()
        for level in (None, *range(several.root.depth, 0, -1)):
            shown = several if level is None else unframed(folded(several, level, alike=True))
            found, fits = self.filled(shown)
            if fits > scale:
                best, scale = found, fits
            if fits * SMALL >= SMALLEST_TEXT:
                return ((level and self._opened(several, level)) or best)()
        return best()

    def _opened(self, drawing: Drawing, level: int) -> Callable[[], Scene] | None:
        """The picture in which one of the frames that are folded is open, if it stays legible."""
        for frame in typical(drawing, level):
            shown = unframed(folded(drawing, level, alike=True, spared=frame))
            if ladder(flow(shown), shown.boxes):
                return None  # what is at both sides of a U is alike
            found, fits = self.filled(shown)
            if fits * SMALL >= SMALLEST_TEXT:
                return found
        return None

    def filled(self, drawing: Drawing) -> tuple[Callable[[], Scene], float]:
        """What draws the picture of a drawing, and how much it is scaled: 1 at most."""
        if self.layout != "layered":
            found = self._as_u(opened(drawing))
            if found and (self.layout == "u" or found[1] * SMALL >= SMALLEST_TEXT):
                return found
        return self._in_columns(drawing)

    def _in_columns(self, drawing: Drawing) -> tuple[Callable[[], Scene], float]:
        """A drawing in as many columns as make it largest."""
        series = flow(drawing)
        cells = self._cells(drawing, series.items)
        flat = self.direction in ("LR", "RL")
        sizes = {b: (c.height, c.width) if flat else (c.width, c.height) for b, c in cells.items()}
        layout = self._laid_out(sizes, cells, aside=flat)
        levels = (parts_of(layout, series, level) for level in range(CUT_LEVELS))
        parts = list({len(found.parts): found for found in levels}.values())
        scale, piece = 0.0, Piece()
        legend = self._legend(cells)
        numbers = range(1, MOST_COLUMNS + 1) if self.columns is None else (self.columns,)
        for number in numbers:
            largest = 0.0
            for part in parts if number > 1 else parts[:1]:
                found = in_columns(replace(layout, continued=set()), series, part, number)
                for page in self._sizes:
                    fits = self._scale(found, page, legend)
                    largest = max(largest, fits)
                    if fits > scale * WORTH:
                        scale, piece = fits, found
            if scale >= 1.0 or largest < scale * ENOUGH:
                break
        return partial(self._scene, piece, scale, cells, legend), scale

    def _as_u(self, drawing: Drawing) -> tuple[Callable[[], Scene], float] | None:
        """An encoder and a decoder along the page's longer side; None for other networks."""
        found = ladder(flow(drawing), drawing.boxes)
        if found is None:
            return None
        cells = self._cells(drawing, found.items)
        sizes = {box: (cell.width, cell.height) for box, cell in cells.items()}
        turned = {box: (height, width) for box, (width, height) in sizes.items()}
        piece = u_shaped(found, self._laid_out(turned, cells, aside=True), sizes)
        upright = replace(self, direction="TB")
        legend = self._legend(cells)
        scale = upright._scale(piece, (max(self.size), min(self.size)), legend)
        return partial(upright._scene, piece, scale, cells, legend), scale

    def _laid_out(
        self, sizes: Mapping[int, Size], cells: Mapping[int, Cell], *, aside: bool
    ) -> Layout:
        return Layout(
            sizes,
            lambda cluster, more: words_width(frame_words(cluster, "", self.theme, continued=more)),
            aside=aside,
            round=frozenset(box for box, cell in cells.items() if cell.is_sign),
        )

    def _cells(self, drawing: Drawing, items: Iterable[Item]) -> dict[int, Cell]:
        """The boxes of a drawing; in place of a frame that items lack, they say its turns."""
        framed = set(frames_of(items))
        found: dict[int, Cell] = {}

        def visit(cluster: Cluster, scope: str, around: tuple[Cluster, ...]) -> None:
            for child in cluster.children:
                if not isinstance(child, Cluster):
                    found[child] = cell_of(
                        drawing.boxes[child], scope, show=self.show, theme=self.theme, around=around
                    )
                elif child in framed:
                    visit(child, child.scope or scope, around)
                else:
                    visit(child, scope, (*around, child))

        visit(drawing.root, "", ())
        return found

    def _extent(self, piece: Piece) -> Size:
        across, along = piece.left + piece.right, piece.length
        across, along = max(across, 1.0), max(along, 1.0)  # of a graph without nodes
        return (along, across) if self.direction in ("LR", "RL") else (across, along)

    def _scale(self, piece: Piece, page: Size, legend: Mapping[str, str]) -> float:
        """How much a piece must be scaled to fit a page, title and legend included."""
        return scale_to_fit(self._extent(piece), page, heading=self.title, legend=legend)

    def _legend(self, cells: Mapping[int, Cell]) -> dict[str, str]:
        """What colours mean, where boxes have stripes of others than their own."""
        boxes = [cell.box for cell in cells.values()]
        if not self.title or not any(box.joined for box in boxes):
            return {}
        named = bool(self.theme.looks)  # a layer alone has a meaning only in a style file
        kinds = dict.fromkeys(
            pair
            for box in boxes
            for pair in ((box.kind, box.path if named else ""), *((k, "") for k in box.joined))
        )
        found = dict(meaning(self.theme, kind, path) for kind, path in kinds)
        return {words: colour for words, colour in found.items() if words}

    def _scene(
        self, piece: Piece, scale: float, cells: Mapping[int, Cell], legend: Mapping[str, str]
    ) -> Scene:
        piece = piece.flat()
        boxes = (cells[b].shapes(*self._at(piece, p), self.theme) for b, p in piece.boxes.items())
        shapes = chain(self._frames(piece), self._lines(piece), boxes)
        return page_of(
            (placed(shape, 0, 0, scale) for shape in shapes),
            self.theme,
            name=self.name,
            counts=self.counts,
            legend=legend,
            heading=self.title,
        )

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
            look = look_of(self.theme, frame.cluster.name, frame.cluster.scope)
            colour, dash = look.stroke or self.theme.cluster, (4.0, 2.5) if several else ()
            words = frame_words(frame.cluster, "", self.theme, continued=frame.continued)
            inks = ink(self.theme, look.fill or self.theme.background)
            label = written(words, left + 6 + words_width(words) / 2, top + 9.5, inks)
            paint = Paint(look.fill, colour, 0.9, dash)
            outline = Rectangle(left, top, abs(x1 - x0), abs(y1 - y0), paint, 5.0)
            yield Group((outline, *label), "frame", frame.cluster.name, frame.cluster.scope)

    def _lines(self, piece: Piece) -> Iterator[Drawn]:
        for route in piece.routes:
            points = tuple(self._at(piece, point) for point in route.points)
            colour, width = (self.theme.skip, 1.3) if route.skip else (self.theme.line, 0.9)
            head = 5.0 if route.arrow else 0.0
            line = Line(rounded(points), Paint(None, colour, width), head, curved=True)
            yield Group((line,), "edge")
