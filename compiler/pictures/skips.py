"""Ways that pass by maps -> arcs over them, bridges across a U, and stubs with letters."""

from collections.abc import Iterator
from dataclasses import replace

from ..emit.palette import Theme
from .feature_maps import Way
from .page import label
from .rounded_lines import rounded_line
from .rows import SIGN, Layout
from .scene import Drawn, Ellipse, Group, Line, Paint, Point, Text

ASIDE = 6.0  # before a map, for what enters at its side
APART = 2.4  # from an arc to the next one that begins at the same map
WITHIN = 3.4  # from a shortcut of a first turn to that of the others


def arc(layout: Layout, theme: Theme, way: Way) -> Iterator[Drawn]:
    """A skip over the maps of a row, beside those from its source that are higher."""
    source, _ = layout.ends(way)
    heights = layout.arcs[id(layout.row[way.target])]
    higher = {
        height
        for other, height in heights.items()
        if other.source == way.source and height > heights[way]
    }
    x, y = source.solid.top(source.x, source.y)
    yield from arc_after(layout, theme, way, (x + 2.5 + APART * len(higher), y))


def arc_after(layout: Layout, theme: Theme, way: Way, *lead: Point) -> Iterator[Drawn]:
    """A skip over the maps of a row from where some points lead, and what happens on it."""
    row, start = layout.row[way.target], lead[-1]
    _, target = layout.ends(way)
    height = row.channels[target.lane] - 4 - layout.arcs[id(row)][way] * layout.level
    ends = _entry(layout, way)
    x, y = ends[0][0], ends[-1][1]
    paint = _paint(layout, theme, way)
    line = rounded_line([*lead, (start[0], height), (x, height), *ends], paint, 4.0)
    yield Group((line,), "edge", layout.said(way))
    if way.first:
        inner = (start[0] + WITHIN, x - WITHIN)
        points = [(inner[0], start[1]), *((end, height + WITHIN) for end in inner)]
        line = rounded_line([*points, (inner[1], y + 1.6)], replace(paint, dash=()), 4.0)
        yield Group((line,), "edge", layout.said(way))
    if way.merge:
        yield from _sign(way.merge, (x, y + 4.2), theme)
    if way.words:
        words = f"1st: {way.words}" if way.first else way.words
        text = Text((start[0] + x) / 2, height - 3, words, layout.look.text, theme.soft_text)
        yield label(text, name=target.found.path)


def bridge(layout: Layout, theme: Theme, way: Way) -> Iterator[Drawn]:
    """A skip from the way down to the way up, at one level."""
    source, target = layout.ends(way)
    high = 0.2 * min(source.solid.tall, target.solid.tall)
    right = source.solid.face(source.x, source.y).at(0.5, 0.3)[0]
    end = target.x - (8.4 if way.merge else 0)
    ends = (right, source.y - high), (end, target.y - high)
    yield Group((Line(ends, _paint(layout, theme, way), 4.5),), "edge", layout.said(way))
    if way.merge:
        yield from _sign(way.merge, (end + 4.2, target.y - high), theme)
    if way.words:
        place = (right + end) / 2, source.y - high - 3
        text = Text(*place, way.words, layout.look.text, theme.soft_text)
        yield label(text, name=target.found.path)


def stub(layout: Layout, theme: Theme, way: Way) -> Iterator[Drawn]:
    """The two ends of a way that leads to another row, with a letter.

    The beginning of one stands for those of all others that leave the same map.
    """
    source, target = layout.ends(way)
    letter = _letter(list(layout.stubs).index(way.source))
    top = source.solid.top(source.x, source.y)
    both = [(source, [(top[0] + 2.5, top[1])]), (target, _entry(layout, way))]
    for slot, ends in both[way != layout.stubs[way.source] :]:
        x, y = ends[0][0], ends[-1][1]
        high = slot.y - slot.solid.height / 2 - 6 - SIGN * (slot is target and bool(way.merge))
        points = [*ends, (x, high)] if slot is source else [(x, high), *ends]
        line = rounded_line(points, _paint(layout, theme, way), 4.0)
        yield Group((line,), "edge", layout.said(way))
        if slot is target and way.merge:
            yield from _sign(way.merge, (x, y + 4.2), theme)
        text = Text(x, high - 2.5, letter, 6.0, theme.skip, bold=True)
        yield label(text, name=slot.found.path, title=layout.said(way))


def _letter(place: int) -> str:
    """a, b, ..., z, a1, b1, ..."""
    turn, letter = divmod(place, 26)
    return f"{chr(ord('a') + letter)}{turn or ''}"


def _entry(layout: Layout, way: Way) -> list[Point]:
    """How a way that comes from above enters a map.

    It ends at the sign of the sum that it belongs to. What the layer itself reads enters at the
    side of a map with a sign, as does a way with a letter where others enter from above; all
    else at its top.
    """
    _, target = layout.ends(way)
    x, y = target.solid.top(target.x, target.y)
    arcs = layout.arcs[id(layout.row[way.target])]
    crowded = way not in arcs and any(other.target == way.target for other in arcs)
    if way.merge or not (target.found.merge or crowded):
        return [(x - 2.5, y - SIGN * bool(way.merge))]
    side = target.y - target.solid.tall / 4
    return [(target.x - ASIDE, side), (target.x, side)]


def _paint(layout: Layout, theme: Theme, way: Way) -> Paint:
    """The stroke of a way over maps: dashed where something happens on it."""
    read = layout.slots[way.target].found.merge and not way.skip
    colour, width = (theme.line, 0.9) if read else (theme.skip, 1.1)
    return Paint(stroke=colour, width=width, dash=(3.0, 2.0) if way.words else ())


def _sign(sign: str, place: Point, theme: Theme) -> Iterator[Drawn]:
    x, y = place
    yield Ellipse(x, y, 4.2, 4.2, Paint(theme.background, theme.skip, 0.8))
    if len(sign) == 1:
        yield Text(x, y + 2.2, sign, 6.5, theme.text, bold=True)
