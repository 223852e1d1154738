"""Small pictures, with captions, boxes and points -> one picture of them in rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..kerneldef import Array
from .canvas import INK, PictureFile, drawable, page, text_length

POINTS_PER_INCH = 72.0  # per inch
PAGE_WIDTH = 470.0  # points that a row takes at most: a page's text
TILE_MARGIN, TILE_GAP = 8.0, 5.0
LARGEST_TILE, SMALLEST_TILE = 84.0, 9.0  # sides of a tile
SQUARE = 7.0  # of a colour in the legend
TITLE_SIZE, TEXT_SIZE, CAPTION_SIZE = 10.0, 8.0, 7.0  # sizes of letters
SMALLEST_CAPTION = 5.5
LEADING = 1.3
USUAL_COLUMNS = (8, 7, 9, 6, 10, 5)


@dataclass(frozen=True, slots=True)
class Marks:
    """What is drawn on a tile, in fractions of its width and height from the upper left corner.

    Attributes:
        boxes: (K, 4), x0 y0 x1 y1.
        points: (K, 2), x y; NaN is not drawn.
        colour: Of both.
        dashed: Whether lines are dashed, and points crosses.
    """

    boxes: Array | None = None
    points: Array | None = None
    colour: str = INK.text
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A small picture.

    Attributes:
        pixels: (H, W, 3) from 0 to 1.
        caption: Below it; may have several lines.
        colour: Of the caption.
        marks: On it.
    """

    pixels: Array
    caption: str = ""
    colour: str = INK.soft_text
    marks: Sequence[Marks] = ()


@dataclass(frozen=True, slots=True)
class TileRow:
    """Tiles beside each other.

    Attributes:
        tiles: The pictures.
        name: At the left; may have several lines.
    """

    tiles: Sequence[Tile]
    name: str = ""


@dataclass(slots=True)
class _Layout:
    """Where things go, in points from the upper left corner."""

    left: float
    side: float
    width: float
    height: float = 0.0
    places: list[tuple[Tile, float, float, float, float]] = field(default_factory=list)
    names: list[tuple[str, float]] = field(default_factory=list)


class FootLine(NamedTuple):
    """A line below the tiles, or of the legend, where it has a colour; from the foot's corner."""

    x: float
    y: float
    text: str
    colour: str = ""


def wrapped(tiles: Sequence[Tile], columns: Sequence[int] = USUAL_COLUMNS) -> list[TileRow]:
    """Tiles in rows of as many as leave few gaps in the last row; the first number is preferred."""
    width = min(columns, key=lambda each: -len(tiles) % each)
    return [TileRow(tiles[start : start + width]) for start in range(0, len(tiles), width)]


