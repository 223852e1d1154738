"""Ways that pass by maps -> arcs over them, bridges across a U, and stubs with letters."""

from collections.abc import Iterator
from dataclasses import replace

from ..emit.palette import Theme
from .feature_maps import Connection
from .page import label
from .rounded_lines import rounded_line
from .rows import SIGN, Layout
from .scene import Drawn, Ellipse, Group, Line, Paint, Point, Text

ASIDE = 6.0  # before a map, for what enters at its side
APART = 2.4  # from an arc to the next one that begins at the same map
WITHIN = 3.4  # from a shortcut of a first turn to that of the others


def arc(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """A skip over the maps of a row, beside those from its source that are higher."""
    source, _ = layout.ends(connection)
    heights = layout.arcs[id(layout.row[connection.target])]
    higher = {
        height
        for other, height in heights.items()
        if other.source == connection.source and height > heights[connection]
    }
    x, y = source.solid.top(source.x, source.y)
    yield from arc_after(layout, theme, connection, (x + 2.5 + APART * len(higher), y))


def arc_after(
    layout: Layout, theme: Theme, connection: Connection, *lead: Point
) -> Iterator[Drawn]:
    """A skip over the maps of a row from where some points lead, and what happens on it."""
    row, start = layout.row[connection.target], lead[-1]
    _, target = layout.ends(connection)
    height = row.channels[target.lane] - 4 - layout.arcs[id(row)][connection] * layout.level
    ends = _entry(layout, connection)
    x, y = ends[0][0], ends[-1][1]
    paint = _paint(layout, theme, connection)
    line = rounded_line([*lead, (start[0], height), (x, height), *ends], paint, 4.0)
    yield Group((line,), "edge", layout.title_of(connection))
    if connection.first:
        inner = (start[0] + WITHIN, x - WITHIN)
        points = [(inner[0], start[1]), *((end, height + WITHIN) for end in inner)]
        line = rounded_line([*points, (inner[1], y + 1.6)], replace(paint, dash=()), 4.0)
        yield Group((line,), "edge", layout.title_of(connection))
    if connection.merge:
        yield from _sign(connection.merge, (x, y + 4.2), theme)
    if connection.words:
        words = f"1st: {connection.words}" if connection.first else connection.words
        text = Text((start[0] + x) / 2, height - 3, words, layout.look.text, theme.soft_text)
        yield label(text, name=target.found.path)


def bridge(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """A skip from the way down to the way up, at one level."""
    source, target = layout.ends(connection)
    high = 0.2 * min(source.solid.tall, target.solid.tall)
    right = source.solid.face(source.x, source.y).at(0.5, 0.3)[0]
    end = target.x - (8.4 if connection.merge else 0)
    ends = (right, source.y - high), (end, target.y - high)
    yield Group(
        (Line(ends, _paint(layout, theme, connection), 4.5),), "edge", layout.title_of(connection)
    )
    if connection.merge:
        yield from _sign(connection.merge, (end + 4.2, target.y - high), theme)
    if connection.words:
        place = (right + end) / 2, source.y - high - 3
        text = Text(*place, connection.words, layout.look.text, theme.soft_text)
        yield label(text, name=target.found.path)


def stub(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """The two ends of a connection that leads to another row, with a letter.

    The beginning of one stands for those of all others that leave the same map.
    """
    source, target = layout.ends(connection)
    letter = _letter(list(layout.stubs).index(connection.source))
    top = source.solid.top(source.x, source.y)
    both = [(source, [(top[0] + 2.5, top[1])]), (target, _entry(layout, connection))]
    for slot, ends in both[connection != layout.stubs[connection.source] :]:
        x, y = ends[0][0], ends[-1][1]
        high = (
            slot.y - slot.solid.height / 2 - 6 - SIGN * (slot is target and bool(connection.merge))
        )
        points = [*ends, (x, high)] if slot is source else [(x, high), *ends]
        line = rounded_line(points, _paint(layout, theme, connection), 4.0)
        yield Group((line,), "edge", layout.title_of(connection))
        if slot is target and connection.merge:
            yield from _sign(connection.merge, (x, y + 4.2), theme)
        text = Text(x, high - 2.5, letter, 6.0, theme.skip, bold=True)
        yield label(text, name=slot.found.path, title=layout.title_of(connection))


def _letter(place: int) -> str:
    """a, b, ..., z, a1, b1, ..."""
    turn, letter = divmod(place, 26)
    return f"{chr(ord('a') + letter)}{turn or ''}"


def _entry(layout: Layout, connection: Connection) -> list[Point]:
    """How a connection that comes from above enters a map.

    It ends at the sign of the sum that it belongs to. What the layer itself reads enters at the
    side of a map with a sign, as does a connection with a letter where others enter from above; all
    else at its top.
    """
    _, target = layout.ends(connection)
    x, y = target.solid.top(target.x, target.y)
    arcs = layout.arcs[id(layout.row[connection.target])]
    crowded = connection not in arcs and any(other.target == connection.target for other in arcs)
    if connection.merge or not (target.found.merge or crowded):
        return [(x - 2.5, y - SIGN * bool(connection.merge))]
    side = target.y - target.solid.tall / 4
    return [(target.x - ASIDE, side), (target.x, side)]


def _paint(layout: Layout, theme: Theme, connection: Connection) -> Paint:
    """The stroke of a connection over maps: dashed where something happens on it."""
    read = layout.slots[connection.target].found.merge and not connection.skip
    colour, width = (theme.line, 0.9) if read else (theme.skip, 1.1)
    return Paint(stroke=colour, width=width, dash=(3.0, 2.0) if connection.words else ())


def _sign(sign: str, place: Point, theme: Theme) -> Iterator[Drawn]:
    x, y = place
    yield Ellipse(x, y, 4.2, 4.2, Paint(theme.background, theme.skip, 0.8))
    if len(sign) == 1:
        yield Text(x, y + 2.2, sign, 6.5, theme.text, bold=True)
