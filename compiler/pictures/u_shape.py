"""Encoder and decoder -> a U: a row per resolution, the encoder at its left, skips across."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .encoder_decoder import Ladder, Level, boxes_of, first, last
from .flow import Item, Series
from .layout import Layout
from .piece import GAP, Piece, Route, Size, straight
from .scene import Bounds, Point

INDENT = 20.0  # of each level, at both sides, where there is room
ROW_GAP = 24.0  # between rows
SKIP = 40.0  # the shortest skip
OVER = 12.0  # above boxes, for a skip that passes over them
RISE = 16.0  # beside boxes, for a skip that rises there


def u_shaped(found: Ladder, layout: Layout, sizes: Mapping[int, Size]) -> Piece:
    """A ladder as a U.

    Args:
        found: The levels.
        layout: Lays out rows: it must be one for pictures that run from left to right.
        sizes: Widths and heights of the boxes.
    """
    return _U(found, layout, sizes).piece()


@dataclass(frozen=True)
class _Rung:
    """A level laid out: its ways down and up, and what lies on its skip."""

    level: Level
    down: Piece
    up: Piece
    on_skip: Piece

    @property
    def above(self) -> float:
        """The room above its boxes: for a skip that passes over them, and what lies on it."""
        if self.level.enters_over:
            return self.on_skip.left + self.on_skip.right + OVER
        return OVER if self.level.leaves_over else 0.0

    @property
    def between(self) -> float:
        """The room between the ways down and up."""
        if self.level.enters_over:
            enters = self.up.places[self.level.skip[1]][1]
            return RISE + max(0.0, self.on_skip.length + RISE - enters)
        return self.on_skip.length + SKIP * (2 if self.on_skip.length else 1)

    @property
    def width(self) -> float:
        """How wide the row is at least."""
        return self.down.length + self.between + self.up.length

    @property
    def height(self) -> float:
        """How high the row is."""
        return self.above + self.axis + max(piece.right for piece in self._beside)

    @property
    def axis(self) -> float:
        """From where its boxes begin down to the line that its ways lie on."""
        return max(piece.left for piece in self._beside)

    @property
    def _beside(self) -> Sequence[Piece]:
        ways = (self.down, self.up)
        return ways if self.level.enters_over else (*ways, self.on_skip)

    def put_into(self, whole: Piece, left: float, right: float, top: float) -> None:
        """Put its pieces between two ends, below a height."""
        y = top + self.above + self.axis
        start = right - self.up.length
        whole.put(_upright(self.down), left, y)
        whole.put(_upright(self.up), start, y)
        middle = (left + self.down.length + start - self.on_skip.length) / 2
        if self.level.enters_over:
            middle = start + self.up.places[self.level.skip[1]][1] - RISE - self.on_skip.length
            y = top + self.on_skip.left
        whole.put(_upright(self.on_skip), middle, y)


@dataclass(eq=False)
class _U:
    ladder: Ladder
    layout: Layout
    sizes: Mapping[int, Size]

    def piece(self) -> Piece:
        """Rows below each other, and the lines between them."""
        rungs = [
            _Rung(
                level,
                self._row(level.down),
                self._row(level.up),
                self._row(level.on_skip.items) if level.on_skip else Piece(),
            )
            for level in self.ladder.levels
        ]
        bottom = self._row(self.ladder.bottom)
        width = max(bottom.length, *(rung.width for rung in rungs))
        whole = Piece(right=width)
        turns: list[float] = []
        along = 0.0
        for k, rung in enumerate(rungs):
            indent = min(k * INDENT, (width - rung.width) / 2)
            rung.put_into(whole, indent, width - indent, along)
            along += rung.height + ROW_GAP
            turns.append(along - ROW_GAP)
        whole.put(_upright(bottom), (width - bottom.length) / 2, along + bottom.left)
        whole.length = along + bottom.left + bottom.right
        whole.routes += self._lines(whole.places, turns)
        return whole

    def _row(self, items: Sequence[Item]) -> Piece:
        return self.layout.series(Series(list(items), [], []))

    def _lines(self, places: Mapping[int, Point], ends: Sequence[float]) -> Iterator[Route]:
        """The lines down, across and up, between rows that end at some heights."""
        levels = self.ladder.levels
        lower = [*(level.down for level in levels[1:]), self.ladder.bottom]
        upper = [*(level.up for level in levels[1:]), self.ladder.bottom]
        for level, below, back, end in zip(levels, lower, upper, ends, strict=True):
            yield self._down(places, last(level.down), first(below), end + ROW_GAP / 3)
            yield self._up(places, last(back), first(level.up), end + 2 * ROW_GAP / 3)
            yield from self._across(places, level)

    def _down(self, places: Mapping[int, Point], source: int, target: int, turn: float) -> Route:
        """From a row to the next one, which it enters from above."""
        (x0, y0), (x1, y1) = places[source], places[target]
        start, end = y0 + self.sizes[source][1] / 2, y1 - self.sizes[target][1] / 2
        return Route(straight(((x0, start), (x0, turn), (x1, turn), (x1, end))))

    def _up(self, places: Mapping[int, Point], source: int, target: int, turn: float) -> Route:
        """From a row to the one before, which it enters from below.

        It leaves a box at its side where something enters this from above.
        """
        (x0, y0), (x1, y1) = places[source], places[target]
        end = y1 + self.sizes[target][1] / 2
        taken = {level.skip[1] for level in self.ladder.levels} | {first(self.ladder.bottom)}
        if source in taken:
            right = x0 + self.sizes[source][0] / 2
            start = [(right, y0), (right + GAP, y0), (right + GAP, turn)]
        else:
            start = [(x0, y0 - self.sizes[source][1] / 2), (x0, turn)]
        return Route(straight((*start, (x1, turn), (x1, end))))

    def _across(self, places: Mapping[int, Point], level: Level) -> Iterator[Route]:
        """A skip: from side to side where nothing stands between, or above what does."""
        source, target = level.skip
        stops = [source, target]
        high = min(self._top(places, box) for box in boxes_of([*level.down, *level.up])) - OVER / 2
        if level.on_skip is not None:
            stops[1:1] = [first(level.on_skip.items), last(level.on_skip.items)]
            high = places[stops[1]][1] if level.enters_over else high
        for a, b in zip(stops[::2], stops[1::2], strict=True):
            (x0, y0), (x1, y1) = places[a], places[b]
            x0 += self.sizes[a][0] / 4 if a == first(level.down) else 0.0
            right, left = places[a][0] + self.sizes[a][0] / 2, x1 - self.sizes[b][0] / 2
            turn = right + RISE / 2
            start, end = [(right, y0), (turn, y0)], [(turn, y1), (left, y1)]
            if a == source and level.leaves_over:
                start, end = (
                    [(x0, self._top(places, a)), (x0, high)],
                    [(left - GAP, high), (left - GAP, y1), (left, y1)],
                )
            if b == target and level.enters_over:
                end = [(start[-1][0], high), (x1, high), (x1, self._top(places, b))]
            yield Route(straight((*start, *end)), skip=True)

    def _top(self, places: Mapping[int, Point], box: int) -> float:
        return places[box][1] - self.sizes[box][1] / 2


def _upright(row: Piece) -> Piece:
    """A row, laid out from left to right, in a picture that runs from top to bottom."""

    def at(point: Point) -> Point:
        return point[1], point[0]

    row = row.flat()
    upright = Piece(row.left, row.right, row.length)
    upright.boxes = {box: at(place) for box, place in row.boxes.items()}
    for f in row.frames:
        bounds = Bounds(f.bounds.top, f.bounds.left, f.bounds.bottom, f.bounds.right)
        upright.frames.append(replace(f, bounds=bounds))
    upright.routes = [replace(r, points=tuple(map(at, r.points))) for r in row.routes]
    return upright
