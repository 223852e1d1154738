"""Feature maps that have their places -> shapes: solids, words, what leads from map to map."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..emit.palette import Theme
from .feature_maps import Connection
from .lane_changes import branch, carried, detour, step
from .links import link
from .page import label
from .rows import LINE, Layout, Row, Slot
from .scene import Drawn, Group, Line, Paint, Text
from .skips import arc, bridge, stub

# By what a layout calls a connection's kind.
CONNECTIONS: Mapping[str, Callable[[Layout, Theme, Connection], Iterator[Drawn]]] = {
    "arc": arc,
    "branch": branch,
    "bridge": bridge,
    "carried": carried,
    "detour": detour,
    "link": link,
    "step": step,
    "stub": stub,
}


def shapes(layout: Layout, theme: Theme) -> Iterator[Drawn]:
    """All shapes, row by row: links below solids, other connections above them."""
    into: dict[int, list[Connection]] = defaultdict(list)
    for connection in layout.found.connections:
        into[connection.target].append(connection)
    for row in layout.rows:
        over: list[Drawn] = []
        for slot in row.slots():
            for connection in into[slot.position]:
                kind = layout.kind(connection)
                drawn = CONNECTIONS[kind](layout, theme, connection)
                if kind == "link":
                    yield from drawn
                else:
                    over += drawn
            solid_shapes = tuple(slot.solid.shapes(slot.x, slot.y, theme))
            title = f"{slot.found.path}: {slot.found.description}, {slot.found.caption}"
            yield Group(solid_shapes, "box", title, slot.found.path)
        yield from over
        for slot in row.slots():
            yield from _text(layout, theme, slot, row)
    yield from _repeats(layout, theme)


def _text(layout: Layout, theme: Theme, slot: Slot, row: Row) -> Iterator[Drawn]:
    """A map's caption, and below the captions of its lane what its layer does."""
    size = layout.look.text
    y = row.captions[slot.lane] + size
    name = slot.found.path
    yield _block(slot.caption, slot.center, y, size, theme.text, name, bold=True)
    if slot.words:
        lane = [each for each in row.slots() if each.lane == slot.lane]
        y += max(len(each.caption) for each in lane) * LINE * size
        yield _block(slot.words, slot.middle, y, size, theme.soft_text, name)


def _block(
    lines: Sequence[str],
    x: float,
    y: float,
    size: float,
    colour: str,
    name: str,
    *,
    bold: bool = False,
) -> Group:
    texts = (
        Text(x, y + i * LINE * size, line, size, colour, bold=bold) for i, line in enumerate(lines)
    )
    return Group(tuple(texts), "label", name, name)


def _repeats(layout: Layout, theme: Theme) -> Iterator[Drawn]:
    """Brackets below maps that stand for several turns."""
    size = layout.look.text
    for repeat in layout.found.repeats:
        slots = layout.slots[repeat.first : repeat.last + 1]
        y = layout.row[repeat.first].brackets[layout.lowest(repeat)]
        left, right = min(s.x for s in slots), max(s.right for s in slots)
        paint = Paint(stroke=theme.line, width=0.9)
        yield Line(((left, y - 3), (left, y), (right, y), (right, y - 3)), paint)
        text = f"\N{MULTIPLICATION SIGN} {repeat.times:,}"
        yield label(Text((left + right) / 2, y + size + 1, text, size, theme.text, bold=True))
