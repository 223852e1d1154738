"""Staves -> shapes: rows of two lanes on a page, wires in channels between columns."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..emit.palette import Theme
from .fonts import text_width
from .graph import rounded
from .scene import Anchor, Drawn, Group, Line, Paint, Point, Text
from .staves import LABEL_LINE, Net, Staves

LABEL = 7.0  # the size of labels
TRACK = 5.0  # between wires that run vertically, or beside each other
LEAD = 8.0  # of a wire before it may turn
LANES = 12.0  # between the lanes, besides wires
ROWS = 16.0  # between rows


@dataclass(eq=False)
class _Trunk:
    """A net in a channel: the heights at which it comes and goes, and where it runs."""

    left: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    level: int = 0

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

    staves: Staves
    first: int
    last: int
    is_last: bool
    top: float
    upper: float = 0.0
    lower: float = 0.0
    bottom: float = 0.0
    bus: dict[int, float] = field(default_factory=dict)
    trunks: dict[int, dict[Key, _Trunk]] = field(default_factory=lambda: defaultdict(dict))
    middle: dict[int, float] = field(default_factory=dict)
    track: dict[tuple[int, Key], float] = field(default_factory=dict)
    gutter: dict[Key, float] = field(default_factory=dict)
    width: float = 0.0

    def __post_init__(self) -> None:
        self._heights()
        self._channels()
        self._widths()

    def holds(self, column: int) -> bool:
        """Whether a column is in this row."""
        return self.first <= column <= self.last

    def _heights(self) -> None:
        staves = self.staves
        reach: dict[bool, list[float]] = {True: [], False: []}
        for item, y in staves.place.items():
            name, number, column = item
            if self.holds(column):
                upper = staves.upper(name) if number < 0 else staves.nets[number].role == "forward"
                block = staves.blocks[item]
                reach[upper] += [y - block.up, y + block.down]
        over, under = reach[True] or [0.0], reach[False]
        self.upper = self.top - min(over)
        end = self.upper + max(over) + LANES / 2
        for net in self._on_the_bus():
            self.bus[net.number] = end
            end += TRACK
        self.bottom = end
        if under:
            self.lower = end + LANES / 2 - min(under)
            self.bottom = self.lower + max(under)

    def _on_the_bus(self) -> list[Net]:
        """Kept values that do not merely turn in one channel, the nearest ends first."""
        found = []
        for net in self.staves.nets:
            if net.role != "kept":
                continue
            channels = [self.staves.column[net.source], *self.kept_channels(net).values()]
            low, high = min(channels), max(channels)
            if low < high and high >= self.first - 1 and low <= self.last:
                found.append(net)
        return found

    def kept_channels(self, net: Net) -> dict[str, int]:
        """The channels in which a kept value reaches its readers."""
        staves = self.staves
        return {t: staves.column[t] - (staves.kept_side(net, t) == "left") for t in net.targets}

    def y(self, net: Net, height: float) -> float:
        """A height of a lane on the page."""
        return height + (self.upper if net.role == "forward" else self.lower)

    def ends(self, net: Net, column: int, side: str) -> list[float]:
        """The heights at which a net touches a side of a column, on the page."""
        staves, found = self.staves, list[float]()
        item = staves.ways.get(net.number, {}).get(column)
        if item is not None:
            found.append(staves.place[item])
        names = [net.source, *net.targets] if self._leaves(net) == side else net.targets
        own = net.source if self._leaves(net) == side else None
        for name in names:
            if staves.column[name] == column and (name == net.source) == (name == own):
                found.append(staves.height_of(name, side, net.number))
        return [self.y(net, height) for height in found]

    def _leaves(self, net: Net) -> str:
        return "left" if net.role == "backward" else "right"

    def _channels(self) -> None:
        """What runs in each channel; the one at `first - 1` leads in, the one at `last` out."""
        for net in self.staves.nets:
            if net.role == "kept":
                self._kept(net)
                continue
            columns = [self.staves.column[n] for n in (net.source, *net.targets)]
            for channel in range(
                max(min(columns), self.first - 1), min(max(columns), self.last + 1)
            ):
                trunk = _Trunk()
                if channel >= self.first:
                    trunk.left = self.ends(net, channel, "right")
                if channel < self.last:
                    trunk.right = self.ends(net, channel + 1, "left")
                if trunk.heights:
                    self.trunks[channel][net.number, False] = trunk

    def _kept(self, net: Net) -> None:
        staves, key = self.staves, (net.number, True)
        source = staves.column[net.source]
        bus = [self.bus[net.number]] if net.number in self.bus else []
        if self.holds(source):
            trunk = self.trunks[source].setdefault(key, _Trunk())
            trunk.left.append(self.source_height(net))
            trunk.others = bus
        channels = self.kept_channels(net)
        for target, channel in channels.items():
            if not self.holds(staves.column[target]):
                continue
            trunk = self.trunks[channel].setdefault(key, _Trunk())
            side = staves.kept_side(net, target)
            height = self.lower + staves.height_of(target, side, net.number)
            (trunk.right if side == "left" else trunk.left).append(height)
            trunk.others = bus
        low, high = min(source, *channels.values()), max(source, *channels.values())
        if (bus and low < self.first - 1) or (bus and low <= self.first - 1 and self.first):
            self.trunks[self.first - 1].setdefault(key, _Trunk()).others = bus
        if bus and not self.is_last and high >= self.last and low <= self.last:
            self.trunks[self.last].setdefault(key, _Trunk()).others = bus

    def source_height(self, net: Net) -> float:
        """Where a kept value leaves its part: with the wire of the same value, if there is one."""
        staves = self.staves
        same = [n for n in staves.going[net.source] if n.role == "forward"]
        number = same[0].number if same else net.number
        return self.upper + staves.height_of(net.source, "right", number)

    def _widths(self) -> None:
        """Where columns and tracks lie, from left to right."""
        staves = self.staves
        right: dict[int, float] = defaultdict(lambda: LEAD)
        left: dict[int, float] = defaultdict(lambda: LEAD)
        half: dict[int, float] = defaultdict(float)
        names = [n for n, c in staves.column.items() if self.holds(c)]
        for name in names:
            column = staves.column[name]
            half[column] = max(half[column], staves.sizes[name][0] / 2)
        for name in names:
            column, own = staves.column[name], staves.sizes[name][0] / 2
            for net in staves.going[name]:
                if net.role == "kept":
                    continue
                wide = max((text_width(t, LABEL) for t in net.lines), default=0.0) + LEAD
                zone = left if net.role == "backward" else right
                zone[column] = max(zone[column], own + wide - half[column])
        x = 0.0
        if self.first:
            x = self._tracks(self.first - 1, 0.0, across=True) + left[self.first]
        for column in range(self.first, self.last + 1):
            x += half[column]
            self.middle[column] = x
            x += half[column]
            if column < self.last:
                x = self._tracks(column, x + right[column]) + left[column + 1]
            elif not self.is_last:
                x = self._tracks(column, x + right[column], across=True)
        self.width = x
        self.half = half

    def _tracks(self, channel: int, x: float, *, across: bool = False) -> float:
        """Give each net of a channel a track; returns where the channel ends."""
        found = {k: t for k, t in self.trunks[channel].items() if t.bends or across}
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

    def order(key: Key) -> tuple[float, ...]:
        trunk = trunks[key]
        start = trunk.left[0] if trunk.left else min(trunk.heights)
        falls = max(trunk.heights) - start > start - min(trunk.heights)
        return (1.0, -start) if falls else (0.0, start)

    found: dict[Key, int] = {}
    pending = sorted(trunks, key=order)
    while pending:
        free = [
            k
            for k in pending
            if not any(_meets(trunks[o].left, trunks[k].right) for o in pending if o != k)
        ]
        key = (free or pending)[0]
        pending.remove(key)
        own = trunks[key]
        least = 0
        for other, level in found.items():
            before = trunks[other]
            if _meets(before.left, own.right) or _meets(own.left, before.right):
                least = max(least, level + 1)
        while any(level == least and _shares(own, trunks[o]) for o, level in found.items()):
            least += 1
        found[key] = least
    return found


def _meets(ones: Sequence[float], others: Sequence[float]) -> bool:
    return any(abs(a - b) < 2 for a in ones for b in others)


def _shares(one: _Trunk, other: _Trunk) -> bool:
    a, b = one.heights, other.heights
    return min(a) < max(b) + 4 and min(b) < max(a) + 4


@dataclass(eq=False)
class Score:
    """All rows, and the wires through them.

    Attributes:
        starts: The columns that begin rows.
    """

    staves: Staves
    starts: Sequence[int]
    theme: Theme
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        top = 0.0
        ends = [*self.starts[1:], self.staves.count]
        for first, end in zip(self.starts, ends, strict=True):
            row = Row(self.staves, first, end - 1, end == self.staves.count, top)
            self.rows.append(row)
            crossing = row.trunks[row.last] if not row.is_last else {}
            order = sorted(crossing, key=lambda k: (min(crossing[k].heights), k), reverse=True)
            for number, key in enumerate(order):
                row.gutter[key] = row.bottom + ROWS / 2 + TRACK * number
            top = row.bottom + ROWS + TRACK * len(order)

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height."""
        return max(row.width for row in self.rows), self.rows[-1].bottom

    def row_of(self, column: int) -> Row:
        """The row that holds a column."""
        return next(row for row in self.rows if row.holds(column))

    def center(self, name: str) -> Point:
        """The middle of a part."""
        staves = self.staves
        column, item = staves.column[name], staves.item(name)
        row, block = self.row_of(column), staves.blocks[item]
        axis = staves.place[item] + (row.upper if staves.upper(name) else row.lower)
        return row.middle[column], axis + (block.top + block.bottom) / 2

    def labels(self) -> Iterator[Drawn]:
        """What wires say, above a forward value's, beneath a gradient's."""
        for net in self.staves.nets:
            if net.role == "kept" or not net.lines:
                continue
            column = self.staves.column[net.source]
            row = self.row_of(column)
            back = net.role == "backward"
            (y,) = row.ends(net, column, "left" if back else "right")[:1]
            half = self.staves.sizes[net.source][0] / 2 + 4
            x = row.middle[column] + (-half if back else half)
            colour = self.theme.skip if back else self.theme.soft_text
            first = y + 7.5 if back else y - 3 - LABEL_LINE * (len(net.lines) - 1)
            for number, line in enumerate(net.lines):
                at = first + LABEL_LINE * number
                anchor: Anchor = "end" if back else "start"
                text = Text(x, at, line, LABEL, colour, anchor=anchor)
                yield Group((text,), "label")

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
        line = Line(rounded(_straight(points), 3.0), paint, 4.5, curved=True)
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
        return row.middle[channel] + row.half[channel]

    def _kept(self, net: Net, target: str) -> Iterator[Drawn]:
        staves, key = self.staves, (net.number, True)
        side = staves.kept_side(net, target)
        source, end = staves.column[net.source], staves.column[target]
        here, there = self.row_of(source), self.row_of(end)
        channel = end - (side == "left")
        start = here.source_height(net)
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
