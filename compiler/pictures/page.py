"""Shapes -> the page around them: a heading above, a legend below, margins."""

from collections.abc import Iterable, Mapping, Sequence

from ..analysis.counts import Counts
from ..emit.palette import Theme
from .fonts import DESCENT, bounds, shortened, text_width
from .page_size import Size
from .scene import A4, Bounds, Drawn, Group, Paint, Point, Rectangle, Scene, Text, around, placed

MARGIN = 18.0
GAP = 12.0  # between heading, shapes and legend
ABOVE = 34.0  # what a heading takes, with the gap below it
LEAST_SCALE = 0.05  # where a legend takes the page
NARROWEST = 120.0  # what heading and legend may take
SWATCH = 8.0
LEGEND_ROW = 13.0
LANDSCAPE = A4[1] - 2 * MARGIN, A4[0] - 2 * MARGIN  # what a page holds within its margins
HEADING, SOFT, SMALL = 11.0, 8.0, 7.0  # sizes of text

Swatch = Sequence[Drawn] | str  # shapes on a square of `SWATCH` points, or a colour


def label(text: Text, *, name: str = "", title: str = "") -> Group:
    """A line of text that stands on its own."""
    return Group((text,), "label", title, name)


def page(
    shapes: Iterable[Drawn],
    theme: Theme,
    *,
    name: str,
    counts: Counts,
    legend: Mapping[str, Swatch],
    heading: bool = True,
) -> Scene:
    """A page of the size that shapes take, the network's name above and what colours mean below."""
    drawn = list(shapes)
    taken = around([bounds(shape) for shape in drawn])
    room = max(taken.width, NARROWEST)
    above = [_heading(name, counts, theme, room)] if heading else []
    below = list(legend_rows(legend, theme, room))
    parts = [list(_beneath(part, taken.center[0])) for part in (above, drawn, below)]
    y, stacked = 0.0, list[Drawn]()
    for part in filter(None, parts):
        extent = around([bounds(shape) for shape in part])
        stacked += [placed(shape, 0, y - extent.top) for shape in part]
        y += extent.height + GAP
    extent = around([bounds(shape) for shape in stacked])
    moved = tuple(placed(s, MARGIN - extent.left, MARGIN - extent.top) for s in stacked)
    width, height = (round(side + 2 * MARGIN, 6) for side in (extent.width, extent.height))
    return Scene(width, height, moved, theme.background, f"{name}: {counts.headline}")


def _beneath(shapes: Sequence[Drawn], x: float) -> Iterable[Drawn]:
    """Shapes whose middle is at x."""
    extent: Bounds = around([bounds(shape) for shape in shapes])
    return (placed(shape, x - extent.center[0], 0) for shape in shapes)


def _heading(name: str, counts: Counts, theme: Theme, room: float) -> Group:
    short = shortened(name, room, HEADING, bold=True)
    lines = (
        Text(0, 0, short, HEADING, theme.text, bold=True),
        Text(0, GAP, counts.headline, SOFT, theme.soft_text),
    )
    return Group(lines, "title", name)


def scale_to_fit(extent: Size, size: Size, *, heading: bool, legend: Mapping[str, Swatch]) -> float:
    """How much shapes must be scaled, 1 at most, so that a page with them has a size at most."""
    width, height = extent
    room = size[1] - 2 * MARGIN - (ABOVE if heading else 0)
    scale = min(1.0, (size[0] - 2 * MARGIN) / width, room / height)
    if not legend:
        return scale
    last = _legend_places(legend, max(width * scale, NARROWEST))[-1]
    below = SWATCH - 1 + last[1] + DESCENT * SMALL
    return max(min(scale, (room - below - GAP) / height), LEAST_SCALE)


def legend_rows(entries: Mapping[str, Swatch], theme: Theme, room: float) -> Iterable[Drawn]:
    """Swatches with words, in as many rows as the width asks for; the first is at y = 0."""
    places = _legend_places(entries, room)
    for (words, swatch), (x, y) in zip(entries.items(), places, strict=True):
        drawn = (
            (Rectangle(0, 0, SWATCH, SWATCH, Paint(swatch, theme.border, 0.6)),)
            if isinstance(swatch, str)
            else swatch
        )
        square = tuple(placed(shape, x, y - SWATCH + 1) for shape in drawn)
        yield Group(
            (
                *square,
                label(Text(x + SWATCH + 4, y, words, SMALL, theme.soft_text, anchor="start")),
            ),
            "legend",
        )


def _legend_places(entries: Iterable[str], room: float) -> list[Point]:
    """Where the base lines of a legend's entries begin, the first at (0, 0)."""
    found: list[Point] = []
    x = y = 0.0
    for words in entries:
        width = SWATCH + 4 + text_width(words, SMALL)
        if x and x + width > room:
            x, y = 0.0, y + LEGEND_ROW
        found.append((x, y))
        x += width + 14
    return found
