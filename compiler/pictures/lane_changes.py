"""Ways to another lane, level or row -> lines that lead there beside what stands between."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..emit.palette import Theme
from .feature_maps import MERGES, Way
from .rounded_lines import rounded_line
from .rows import SIDE, Layout, Row
from .scene import Drawn, Group, Paint, Point
from .skips import arc_after


def branch(layout: Layout, theme: Theme, way: Way) -> Iterator[Drawn]:
    """A way from lane to lane, along whichever of the two is free."""
    source, target = layout.ends(way)
    bus = _bus(layout, way) + _beside(layout, way)
    end = target.y + _port(layout, way) * target.solid.tall / 2
    points = [(source.right, source.y), (bus, source.y), (bus, end), (target.x, end)]
    yield _line(layout, way, points, Paint(stroke=theme.line, width=0.8), 4.0)


def detour(layout: Layout, theme: Theme, way: Way) -> Iterator[Drawn]:
    """A skip from lane to lane, which enters its target from above."""
    source, _ = layout.ends(way)
    bus = _bus(layout, way) + _beside(layout, way)
    y = source.y - source.solid.tall / 4
    yield from arc_after(layout, theme, way, (source.right, y), (bus, y))


def step(layout: Layout, theme: Theme, way: Way) -> Iterator[Drawn]:
    """A way to the next level: from above into a smaller map, from the side into a larger."""
    source, target = layout.ends(way)
    behind = max(right for _, right in layout.spans(source)) + layout.look.gap / 2
    before = min(left for left, _ in layout.spans(target)) - layout.look.gap / 2
    upper = min(source.lane, target.lane)
    between = layout.row[way.source].brackets[upper] + layout.between_lanes / 2
    points = [(source.right, source.y), (behind, source.y), (behind, between)]
    if target.lane > source.lane:
        top = target.solid.top(target.x, target.y)
        points += [(top[0], between), top]
    else:
        points += [(before, between), (before, target.y), (target.x, target.y)]
    yield _line(layout, way, points, Paint(stroke=theme.line, width=0.9), 4.5)


def carried(layout: Layout, theme: Theme, way: Way) -> Iterator[Drawn]:
    """A way from the end of one row to the next row."""
    source, target = layout.ends(way)
    above = layout.row[way.source]
    right = max(row.width for row in layout.rows) + SIDE / 2
    between = above.top + above.height + 6
    if layout.is_arc(way):
        yield from arc_after(layout, theme, way, (-SIDE / 4, between))
        return
    points = [
        (source.right, source.y),
        (right, source.y),
        (right, between),
        (-SIDE / 2, between),
        (-SIDE / 2, target.y),
        (target.x, target.y),
    ]
    yield _line(layout, way, points, Paint(stroke=theme.line, width=0.9), 5.0)


def _line(layout: Layout, way: Way, points: Sequence[Point], paint: Paint, arrow: float) -> Group:
    return Group((rounded_line(points, paint, arrow),), "edge", layout.said(way))


def _bus(layout: Layout, way: Way) -> float:
    """Where a way leads from lane to lane: behind its source, or else before its target."""
    row = layout.row[way.target]
    if layout.free(layout.slots[way.target].lane, way):
        return _edges_of(layout, row, layout.column[way.source])[1] + layout.look.gap / 2
    return _edges_of(layout, row, layout.column[way.target])[0] - layout.look.gap / 2


def _edges_of(layout: Layout, row: Row, column: int) -> tuple[float, float]:
    """The left and the right end of a column, with its text."""
    spans = [span for slot in row.columns[column] for span in layout.spans(slot)]
    return min(a for a, _ in spans), max(b for _, b in spans)


def _beside(layout: Layout, way: Way) -> float:
    """How far a way is beside others there: on one line, all sources lead to all targets."""
    place, row = _bus(layout, way), layout.row[way.target]
    sources: dict[tuple[bool, int], set[int]] = defaultdict(set)  # of skips, then of others
    for other in layout.found.ways:
        across = layout.kind(other) in ("branch", "detour")
        here = across and layout.row[other.source] is row
        if here and abs(_bus(layout, other) - place) < layout.look.gap / 2:
            sources[not other.skip, other.target].add(other.source)
    lines = sorted({(key[0], *sorted(each)) for key, each in sources.items()})
    apart = min(5.0, layout.look.gap / (len(lines) + 1))
    own = lines.index((not way.skip, *sorted(sources[not way.skip, way.target])))
    return (own - (len(lines) - 1) / 2) * apart


def _port(layout: Layout, way: Way) -> float:
    """Where a way enters a map, from -1 at its top to 1 at its bottom.

    What is summed or concatenated comes together on one line; what is read as something else,
    such as a mask, enters by itself.
    """
    slots, target = layout.slots, layout.slots[way.target]
    kind = target.found.kind
    if kind in MERGES or kind == "CONCAT" or target.found.parts:
        return 0.0
    ways = [w for w in layout.found.ways if w.target == way.target and not w.skip]
    lanes = sorted({slots[w.source].lane for w in ways if layout.kind(w) == "branch"})
    if len(ways) == 1 or (len(lanes) == len(ways) and slots[way.source].lane == lanes[0]):
        return 0.0
    above = slots[way.source].lane < target.lane
    own = [lane for lane in lanes if (lane < target.lane) == above]
    share = 0.75 * (own.index(slots[way.source].lane) + 1) / len(own)
    return -share if above else share
