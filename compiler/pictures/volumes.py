"""Graph -> its feature maps as volumes, as in the figures of LeNet's and AlexNet's papers."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...grammar.diagnostics import error
from ..analysis.counts import Counts, count
from ..emit.dot import check_choices
from ..emit.palette import THEMES, Theme, family, fill
from ..ir.graph import Graph
from .feature_maps import FeatureMaps, Way, feature_maps, fold
from .ladder import Ladder, levels
from .page import LANDSCAPE, Swatch, label, page
from .rows import CLOSE, DENSE, HEAD, LINE, ROOMY, SIDE, SLIM, TINY, Layout, Look, Row, Slot
from .scene import Drawn, Ellipse, Group, Line, Paint, Point, Polygon, Scene, Text
from .solids import PLANES, VOLUMES, activation_colour, mixed, number

LEAST_KERNEL = 5.0  # points of a kernel's side
# Families of layers that yield feature maps.
SHOWN = frozenset({"convolution", "pooling", "dense", "attention", "unpooling", "resampling"})


def volumes(
    graph: Graph,
    *,
    theme: str = "light",
    maps: str = VOLUMES,
    scale: str = "log",
    depth: int | None = None,
    counts: Counts | None = None,
) -> Scene:
    """The feature maps of a network as volumes, on a page of at most A4 across.

    What repeats is drawn once. Chains that are too long for a row take several; where the page
    does not hold these, numbers of channels that differ count as equal, and scopes fold.

    Args:
        graph: The network, not optimised.
        theme: `light` or `dark`.
        maps: `volumes`, or `planes`: a stack of planes per map.
        scale: Whether sides follow the extents (`linear`) or their logarithms (`log`).
        depth: Scopes below this depth are one map each.
        counts: The network's counts, where they are known already.

    Raises:
        NetError: E511, the network has no feature maps, or too many for a page.
    """
    check_choices(theme=theme, maps=maps, scale=scale)
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
        if layout.width <= LANDSCAPE[0] and layout.height <= LANDSCAPE[1] - HEAD:
            shapes = _Painter(layout, THEMES[theme]).shapes()
            legend = _legend(layout, THEMES[theme])
            return page(shapes, THEMES[theme], name=graph.name, counts=counts, legend=legend)
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
        yield from ((folded, look, 0) for look in (CLOSE, DENSE, SLIM))
    yield folded, ROOMY, 1
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
        legend.setdefault(
            family(each.kind) or ("block" if not each.kind else "other"), fill(theme, each.kind)
        )
    legend["input"] = legend.pop("source", theme.families["source"])
    if any(s.found.activation and not s.solid.planes for s in layout.slots):
        legend["activation"] = activation_colour(theme)
    if {"arc", "bridge", "stub"} & {layout.kind(way) for way in found.ways}:
        legend["skip"] = (Line(((0, 4), (8, 4)), Paint(stroke=theme.skip, width=1.4)),)
    return legend


@dataclass(eq=False)
class _Painter:
    layout: Layout
    theme: Theme

    def shapes(self) -> Iterator[Drawn]:
        """All shapes, row by row."""
        stubs = dict.fromkeys(
            w.source for w in self.layout.found.ways if self.layout.kind(w) == "stub"
        )
        self.letters = dict(zip(stubs, _letters(), strict=False))
        into: dict[int, list[Way]] = defaultdict(list)
        for way in self.layout.found.ways:
            into[way.target].append(way)
        for row in self.layout.rows:
            over: list[Drawn] = []
            for slot in row.slots():
                for way in into[slot.position]:
                    drawn = list(self._way(way, row))
                    if self.layout.kind(way) == "link":
                        yield from drawn
                    else:
                        over += drawn
                solid_shapes = tuple(slot.solid.shapes(slot.x, slot.y, self.theme))
                said = f"{slot.found.path}: {slot.found.words}, {slot.found.caption}"
                yield Group(solid_shapes, "box", said, slot.found.path)
            yield from over
            for slot in row.slots():
                yield from self._text(slot, row)
        yield from self._repeats()

    def _text(self, slot: Slot, row: Row) -> Iterator[Drawn]:
        size = self.layout.look.text
        lane = [s for s in row.slots() if s.lane == slot.lane]
        y = row.captions[slot.lane] + size
        name = slot.found.path
        yield self._block(slot.caption, slot.center, y, self.theme.text, name, bold=True)
        if slot.words:
            y += max(len(s.caption) for s in lane) * LINE * size
            yield self._block(slot.words, slot.middle, y, self.theme.soft_text, name)

    def _block(
        self,
        lines: Sequence[str],
        x: float,
        y: float,
        colour: str,
        name: str,
        *,
        bold: bool = False,
    ) -> Group:
        size = self.layout.look.text
        texts = (
            Text(x, y + i * LINE * size, line, size, colour, bold=bold)
            for i, line in enumerate(lines)
        )
        return Group(tuple(texts), "label", name, name)

    def _way(self, way: Way, row: Row) -> Iterator[Drawn]:
        layout = self.layout
        source, target = layout.slots[way.source], layout.slots[way.target]
        match layout.kind(way):
            case "stub":
                yield from self._stub(way)
            case "carried":
                yield from self._carried(way, row)
            case "arc":
                start = source.solid.top(source.x, source.y)
                yield from self._arc(way, row, (start[0] + 2.5, start[1]))
            case "bridge":
                yield from self._bridge(source, target, way)
            case "step":
                yield self._step(source, target)
            case "branch":
                yield self._between_lanes(way, row)
            case _:
                yield Group(tuple(self._link(source, target)), "edge", _said(source, target))

    def _arc(self, way: Way, row: Row, start: Point) -> Iterator[Drawn]:
        """A skip over the maps of a row, and what happens on it."""
        layout = self.layout
        source, target = layout.slots[way.source], layout.slots[way.target]
        height = row.channels[target.lane] - 4 - layout.arcs[id(row)][way] * layout.level
        x, y = target.solid.top(target.x, target.y)
        x -= 2.5
        if target.found.merge:
            y -= 8.5
        dash = (3.0, 2.0) if way.words else ()
        paint = Paint(stroke=self.theme.skip, width=1.1, dash=dash)
        line = rounded([start, (start[0], height), (x, height), (x, y)], paint, 4.0)
        yield Group((line,), "edge", _said(source, target))
        if target.found.merge:
            yield from self._sign(target.found.merge, (x, y + 4.2))
        if way.words:
            size = layout.look.text
            text = Text((start[0] + x) / 2, height - 2, way.words, size, self.theme.soft_text)
            yield label(text, name=target.found.path)

    def _sign(self, sign: str, place: Point) -> Iterator[Drawn]:
        x, y = place
        yield Ellipse(x, y, 4.2, 4.2, Paint(self.theme.background, self.theme.skip, 0.8))
        if len(sign) == 1:
            yield Text(x, y + 2.2, sign, 6.5, self.theme.text, bold=True)

    def _bridge(self, source: Slot, target: Slot, way: Way) -> Iterator[Drawn]:
        """A skip from the way down to the way up, at one level."""
        high = 0.2 * min(source.solid.tall, target.solid.tall)
        right = source.solid.face(source.x, source.y).at(0.5, 0.3)[0]
        end = target.x - (8.4 if target.found.merge else 0)
        dash = (3.0, 2.0) if way.words else ()
        paint = Paint(stroke=self.theme.skip, width=1.1, dash=dash)
        line = Line(((right, source.y - high), (end, target.y - high)), paint, 4.5)
        yield Group((line,), "edge", _said(source, target))
        if target.found.merge:
            yield from self._sign(target.found.merge, (end + 4.2, target.y - high))
        if way.words:
            size = self.layout.look.text
            place = (right + end) / 2, source.y - high - 3
            yield label(Text(*place, way.words, size, self.theme.soft_text), name=target.found.path)

    def _step(self, source: Slot, target: Slot) -> Group:
        """A way to the next level: from above into a smaller map, from the side into a larger."""
        start, layout = (source.right, source.y), self.layout
        if target.lane > source.lane:
            end = target.solid.top(target.x, target.y)
            points = [start, (end[0], source.y), end]
        else:
            bus = max(right for _, right in layout.spans(source)) + layout.look.gap / 2
            points = [start, (bus, source.y), (bus, target.y), (target.x, target.y)]
        line = rounded(points, Paint(stroke=self.theme.line, width=0.9), 4.5)
        return Group((line,), "edge", _said(source, target))

    def _between_lanes(self, way: Way, row: Row) -> Group:
        """A way from lane to lane, along whichever of the two is free."""
        layout = self.layout
        source, target = layout.slots[way.source], layout.slots[way.target]
        behind = self._edge_of(row, layout.column[way.source])[1] + layout.look.gap / 2
        before = self._edge_of(row, layout.column[way.target])[0] - layout.look.gap / 2
        bus = behind if layout.free(target.lane, way) else before
        points = [(source.right, source.y), (bus, source.y), (bus, target.y), (target.x, target.y)]
        paint = Paint(stroke=self.theme.line, width=0.8)
        return Group((rounded(points, paint, 4.0),), "edge", _said(source, target))

    def _edge_of(self, row: Row, column: int) -> Point:
        """The left and the right end of a column, with its text."""
        layout = self.layout
        spans = [span for slot in row.columns[column] for span in layout.spans(slot)]
        return min(a for a, _ in spans), max(b for _, b in spans)

    def _carried(self, way: Way, row: Row) -> Iterator[Drawn]:
        """A way from the end of one row to the next row."""
        layout = self.layout
        source, target = layout.slots[way.source], layout.slots[way.target]
        above = layout.row[way.source]
        right = max(each.width for each in layout.rows) + SIDE / 2
        y = row.centers[min(row.centers)]
        if layout.is_arc(way):
            yield from self._arc(way, row, (-SIDE / 2, y))
            return
        between = above.top + above.height + 6
        points = [
            (source.right, source.y),
            (right, source.y),
            (right, between),
            (-SIDE / 2, between),
            (-SIDE / 2, target.y),
            (target.x, target.y),
        ]
        paint = Paint(stroke=self.theme.line, width=0.9)
        yield Group((rounded(points, paint, 5.0),), "edge", _said(source, target))

    def _stub(self, way: Way) -> Iterator[Drawn]:
        """The two ends of a way that leads to another row, with a letter."""
        layout = self.layout
        source, target = layout.slots[way.source], layout.slots[way.target]
        paint = Paint(stroke=self.theme.skip, width=1.1)
        for slot, shift in ((source, 2.5), (target, -2.5)):
            x, y = slot.solid.top(slot.x, slot.y)
            x, high = x + shift, slot.y - slot.solid.height / 2 - 6
            ends = ((x, y), (x, high)) if slot is source else ((x, high), (x, y))
            yield Group((Line(ends, paint, 4.0),), "edge", _said(source, target))
            letter = Text(x, high - 2.5, self.letters[way.source], 6.0, self.theme.skip, bold=True)
            yield label(letter, name=slot.found.path, title=_said(source, target))

    def _link(self, source: Slot, target: Slot) -> Iterator[Drawn]:
        """What leads from a map to the one beside it."""
        if target.found.kernel and source.found.spatial and target.found.spatial:
            yield from self._pyramid(source, target)
        elif family(target.found.kind) == "dense" and not target.found.spatial:
            low, high = (source.y + s * source.solid.tall / 2 for s in (1, -1))
            below, above = (target.y + s * target.solid.tall / 2 for s in (1, -1))
            corners = (
                (source.right, high),
                (target.x, above),
                (target.x, below),
                (source.right, low),
            )
            yield Polygon(corners, Paint(mixed(self.theme.background, self.theme.line, 0.18)))
        else:
            ends = ((source.right + 1, source.y), (target.x - 1, target.y))
            yield Line(ends, Paint(stroke=self.theme.line, width=0.9), 4.0)

    def _pyramid(self, source: Slot, target: Slot) -> Iterator[Drawn]:
        """A kernel on a map, and its answer on the next one."""
        face, apex = source.solid.face(source.x, source.y), target.solid.entry(target.x, target.y)
        kernel, extents = target.found.kernel[-2:], source.found.spatial[-2:]
        shares = [k / max(number(e), k) for k, e in zip(kernel, extents, strict=False)]
        down = max(shares[0], min(1.0, LEAST_KERNEL / source.solid.tall))
        across = (
            1.0
            if len(extents) == 1
            else max(shares[-1], min(1.0, LEAST_KERNEL / source.solid.deep))
        )
        u, v = 0.5 - across / 2, 0.45 - down / 2 if down < 0.9 else 0.5 - down / 2
        corners = [
            face.at(a, b)
            for a, b in ((u, v), (u + across, v), (u + across, v + down), (u, v + down))
        ]
        colour = mixed(fill(self.theme, target.found.kind), self.theme.text, 0.5)
        yield Polygon(
            tuple(corners),
            Paint(mixed(colour, self.theme.background, 0.4), colour, 0.6, opacity=0.8),
        )
        for corner in corners:
            yield Line((corner, apex), Paint(stroke=colour, width=0.5))

    def _repeats(self) -> Iterator[Drawn]:
        """Brackets below maps that stand for several turns."""
        layout, size = self.layout, self.layout.look.text
        for repeat in layout.found.repeats:
            slots = layout.slots[repeat.first : repeat.last + 1]
            row = layout.row[repeat.first]
            y = row.brackets[layout.lowest(repeat)]
            left, right = min(s.x for s in slots), max(s.right for s in slots)
            paint = Paint(stroke=self.theme.line, width=0.9)
            yield Line(((left, y - 3), (left, y), (right, y), (right, y - 3)), paint)
            text = f"\N{MULTIPLICATION SIGN} {repeat.times}"
            yield label(
                Text((left + right) / 2, y + size + 1, text, size, self.theme.text, bold=True)
            )


def _said(source: Slot, target: Slot) -> str:
    return f"{source.found.path} \N{RIGHTWARDS ARROW} {target.found.path}"


def _letters() -> Iterator[str]:
    """a, b, ..., z, a1, b1, ..."""
    for turn in range(100):
        for letter in "abcdefghijklmnopqrstuvwxyz":
            yield f"{letter}{turn or ''}"


def rounded(points: Sequence[Point], paint: Paint, arrow: float) -> Line:
    """A line along the axes whose corners are round."""
    corners = [points[0]]
    for point in points[1:]:
        if abs(point[0] - corners[-1][0]) + abs(point[1] - corners[-1][1]) > 0.01:
            corners.append(point)
    if len(corners) < 3:
        return Line((points[0], points[-1]), paint, arrow)
    curve = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        start, end = _towards(corner, before), _towards(corner, after)
        curve += [curve[-1], start, start, *_bend(start, corner, end)]
    return Line((*curve, curve[-1], corners[-1], corners[-1]), paint, arrow, curved=True)


def _towards(corner: Point, other: Point) -> Point:
    """A point beside a corner, in the direction of another."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    share = min(6.0, length / 2) / length
    return corner[0] + share * dx, corner[1] + share * dy


def _bend(start: Point, corner: Point, end: Point) -> tuple[Point, Point, Point]:
    """A quarter of an ellipse, as a Bezier curve."""
    a, b = (
        (p[0] + 0.55 * (corner[0] - p[0]), p[1] + 0.55 * (corner[1] - p[1])) for p in (start, end)
    )
    return a, b, end
