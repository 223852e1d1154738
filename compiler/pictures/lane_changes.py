"""Ways to another lane, level or row -> lines that lead there beside what stands between."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..emit.palette import Theme
from .feature_maps import MERGES, Connection
from .rounded_lines import rounded_line
from .rows import SIDE, Layout, Row
from .scene import Drawn, Group, Paint, Point
from .skips import arc_after


def branch(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """A connection from lane to lane, along whichever of the two is free."""
    source, target = layout.ends(connection)
    bus = _bus(layout, connection) + _beside(layout, connection)
    end = target.y + _port(layout, connection) * target.solid.tall / 2
    points = [(source.right, source.y), (bus, source.y), (bus, end), (target.x, end)]
    yield _line(layout, connection, points, Paint(stroke=theme.line, width=0.8), 4.0)


def detour(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """A skip from lane to lane, which enters its target from above."""
    source, _ = layout.ends(connection)
    bus = _bus(layout, connection) + _beside(layout, connection)
    y = source.y - source.solid.tall / 4
    yield from arc_after(layout, theme, connection, (source.right, y), (bus, y))


def step(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """To the next level: from above into a smaller map, from the side into a larger."""
    source, target = layout.ends(connection)
    behind = max(right for _, right in layout.spans(source)) + layout.look.gap / 2
    before = min(left for left, _ in layout.spans(target)) - layout.look.gap / 2
    upper = min(source.lane, target.lane)
    between = layout.row[connection.source].brackets[upper] + layout.between_lanes / 2
    points = [(source.right, source.y), (behind, source.y), (behind, between)]
    if target.lane > source.lane:
        top = target.solid.top(target.x, target.y)
        points += [(top[0], between), top]
    else:
        points += [(before, between), (before, target.y), (target.x, target.y)]
    yield _line(layout, connection, points, Paint(stroke=theme.line, width=0.9), 4.5)


def carried(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """A connection from the end of one row to the next row."""
    source, target = layout.ends(connection)
    above = layout.row[connection.source]
    right = max(row.width for row in layout.rows) + SIDE / 2
    between = above.top + above.height + 6
    if layout.is_arc(connection):
        yield from arc_after(layout, theme, connection, (-SIDE / 4, between))
        return
    points = [
        (source.right, source.y),
        (right, source.y),
        (right, between),
        (-SIDE / 2, between),
        (-SIDE / 2, target.y),
        (target.x, target.y),
    ]
    yield _line(layout, connection, points, Paint(stroke=theme.line, width=0.9), 5.0)


def _line(
    layout: Layout, connection: Connection, points: Sequence[Point], paint: Paint, arrow: float
) -> Group:
    return Group((rounded_line(points, paint, arrow),), "edge", layout.title_of(connection))


def _bus(layout: Layout, connection: Connection) -> float:
    """Where a connection leads from lane to lane: behind its source, or else before its target."""
    row = layout.row[connection.target]
    if layout.free(layout.slots[connection.target].lane, connection):
        return _edges_of(layout, row, layout.column[connection.source])[1] + layout.look.gap / 2
    return _edges_of(layout, row, layout.column[connection.target])[0] - layout.look.gap / 2


def _edges_of(layout: Layout, row: Row, column: int) -> tuple[float, float]:
    """The left and the right end of a column, with its text."""
    spans = [span for slot in row.columns[column] for span in layout.spans(slot)]
    return min(a for a, _ in spans), max(b for _, b in spans)


def _beside(layout: Layout, connection: Connection) -> float:
    """How far a connection is beside others there: on one line, all sources lead to all targets."""
    place, row = _bus(layout, connection), layout.row[connection.target]
    sources: dict[tuple[bool, int], set[int]] = defaultdict(set)  # of skips, then of others
    for other in layout.found.connections:
        across = layout.kind(other) in ("branch", "detour")
        here = across and layout.row[other.source] is row
        if here and abs(_bus(layout, other) - place) < layout.look.gap / 2:
            sources[not other.skip, other.target].add(other.source)
    lines = sorted({(key[0], *sorted(each)) for key, each in sources.items()})
    apart = min(5.0, layout.look.gap / (len(lines) + 1))
    own = lines.index(
        (not connection.skip, *sorted(sources[not connection.skip, connection.target]))
    )
    return (own - (len(lines) - 1) / 2) * apart


def _port(layout: Layout, connection: Connection) -> float:
    """Where a connection enters a map, from -1 at its top to 1 at its bottom.

    What is summed or concatenated comes together on one line; what is read as something else,
    such as a mask, enters by itself.
    """
    slots, target = layout.slots, layout.slots[connection.target]
    kind = target.found.kind
    if kind in MERGES or kind == "CONCAT" or target.found.parts:
        return 0.0
    connections = [
        w for w in layout.found.connections if w.target == connection.target and not w.skip
    ]
    lanes = sorted({slots[w.source].lane for w in connections if layout.kind(w) == "branch"})
    if len(connections) == 1 or (
        len(lanes) == len(connections) and slots[connection.source].lane == lanes[0]
    ):
        return 0.0
    above = slots[connection.source].lane < target.lane
    own = [lane for lane in lanes if (lane < target.lane) == above]
    share = 0.75 * (own.index(slots[connection.source].lane) + 1) / len(own)
    return -share if above else share
