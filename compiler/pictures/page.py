"""Shapes -> the page around them: a heading above, a legend below, margins."""

from collections.abc import Iterable, Mapping, Sequence

from ..analysis.counts import Counts
from ..emit.palette import Theme
from .fonts import bounds, shortened, text_width
from .scene import A4, Bounds, Drawn, Group, Paint, Rectangle, Scene, Text, around, placed

MARGIN = 18.0
SWATCH = 8.0
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
    room = max(taken.width, 120.0)
    above = list(_heading(name, counts, theme, room)) if heading else []
    below = list(legend_rows(legend, theme, room))
    parts = [list(_beneath(part, taken.center[0])) for part in (above, drawn, below)]
    y, stacked = 0.0, list[Drawn]()
    for part in filter(None, parts):
        extent = around([bounds(shape) for shape in part])
        stacked += [placed(shape, 0, y - extent.top) for shape in part]
        y += extent.height + 12
    extent = around([bounds(shape) for shape in stacked])
    moved = tuple(placed(s, MARGIN - extent.left, MARGIN - extent.top) for s in stacked)
    width, height = extent.width + 2 * MARGIN, extent.height + 2 * MARGIN
    return Scene(width, height, moved, theme.background, f"{name}: {counts.headline}")


def _beneath(shapes: Sequence[Drawn], x: float) -> Iterable[Drawn]:
    """Shapes whose middle is at x."""
    extent: Bounds = around([bounds(shape) for shape in shapes])
    return (placed(shape, x - extent.center[0], 0) for shape in shapes)


def _heading(name: str, counts: Counts, theme: Theme, room: float) -> Iterable[Drawn]:
    short = shortened(name, room, HEADING, bold=True)
    yield label(Text(0, 0, short, HEADING, theme.text, bold=True), name="heading", title=name)
    yield label(Text(0, 12, counts.headline, SOFT, theme.soft_text), name="totals")


def legend_rows(entries: Mapping[str, Swatch], theme: Theme, room: float) -> Iterable[Drawn]:
    """Swatches with words, in as many rows as the width asks for; the first is at y = 0."""
    x = y = 0.0
    for words, swatch in entries.items():
        width = SWATCH + 4 + text_width(words, SMALL)
        if x and x + width > room:
            x, y = 0.0, y + 13
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
        x += width + 14
