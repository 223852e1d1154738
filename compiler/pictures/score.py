"""Staves -> shapes: rows of two lanes on a page, wires in channels between columns."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..emit.palette import Theme
from .columns import Columns, Kept
from .rounded_lines import rounded
from .scene import Anchor, Bounds, Drawn, Group, Line, Paint, Point, Text, of_points
from .staves import LABEL, LABEL_LINE, Net, Staves

TRACK = 5.0  # between wires that run vertically, or beside each other
LANES = 12.0  # between the lanes, besides wires
ROWS = 16.0  # between rows
UPRIGHT = ("TB", "BT")  # directions in which rows stand side by side


@dataclass(eq=False)
class _Trunk:
    """A net in a channel: the heights at which it comes and goes, and where it runs."""

    left: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    @property
    def heights(self) -> list[float]:
        return [*self.left, *self.right, *self.others]

    @property
    def bends(self) -> bool:
        heights = self.heights
        return bool(self.others) or max(heights) - min(heights) > 0.5


Key = tuple[int, bool]  # a net, and whether it is its dashed part


@dataclass(eq=False)
class Row:
    """Some columns of the picture, from `first` to `last`, at their places on the page."""

    columns: Columns
    first: int
    last: int
    top: float = 0.0
    upper: float = 0.0
    lower: float = 0.0
    bottom: float = 0.0
    bus: dict[int, float] = field(default_factory=dict)
    trunks: dict[int, dict[Key, _Trunk]] = field(default_factory=lambda: defaultdict(dict))
    middle: dict[int, float] = field(default_factory=dict)
    track: dict[tuple[int, Key], float] = field(default_factory=dict)
    gutter: dict[Key, float] = field(default_factory=dict)
    width: float = 0.0
    after: float = 0.0  # where the next row begins

    def __post_init__(self) -> None:
        self._heights()
        self._channels()
        self._widths()
        crossing = {} if self.is_last else self.trunks[self.last]
        order = sorted(crossing, key=lambda k: (min(crossing[k].heights), k), reverse=True)
        for number, key in enumerate(order):
            self.gutter[key] = self.bottom + ROWS / 2 + TRACK * number
        self.after = self.bottom + ROWS + TRACK * len(order)

    @property
    def is_last(self) -> bool:
        """Whether no row comes after it."""
        return self.last == self.columns.staves.count - 1

    def passing(self, channel: int) -> int:
        """How many nets are in a channel."""
        dashed = sum(is_dashed for _, is_dashed in self.trunks[channel])
        return dashed + len(self.columns.passages.get(channel, ()))

    def holds(self, column: int) -> bool:
        """Whether a column is in this row."""
        return self.first <= column <= self.last

    def _heights(self) -> None:
        over, under = (
            [y for c in range(self.first, self.last + 1) for y in lane.get(c, ())]
            for lane in self.columns.reach
        )
        over = over or [0.0]
        self.upper = self.top - min(over)
        end = self.upper + max(over) + LANES / 2
        for net in self.columns.kept.values():  # those that merely turn in one channel need no bus
            low, high = net.span
            if low < high and high >= self.first - 1 and low <= self.last:
                self.bus[net.number] = end
                end += TRACK
        self.bottom = end
        if under:
            self.lower = end + LANES / 2 - min(under)
            self.bottom = self.lower + max(under)

    def y(self, net: Net, height: float) -> float:
        """A height of a lane on the page."""
        return height + (self.upper if net.role == "forward" else self.lower)

    def _channels(self) -> None:
        """What turns in each channel; the one at `first - 1` leads in, the one at `last` out."""
        for channel in range(self.first - 1, self.last + 1):
            inside = self.first <= channel < self.last
            found = self.columns.bending if inside else self.columns.passages
            for number, upper, left, right in found.get(channel, ()):
                axis = self.upper if upper else self.lower
                trunk = self.trunks[channel][number, False] = _Trunk()
                if channel >= self.first:
                    trunk.left = [height + axis for height in left]
                if channel < self.last:
                    trunk.right = [height + axis for height in right]
        for net in self.columns.kept.values():
            self._kept(net)

    def _kept(self, net: Kept) -> None:
        key = (net.number, True)
        bus = [self.bus[net.number]] if net.number in self.bus else []
        if self.holds(net.column):
            trunk = self.trunks[net.column].setdefault(key, _Trunk())
            trunk.left.append(self.upper + net.height)
            trunk.others = bus
        for reader in net.readers:
            if self.holds(reader.column):
                trunk = self.trunks[reader.channel].setdefault(key, _Trunk())
                ends = trunk.right if reader.side == "left" else trunk.left
                ends.append(self.lower + reader.height)
                trunk.others = bus
        low, high = net.span
        if (bus and low < self.first - 1) or (bus and low <= self.first - 1 and self.first):
            self.trunks[self.first - 1].setdefault(key, _Trunk()).others = bus
        if bus and not self.is_last and high >= self.last and low <= self.last:
            self.trunks[self.last].setdefault(key, _Trunk()).others = bus

    def _widths(self) -> None:
        """Where columns and tracks lie, from left to right."""
        half, before, behind = self.columns.half, self.columns.before, self.columns.behind
        x = 0.0
        if self.first:
            x = self._tracks(self.first - 1, 0.0, across=True) + before[self.first]
        for column in range(self.first, self.last + 1):
            x += half[column]
            self.middle[column] = x
            x += half[column]
            if column < self.last:
                x = self._tracks(column, x + behind[column]) + before[column + 1]
            elif not self.is_last:
                x = self._tracks(column, x + behind[column], across=True)
        self.width = x

    def _tracks(self, channel: int, x: float, *, across: bool = False) -> float:
        """Give each net of a channel a track; returns where the channel ends."""
        found = {k: t for k, t in self.trunks[channel].items() if across or t.bends}
        if across:
            out = channel == self.last
            order = sorted(found, key=lambda k: (min(found[k].heights), k), reverse=out)
            for number, key in enumerate(order):
                place = number if out else len(order) - 1 - number
                self.track[channel, key] = x + TRACK * (place if out else len(order) - 1 - place)
            return x + TRACK * len(order)
        levels = _levelled(found)
        for key, level in levels.items():
            self.track[channel, key] = x + TRACK * level
        return x + TRACK * (max(levels.values(), default=-1) + 1)


def _levelled(trunks: Mapping[Key, _Trunk]) -> dict[Key, int]:
    """The track of each net, so that none runs over another one."""
    span = {key: (min(t.heights), max(t.heights)) for key, t in trunks.items()}

    def order(key: Key) -> tuple[float, ...]:
        trunk, (low, high) = trunks[key], span[key]
        start = trunk.left[0] if trunk.left else low
        falls = high - start > start - low
        return (1.0, -start, *key) if falls else (0.0, start, *key)

    found: dict[Key, int] = {}
    pending = sorted(trunks, key=order)
    # What must turn before a net does, as it comes where that one goes.
    earlier = {
        key: {o for o in pending if o != key and _meets(trunks[o].left, trunks[key].right)}
        for key in pending
    }
    while pending:
        key = next((k for k in pending if earlier[k].isdisjoint(pending)), pending[0])
        pending.remove(key)
        low, high = span[key]
        met = (n for o, n in found.items() if o in earlier[key] or key in earlier[o])
        least = max(met, default=-1) + 1
        taken = {n for o, n in found.items() if low < span[o][1] + 4 and span[o][0] < high + 4}
        while least in taken:
            least += 1
        found[key] = least
    return found


def _meets(ones: Sequence[float], others: Sequence[float]) -> bool:
    for a in ones:
        for b in others:
            if -2 < a - b < 2:
                return True
    return False


@dataclass(eq=False)
class Rows:
    """The rows that a picture may have, each reckoned once, as if it were the first one."""

    columns: Columns
    known: dict[tuple[int, int], Row] = field(default_factory=dict)

    def row(self, first: int, last: int) -> Row:
        """The row of some columns."""
        if (first, last) not in self.known:
            self.known[first, last] = Row(self.columns, first, last)
        return self.known[first, last]

    def extent(self, starts: Sequence[int], direction: str) -> tuple[float, float]:
        """Width and height of a picture whose rows begin at these columns."""
        rows = [self.row(*ends) for ends in _ends(starts, self.columns.staves.count)]
        along = max(row.width for row in rows)
        across = sum(row.after for row in rows[:-1]) + rows[-1].bottom
        return (across, along) if direction in UPRIGHT else (along, across)


def _ends(starts: Sequence[int], count: int) -> Iterator[tuple[int, int]]:
    """The first and the last column of each row."""
    for first, end in pairwise([*starts, count]):
        yield first, end - 1


@dataclass(eq=False)
class Score:
    """All rows, and the wires through them.

    Rows are reckoned from left to right; `at` turns them where the picture flows otherwise.

    Attributes:
        starts: The columns that begin rows.
        direction: Where the forward graph flows: `TB`, `LR`, `BT` or `RL`.
    """

    columns: Columns
    starts: Sequence[int]
    theme: Theme
    direction: str = "LR"
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        top = 0.0
        for first, last in _ends(self.starts, self.staves.count):
            self.rows.append(Row(self.columns, first, last, top))
            top = self.rows[-1].after

    @property
    def staves(self) -> Staves:
        """The parts at their places."""
        return self.columns.staves

    @property
    def length(self) -> float:
        """What the longest row takes along the flow."""
        return max(row.width for row in self.rows)

    def at(self, place: Point) -> Point:
        """A place along and across the flow as one on the page."""
        along, across = place
        if self.direction in ("RL", "BT"):
            along = self.length - along
        return (across, along) if self.direction in UPRIGHT else (along, across)

    def row_of(self, column: int) -> Row:
        """The row that holds a column."""
        return next(row for row in self.rows if row.holds(column))

    def center(self, name: str) -> Point:
        """The middle of a part on the page."""
        staves = self.staves
        column, item = staves.column[name], staves.item(name)
        row, block = self.row_of(column), staves.blocks[item]
        axis = staves.place[item] + (row.upper if staves.upper(name) else row.lower)
        return self.at((row.middle[column], axis + (block.top + block.bottom) / 2))

    def labels(self) -> Iterator[Drawn]:
        """What wires say: before a forward value's, behind a gradient's, as the lanes lie."""
        for net in self.staves.nets:
            if net.role == "kept" or not net.lines:
                continue
            column = self.staves.column[net.source]
            row = self.row_of(column)
            back = net.role == "backward"
            side = "left" if back else "right"
            y = row.y(net, self.staves.height_of(net.source, side, net.number))
            along, across = net.label
            half = self.staves.sizes[net.source][0] / 2 + (2 if net.upright else 4)
            x = row.middle[column] + (-half - along if back else half)
            near = 3.0 if net.upright else 1.5
            top = y + near - 1 if back else y - near - across
            corners = self.at((x, top)), self.at((x + along, top + across))
            yield from self._label(net, of_points(corners), back=back)

    def _label(self, net: Net, room: Bounds, *, back: bool) -> Iterator[Drawn]:
        """The lines of a label in its rectangle, at the side where the wire or its part is."""
        at_start = back if net.upright else back == (self.direction == "RL")
        anchor: Anchor = "start" if at_start else "end"
        colour = self.theme.skip if back else self.theme.soft_text
        for number, line in enumerate(net.lines):
            x = room.left if at_start else room.right
            y = room.top + 7.0 + LABEL_LINE * number
            yield Group((Text(x, y, line, LABEL, colour, anchor=anchor),), "label")

    def wires(self) -> Iterator[Drawn]:
        """All wires, dashed ones beneath the others."""
        for net in self.staves.nets:
            if net.role == "kept":
                for target in net.targets:
                    yield from self._kept(net, target)
        for net in self.staves.nets:
            if net.role != "kept":
                for target in net.targets:
                    yield from self._wire(net, target)

    def _drawn(self, points: Sequence[Point], role: str) -> Drawn:
        theme = self.theme
        colour = {"forward": theme.line, "backward": theme.skip, "kept": theme.cluster}[role]
        dash = (3.0, 2.2) if role == "kept" else ()
        paint = Paint(None, colour, 0.8 if role == "kept" else 1.0, dash)
        turned = [self.at(point) for point in _straight(points)]
        line = Line(rounded(turned, 3.0), paint, 4.5, curved=True)
        return Group((line,), "edge")

    def _edge(self, name: str, side: str, height: float) -> Point:
        row = self.row_of(self.staves.column[name])
        half = self.staves.sizes[name][0] / 2
        x = row.middle[self.staves.column[name]]
        return x + (half if side == "right" else -half), height

    def _wire(self, net: Net, target: str) -> Iterator[Drawn]:
        staves = self.staves
        back = net.role == "backward"
        out, into = ("left", "right") if back else ("right", "left")
        column, end = staves.column[net.source], staves.column[target]
        row = self.row_of(column)
        start = row.y(net, staves.height_of(net.source, out, net.number))
        points = [self._edge(net.source, out, start)]
        step, key = (-1 if back else 1), (net.number, False)
        while column != end:
            following = column + step
            channel = min(column, following)
            here, there = self.row_of(column), self.row_of(following)
            item = staves.ways[net.number].get(following) if following != end else None
            height = staves.place[item] if item else staves.height_of(target, into, net.number)
            y = there.y(net, height)
            points += self._across(here, there, channel, key, points[-1][1], y)
            if following != end:
                points.append((there.middle[following], y))
            column = following
        points.append(self._edge(target, into, points[-1][1]))
        yield self._drawn(points, net.role)

    def _across(
        self, here: Row, there: Row, channel: int, key: Key, start: float, end: float
    ) -> list[Point]:
        """The way through a channel, around the end of a row where it lies there."""
        if here is there:
            x = here.track.get((channel, key))
            return [(x, start), (x, end)] if x is not None else [(self._x(here, channel), end)]
        a, b = here.track[channel, key], there.track[channel, key]
        low = min(here, there, key=lambda row: row.first).gutter[key]
        return [(a, start), (a, low), (b, low), (b, end)]

    def _x(self, row: Row, channel: int) -> float:
        return row.middle[channel] + self.columns.half[channel]

    def _kept(self, net: Net, target: str) -> Iterator[Drawn]:
        staves, key = self.staves, (net.number, True)
        side = staves.kept_side(net, target)
        source, end = staves.column[net.source], staves.column[target]
        here, there = self.row_of(source), self.row_of(end)
        channel = end - (side == "left")
        start = here.upper + self.columns.kept[net.number].height
        points = [self._edge(net.source, "right", start)]
        last = there.lower + staves.height_of(target, side, net.number)
        if channel == source and here is there:
            x = here.track[channel, key]
            points += [(x, start), (x, last)]
        else:
            points.append((here.track[source, key], start))
            between = [r for r in self.rows if here.first <= r.first <= there.first]
            for row, following in pairwise(between):
                if row.last != source:
                    points += [(points[-1][0], row.bus[net.number])]
                    points += [(row.track[row.last, key], row.bus[net.number])]
                low = row.gutter[key]
                lead = following.track[following.first - 1, key]
                points += [(points[-1][0], low), (lead, low)]
            if channel >= there.first or here is there:
                level = there.bus[net.number]
                x = there.track[channel, key]
                points += [(points[-1][0], level), (x, level)]
            points.append((points[-1][0], last))
        points.append(self._edge(target, side, last))
        yield self._drawn(points, net.role)


def _straight(points: Sequence[Point]) -> list[Point]:
    """Points without those that lie on the way between their neighbours."""
    found: list[Point] = []
    for point in points:
        if found and abs(point[0] - found[-1][0]) + abs(point[1] - found[-1][1]) < 0.01:
            continue
        if len(found) > 1:
            (x0, y0), (x1, y1) = found[-2:]
            if abs(x0 - x1) + abs(x1 - point[0]) < 0.01 or abs(y0 - y1) + abs(y1 - point[1]) < 0.01:
                found.pop()
        found.append(point)
    return found