def draw_tiles(
    rows: Sequence[TileRow],
    file: PictureFile,
    *,
    heads: Sequence[str] = (),
    legend: Sequence[tuple[str, str]] = (),
    note: str = "",
    largest: float = LARGEST_TILE,
) -> None:
    """Draw rows of small pictures.

    Args:
        rows: The rows; a tile is drawn at the same place of each row.
        file: Where the picture goes.
        heads: What stands above each column.
        legend: Colours and what they mean, below.
        note: What stands below, in one line.
        largest: The longer side of a tile in points, where the page has room for it.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    with page(file, (1.0, 1.0)) as figure:
        layout = _layout(rows, heads, largest, file.title)
        foot, below = _foot(legend, note, layout.width)
        height = layout.height + below
        figure.set_size_inches(layout.width / POINTS_PER_INCH, height / POINTS_PER_INCH)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, layout.width)
        axes.set_ylim(height, 0)
        if file.title:
            _write(axes, TILE_MARGIN, TILE_MARGIN, file.title, size=TITLE_SIZE, colour=INK.text)
        top = TILE_MARGIN + (TITLE_SIZE * 1.6 if file.title else 0.0)
        for column, head in enumerate(heads):
            middle = layout.left + column * (layout.side + TILE_GAP) + layout.side / 2
            _write(axes, middle, top, head, size=TEXT_SIZE, colour=INK.text, align="center")
        for name, y in layout.names:
            _write(axes, TILE_MARGIN, y, name, size=TEXT_SIZE, colour=INK.text)
        for tile, x, y, w, h in layout.places:
            _place(axes, tile, x, y, w, h, layout.side)
        for entry in foot:
            _draw_entry(axes, entry, layout.height - TILE_MARGIN / 2)


def _layout(rows: Sequence[TileRow], heads: Sequence[str], largest: float, title: str) -> _Layout:
    names = [line for row in rows for line in drawable_lines(row.name)]
    longest = max((text_length(line, TEXT_SIZE) for line in names), default=0.0)
    left = TILE_MARGIN + (longest + 8.0 if longest else 0.0)
    columns = max(len(row.tiles) for row in rows)
    room = (PAGE_WIDTH - left - TILE_MARGIN - (columns - 1) * TILE_GAP) / columns
    side = min(largest, max(room, SMALLEST_TILE))
    width = left + columns * side + (columns - 1) * TILE_GAP + TILE_MARGIN
    widest = text_length(drawable(title), TITLE_SIZE) if title else 0.0
    layout = _Layout(left, side, max(width, widest + 2 * TILE_MARGIN))
    y = TILE_MARGIN + (TITLE_SIZE * 1.6 if title else 0.0) + (TEXT_SIZE * 1.7 if heads else 0.0)
    for row in rows:
        sizes = [_fitted(tile.pixels.shape, side) for tile in row.tiles]
        tallest = max(h for _, h in sizes)
        lines = max(len(drawable_lines(tile.caption)) for tile in row.tiles)
        for place, (tile, (w, h)) in enumerate(zip(row.tiles, sizes, strict=True)):
            x = left + place * (side + TILE_GAP) + (side - w) / 2
            layout.places.append((tile, x, y + (tallest - h) / 2, w, h))
        named = drawable_lines(row.name)
        if named:
            block = (len(named) - 1) * LEADING * TEXT_SIZE + TEXT_SIZE
            layout.names.append((row.name, y + max((tallest - block) / 2, 0.0)))
            tallest = max(tallest, block)
        y += tallest + (2.0 + lines * CAPTION_SIZE * LEADING if lines else 0.0) + TILE_GAP
    layout.height = y - TILE_GAP + TILE_MARGIN
    return layout


def _fitted(shape: tuple[int, ...], side: float) -> tuple[float, float]:
    """Width and height of a picture in a square."""
    height, width, *_ = shape
    longer = max(height, width)
    return side * width / longer, side * height / longer


def drawable_lines(text: str) -> list[str]:
    """The lines of a text; none where it is empty."""
    return [drawable(line) for line in text.split("\n")] if text else []


def _place(axes: Any, tile: Tile, x: float, y: float, w: float, h: float, side: float) -> None:
    """A tile with its frame, its marks and its caption."""
    axes.imshow(
        tile.pixels, extent=(x, x + w, y + h, y), aspect="auto", interpolation="nearest", vmin=0
    )
    axes.plot(
        [x, x + w, x + w, x, x], [y, y, y + h, y + h, y], color=INK.border, linewidth=0.4, zorder=3
    )
    for marks in tile.marks:
        _mark(axes, marks, x, y, w, h)
    middle = x + w / 2
    for number, line in enumerate(drawable_lines(tile.caption)):
        line, size = _caption(line, side + TILE_GAP)
        below = y + h + 2.0 + number * CAPTION_SIZE * LEADING
        _write(axes, middle, below, line, size=size, colour=tile.colour, align="center")


def _caption(line: str, room: float) -> tuple[str, float]:
    """A caption and the size at which it fits; one that would be too small to read is cut."""
    size = CAPTION_SIZE * min(room / max(text_length(line, CAPTION_SIZE), 1.0), 1.0)
    if size >= SMALLEST_CAPTION:
        return line, size
    kept = max(int(len(line) * size / SMALLEST_CAPTION) - 1, 1)
    return line[:kept] + "…", SMALLEST_CAPTION


def _mark(axes: Any, marks: Marks, x: float, y: float, w: float, h: float) -> None:
    style: dict[str, Any] = {"linestyle": (0, (2.5, 1.5)) if marks.dashed else "-"}
    for x0, y0, x1, y1 in () if marks.boxes is None else marks.boxes:
        across = [x + w * each for each in (x0, x1, x1, x0, x0)]
        down = [y + h * each for each in (y0, y0, y1, y1, y0)]
        axes.plot(across, down, color=INK.background, linewidth=2.2, zorder=4)
        axes.plot(across, down, color=marks.colour, linewidth=1.2, zorder=4, **style)
    if marks.points is not None:
        places = (x, y) + np.array([w, h]) * marks.points
        shape = "x" if marks.dashed else "o"
        for colour, size, edge in ((INK.background, 5.0, 2.0), (marks.colour, 3.6, 1.1)):
            axes.plot(
                *(*places.T, shape),
                color=colour,
                markersize=size,
                markeredgewidth=edge,
                markerfacecolor="none",
                zorder=4,
            )


def _foot(
    legend: Sequence[tuple[str, str]], note: str, width: float
) -> tuple[list[FootLine], float]:
    """What stands below the tiles, and how high all of it is."""
    found: list[FootLine] = []
    x, y = TILE_MARGIN, 0.0
    for colour, name in legend:
        needed = SQUARE + text_length(drawable(name), CAPTION_SIZE) + 14.0
        if x > TILE_MARGIN and x + needed > width:
            x, y = TILE_MARGIN, y + CAPTION_SIZE * LEADING
        found.append(FootLine(x, y, name, colour))
        x += needed
    y += CAPTION_SIZE * 1.6 if legend else 0.0
    for line in _folded(note, width - 2 * TILE_MARGIN):
        found.append(FootLine(TILE_MARGIN, y, line))
        y += CAPTION_SIZE * LEADING
    return found, y + TILE_MARGIN / 2 if found else 0.0


def _folded(text: str, room: float) -> list[str]:
    """Text in lines that fit."""
    lines: list[str] = []
    for word in drawable(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_length(longer, CAPTION_SIZE) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _draw_entry(axes: Any, entry: FootLine, top: float) -> None:
    x, y = entry.x, top + entry.y
    if not entry.colour:
        _write(axes, x, y, entry.text, size=CAPTION_SIZE, colour=INK.soft_text)
        return
    across, down = [x, x + SQUARE, x + SQUARE, x], [y, y, y + SQUARE, y + SQUARE]
    axes.fill(across, down, facecolor=entry.colour, edgecolor=INK.border, linewidth=0.4)
    _write(axes, x + SQUARE + 4.0, y, entry.text, size=CAPTION_SIZE, colour=INK.text)


def _write(
    axes: Any, x: float, y: float, text: str, *, size: float, colour: str, align: str = "left"
) -> None:
    text = "\n".join(drawable_lines(text))
    axes.text(
        x, y, text, fontsize=size, color=colour, ha=align, va="top", linespacing=LEADING, zorder=5
    )
