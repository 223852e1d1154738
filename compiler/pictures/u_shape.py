"""Encoder and decoder -> a U: a row per resolution, the encoder at its left, skips across."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..emit.layer_view import Box, Edge
from .flow import Framed, Item, Leaf, Parallel, Series
from .layout import GAP, Framing, Layout, Piece, Route, Size, joined
from .scene import Bounds, Point

FEWEST_LEVELS = 2
INDENT = 20.0  # of each level, at both sides
ROW_GAP = 24.0  # between rows
SKIP = 40.0  # the shortest skip
SHORT = 2  # boxes that a skip may pass on its way, such as a crop


@dataclass(frozen=True)
class Level:
    """What one resolution has on its way down and up, and what lies on its skip."""

    down: Sequence[Item]
    skips: Sequence[Edge]
    on_skip: Series | None
    up: Sequence[Item]


@dataclass(frozen=True)
class Ladder:
    """Levels from the highest resolution down, and what is below them."""

    levels: Sequence[Level]
    bottom: Sequence[Item]


def ladder(series: Series, boxes: Sequence[Box]) -> Ladder | None:
    """The levels of an encoder and a decoder; None for networks of other shapes."""
    levels: list[Level] = []
    while True:
        items = _opened(series.items)
        found = [(item, p) for item in items if isinstance(item, Parallel) and (p := _passed(item))]
        if not found:
            break
        parallel, (main, others) = max(found, key=lambda pair: _count(pair[1][0]))
        inside = _extents(_boxes(main.items), boxes)
        outside = _extents(_boxes(i for i in items if i is not parallel), boxes)
        if not inside or not outside or min(inside) >= max(outside):
            break
        at = items.index(parallel)
        on_skip = others[0] if others else None
        levels.append(Level(items[:at], parallel.skips, on_skip, items[at + 1 :]))
        series = main
    complete = len(levels) >= FEWEST_LEVELS and all(level.down and level.up for level in levels)
    return Ladder(levels, series.items) if complete and series.items else None


def _opened(items: Sequence[Item]) -> list[Item]:
    """Items, and in place of a frame around a level what it holds."""
    found: list[Item] = []
    for item in items:
        inner = item.body.items if isinstance(item, Framed) else []
        deep = any(isinstance(each, Parallel) and _passed(each) for each in _opened(inner))
        found += _opened(inner) if deep else [item]
    return found


def _passed(parallel: Parallel) -> tuple[Series, list[Series]] | None:
    """The branch that a skip passes by, and the branches that are the skip; None for others."""
    main = max(parallel.branches, key=_count)
    others = [branch for branch in parallel.branches if branch is not main]
    if any(_count(branch) > SHORT for branch in others) or _count(main) <= SHORT:
        return None
    if len(others) + len(parallel.skips) != 1 or not main.entries or not main.exits:
        return None
    return main, others


def _count(series: Series) -> int:
    return sum(1 for _ in _boxes(series.items))


def _boxes(items: "Sequence[Item] | Iterator[Item]") -> Iterator[int]:
    for item in items:
        if isinstance(item, Leaf):
            yield item.box
        elif isinstance(item, Framed):
            yield from _boxes(item.body.items)
        elif isinstance(item, Parallel):
            for branch in item.branches:
                yield from _boxes(branch.items)
        else:
            yield from item.boxes


def _extents(positions: Iterator[int], boxes: Sequence[Box]) -> list[int]:
    """The first extent of all outputs that have several."""
    sizes = (boxes[position].output.split("x") for position in positions)
    return [int(size[0]) for size in sizes if len(size) > 1 and size[0].isdigit()]


def u_shaped(found: Ladder, layout: Layout, sizes: Mapping[int, Size]) -> Piece:
    """A ladder as a U.

    Args:
        found: The levels.
        layout: Lays out rows: it must be one for pictures that run from left to right.
        sizes: Widths and heights of the boxes.
    """
    return _U(found, layout, sizes).piece()


@dataclass(eq=False)
class _U:
    ladder: Ladder
    layout: Layout
    sizes: Mapping[int, Size]

    def piece(self) -> Piece:
        """Rows below each other, and the lines between them."""
        levels = self.ladder.levels
        downs = [self._row(level.down) for level in levels]
        ups = [self._row(level.up) for level in levels]
        skips = [self._row(level.on_skip.items) if level.on_skip else Piece() for level in levels]
        bottom = self._row(self.ladder.bottom)
        rows = zip(downs, ups, skips, strict=True)
        width = max(
            down.length
            + up.length
            + skip.length
            + SKIP * (2 if skip.length else 1)
            + 2 * k * INDENT
            for k, (down, up, skip) in enumerate(rows)
        )
        width = max(width, bottom.length + 2 * (len(levels) - 1) * INDENT)
        pieces: list[Piece] = []
        along = 0.0
        for k, row in enumerate(zip(downs, ups, skips, strict=True)):
            high = max(piece.left for piece in row)
            low = max(piece.right for piece in row)
            starts = (k * INDENT, width - k * INDENT - row[1].length)
            middle = (starts[0] + row[0].length + starts[1] - row[2].length) / 2
            for piece, start in zip(row, (*starts, middle), strict=True):
                pieces.append(_upright(piece).moved(start, along + high))
            along += high + low + ROW_GAP
        low_start = (width - bottom.length) / 2
        pieces.append(_upright(bottom).moved(low_start, along + bottom.left))
        along += bottom.left + bottom.right
        whole = joined(pieces)
        routes = tuple(self._lines(whole.boxes))
        return replace(whole, left=0.0, right=width, length=along, routes=(*whole.routes, *routes))

    def _row(self, items: Sequence[Item]) -> Piece:
        return self.layout.series(Series(list(items), [], []))

    def _lines(self, places: Mapping[int, Point]) -> Iterator[Route]:
        """The lines down, across and up."""
        levels = self.ladder.levels
        lower = [*(level.down for level in levels[1:]), self.ladder.bottom]
        upper = [*(level.up for level in levels[1:]), self.ladder.bottom]
        for level, below, back in zip(levels, lower, upper, strict=True):
            yield self._between(places, _last(level.down), _first(below), 1)
            yield self._between(places, _last(back), _first(level.up), -1)
            stops = [_last(level.down), _first(level.up)]
            if level.skips:
                stops = [level.skips[0].source, level.skips[0].target]
            if level.on_skip is not None:
                stops[1:1] = [_first(level.on_skip.items), _last(level.on_skip.items)]
            for source, target in zip(stops[::2], stops[1::2], strict=True):
                yield self._across(places, source, target)

    def _between(self, places: Mapping[int, Point], source: int, target: int, way: int) -> Route:
        """From a row to the next one, down (1) or up (-1)."""
        (x0, y0), (x1, y1) = places[source], places[target]
        start = y0 + way * self.sizes[source][1] / 2
        end = y1 - way * self.sizes[target][1] / 2
        turn = end - way * ROW_GAP / 2
        if x0 == x1:
            return Route(((x0, start), (x1, end)))
        return Route(((x0, start), (x0, turn), (x1, turn), (x1, end)))

    def _across(self, places: Mapping[int, Point], source: int, target: int) -> Route:
        (x0, y0), (x1, y1) = places[source], places[target]
        start, end = x0 + self.sizes[source][0] / 2, x1 - self.sizes[target][0] / 2
        if y0 == y1:
            return Route(((start, y0), (end, y1)), skip=True)
        return Route(((start, y0), (end - GAP, y0), (end - GAP, y1), (end, y1)), skip=True)


def _upright(row: Piece) -> Piece:
    """A row, laid out from left to right, in a picture that runs from top to bottom."""

    def at(point: Point) -> Point:
        return point[1], point[0]

    return replace(
        row,
        boxes={box: at(place) for box, place in row.boxes.items()},
        frames=tuple(
            Framing(
                f.cluster,
                Bounds(f.bounds.top, f.bounds.left, f.bounds.bottom, f.bounds.right),
                f.continued,
            )
            for f in row.frames
        ),
        routes=tuple(replace(r, points=tuple(map(at, r.points))) for r in row.routes),
    )


def _first(items: Sequence[Item]) -> int:
    return next(_boxes(items[:1]))


def _last(items: Sequence[Item]) -> int:
    return list(_boxes(items[-1:]))[-1]
