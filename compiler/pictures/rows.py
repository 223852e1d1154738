"""Feature maps -> where solids, words and connections stand: in rows, and in lanes for branches."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from .feature_maps import TIED, Connection, FeatureMap, FeatureMaps, Repeat
from .fonts import shortened, text_width
from .lanes import cuts, lanes, nested, ranks
from .page import LANDSCAPE
from .page_size import Size
from .solids import Scale, Solid, solid


@dataclass(frozen=True, slots=True)
class Look:
    """How large things are, in points."""

    text: float  # the size of captions
    tallest: float  # the side of the largest map
    gap: float  # between maps
    words: float  # how wide what layers do may be
    between: bool = False  # whether words stand between maps; otherwise below what they yield


# From the roomiest to what is still legible.
BROAD = Look(text=8, tallest=118, gap=20, words=56, between=True)
LEVELS = (  # of a ladder
    Look(text=8, tallest=112, gap=8, words=52, between=True),
    Look(text=8, tallest=92, gap=8, words=52, between=True),
    Look(text=8, tallest=72, gap=8, words=44, between=True),
    Look(text=7, tallest=72, gap=8, words=40),
)
ROOMY = Look(text=7.5, tallest=112, gap=20, words=52, between=True)
NARROW = Look(text=7, tallest=84, gap=10, words=40)
CLOSE = Look(text=6.5, tallest=84, gap=11, words=38)
DENSE = Look(text=6.0, tallest=58, gap=9, words=34)
TINY = Look(text=6.0, tallest=40, gap=8, words=34)
SLIM = Look(text=6.0, tallest=44, gap=5.5, words=25)
RELAXATIONS = 12  # until words between maps do not meet
MOST_LINES = 4  # of what a layer does
LINE = 1.18  # from line to line, in sizes of text
LEVEL = 10.0  # from arc to arc
STUB = 16.0  # above maps, for the end of a connection that leads to another row
SIGN = 8.5  # that the sign of a merge takes
SIDE = 16.0  # beside rows, for what leads from one to the next
HEAD = 60.0  # of a page's height, for heading and legend


@dataclass(eq=False)
class Slot:
    """A map in a row, its solid and its words."""

    position: int
    found: FeatureMap
    solid: Solid
    caption: list[str]
    words: list[str]
    lane: int
    x: float = 0.0
    y: float = 0.0
    middle: float = 0.0  # of its words

    @property
    def center(self) -> float:
        """The middle of its solid."""
        return self.x + self.solid.width / 2

    @property
    def right(self) -> float:
        """The right end of its solid."""
        return self.x + self.solid.width


@dataclass(eq=False)
class Row:
    """A row of the page: columns of slots, by rank."""

    columns: list[list[Slot]]
    width: float = 0.0
    top: float = 0.0
    height: float = 0.0
    centers: dict[int, float] = field(default_factory=dict)  # the height of each lane's middle
    captions: dict[int, float] = field(default_factory=dict)  # where each lane's text begins
    brackets: dict[int, float] = field(default_factory=dict)  # where it ends
    channels: dict[int, float] = field(default_factory=dict)  # where each lane's arcs begin

    def slots(self) -> Iterator[Slot]:
        """All slots, column by column."""
        for column in self.columns:
            yield from column


class Layout:
    """Where everything stands; the first row begins at (0, 0)."""

    between_lanes = 0.0  # points for lines that lead from lane to lane
    pages: Sequence[Size] = (LANDSCAPE,)  # that it may take

    def __init__(
        self, found: FeatureMaps, look: Look, rows: int, *, planes: bool, linear: bool
    ) -> None:
        self.found, self.look = found, look
        scale = Scale.of(found.maps, look.tallest, linear=linear)
        rank = ranks(found)
        lane = self._lanes_of(rank)
        self.inline = look.between and max(lane, default=0) == 0
        self.slots = [
            self._slot(i, each, solid(each, scale, planes=planes), lane[i])
            for i, each in enumerate(found.maps)
        ]
        columns: list[list[Slot]] = [[] for _ in range(max(rank) + 1)]
        for slot, place in zip(self.slots, rank, strict=True):
            columns[place].append(slot)
        whole = Row(columns)
        self._place(whole)
        self.rows = [whole]
        if rows > 1 and whole.width > LANDSCAPE[0] - 2 * SIDE:
            self.rows = self._wrapped(columns, rank, rows)
        self.row = {slot.position: row for row in self.rows for slot in row.slots()}
        self.column = {
            s.position: i for row in self.rows for i, c in enumerate(row.columns) for s in c
        }
        self.arcs = {id(row): self._arcs(row) for row in self.rows}
        self.height = self._stack()
        beside = 2 * SIDE if len(self.rows) > 1 else 0
        self.width = max(row.width for row in self.rows) + beside

    def _lanes_of(self, rank: list[int]) -> list[int]:
        return lanes(self.found, rank)

    def ends(self, connection: Connection) -> tuple[Slot, Slot]:
        """The maps that a connection leads from and to."""
        return self.slots[connection.source], self.slots[connection.target]

    def title_of(self, connection: Connection) -> str:
        """The names of both."""
        source, target = self.ends(connection)
        return f"{source.found.path} \N{RIGHTWARDS ARROW} {target.found.path}"

    def kind(self, connection: Connection) -> str:
        """How a connection is drawn: the name of a function in `laid_out_maps`."""
        if self.row[connection.source] is not self.row[connection.target]:
            return "carried" if self.is_carried(connection) else "stub"
        if self.is_arc(connection):
            return "arc"
        across = self.slots[connection.source].lane != self.slots[connection.target].lane
        if across and connection.skip:
            return "detour"
        return "branch" if across else "link"

    @cached_property
    def stubs(self) -> dict[int, Connection]:
        """The first connection to another row from each map that such connections leave."""
        found: dict[int, Connection] = {}
        for connection in self.found.connections:
            if self.kind(connection) == "stub":
                found.setdefault(connection.source, connection)
        return found

    def _wrapped(self, columns: list[list[Slot]], rank: list[int], most: int) -> list[Row]:
        """The columns in as few rows as the page's width allows."""
        lefts = [min(slot.x for slot in column) for column in columns]
        widths = [b - a for a, b in pairwise([*lefts, self.rows[0].width])]
        rows: list[Row] = []
        for number_of_rows in range(2, most + 1):
            starts = cuts(self.found, rank, widths, number_of_rows)
            ends = [*starts[1:], len(columns)]
            rows = [Row(columns[a:b]) for a, b in zip(starts, ends, strict=True)]
            for row in rows:
                self._place(row)
            if max(row.width for row in rows) <= LANDSCAPE[0] - 2 * SIDE:
                break
        return rows

    def _slot(self, position: int, found: FeatureMap, drawn: Solid, lane: int) -> Slot:
        size, caption = self.look.text, [found.caption]
        if not self.look.between and "@" in found.caption and len(found.caption) > 6:
            channels, _, extents = found.caption.partition("@")
            caption = [f"{channels}@", extents]
        lines = _lines(found.description, self.look.words, size)
        if found.times > 1:
            times = f"\N{MULTIPLICATION SIGN}{TIED}{found.times:,}"
            whole = _lines(f"{found.description} {times}", self.look.words, size)
            lines = whole if found.kind else [*lines[: MOST_LINES - 1], times.replace(TIED, " ")]
        (caption if self.inline else lines).extend(f"output {name}" for name in found.outputs)
        lines = [shortened(line, 2 * self.look.words, size) for line in lines]
        caption = [shortened(line, 2 * self.look.words, size) for line in caption]
        return Slot(position, found, drawn, caption, lines, lane)

    def _widths(self, slot: Slot) -> tuple[float, float]:
        """The widths of a slot's caption, and of its words."""
        size = self.look.text
        caption = max((text_width(line, size, bold=True) for line in slot.caption), default=0.0)
        return caption, max((text_width(line, size) for line in slot.words), default=0.0)

    def _place(self, row: Row) -> None:
        """Set the slots of a row beside each other."""
        if self.inline:
            self._place_in_line([column[0] for column in row.columns])
        else:
            self._place_in_columns(row)
        ends = [span for slot in row.slots() for span in self.spans(slot)]
        left = min(a for a, _ in ends)
        for slot in row.slots():
            slot.x -= left
            slot.middle -= left
        row.width = max(b for _, b in ends) - left

    def spans(self, slot: Slot) -> Iterator[tuple[float, float]]:
        """The left and the right ends of a solid, of its caption and of its words."""
        caption, words = self._widths(slot)
        yield slot.x, slot.right
        yield slot.center - caption / 2, slot.center + caption / 2
        yield slot.middle - words / 2, slot.middle + words / 2

    def _place_in_line(self, slots: Sequence[Slot]) -> None:
        """Words stand between the maps that their layers lead from and to."""
        gaps = [0.0, *[self.look.gap] * (len(slots) - 1)]
        for _ in range(RELAXATIONS):
            right = 0.0
            for gap, before, slot in zip(gaps, [None, *slots], slots, strict=False):
                slot.x = right + gap
                slot.middle = slot.center if before is None else (right + slot.x) / 2
                right = slot.right
            for i, (a, b) in enumerate(pairwise(slots), 1):
                (caption, words), (other_caption, other_words) = map(self._widths, (a, b))
                apart = 0.6 * self.look.text
                gaps[i] += max(0.0, a.center - b.center + (caption + other_caption) / 2 + apart)
                lacking = a.middle - b.middle + (words + other_words) / 2 + apart
                if lacking > 0:
                    gaps[i] += lacking
                    gaps[i - 1] += lacking if i > 1 else 0

    def _place_in_columns(self, row: Row) -> None:
        """Words stand below their maps, so that between columns there is room for connections."""
        right = -self.look.gap
        for column in row.columns:
            half = max(max(slot.solid.width, *self._widths(slot)) / 2 for slot in column)
            for slot in column:
                slot.x = right + self.look.gap + half - slot.solid.width / 2
                slot.middle = slot.center
            right += self.look.gap + 2 * half

    def _arcs(self, row: Row) -> dict[Connection, int]:
        """The connections over the maps of a row, with their heights."""
        connections = [
            connection
            for connection in self.found.connections
            if self.row[connection.target] is row and self.is_above(connection)
        ]
        result: dict[Connection, int] = {}
        for lane in {self.slots[connection.target].lane for connection in connections}:
            own = [
                connection
                for connection in connections
                if self.slots[connection.target].lane == lane
            ]
            spans = [
                (
                    self._begin(connection),
                    float(self.column[connection.target]),
                    (connection.source, connection.words),
                )
                for connection in own
            ]
            result.update(zip(own, nested(spans), strict=True))
        return result

    def _begin(self, connection: Connection) -> float:
        """The column that an arc begins in; that of one from the row before is to the left."""
        same = self.row[connection.source] is self.row[connection.target]
        if (
            same
            and self.kind(connection) == "detour"
            and not self.free(self.slots[connection.target].lane, connection)
        ):
            return self.column[connection.target] - 0.5
        return float(self.column[connection.source]) if same else -1.0

    def is_above(self, connection: Connection) -> bool:
        """Whether a connection enters a map from above."""
        return self.is_arc(connection) or self.kind(connection) == "detour"

    def is_arc(self, connection: Connection) -> bool:
        """Whether a connection passes over other maps, or over the layer beside it."""
        if self.row[connection.source] is not self.row[connection.target]:
            return self.is_carried(connection) and self.column[connection.target] > 0
        source, target = self.slots[connection.source], self.slots[connection.target]
        if source.lane != target.lane:
            return not any(self.free(lane, connection) for lane in (source.lane, target.lane))
        return connection.skip or not self.free(source.lane, connection)

    def free(self, lane: int, connection: Connection) -> bool:
        """Whether no map of a lane stands between two of a row."""
        columns = self.row[connection.target].columns[
            self.column[connection.source] + 1 : self.column[connection.target]
        ]
        return all(slot.lane != lane for column in columns for slot in column)

    def is_carried(self, connection: Connection) -> bool:
        """Whether a connection leads from the end of one row to the next row."""
        source, target = self.row[connection.source], self.row[connection.target]
        last = self.column[connection.source] == len(source.columns) - 1
        return last and self.rows.index(target) - self.rows.index(source) == 1

    @property
    def level(self) -> float:
        """From arc to arc."""
        has_words = any(connection.words for connection in self.found.connections)
        return LEVEL + (self.look.text if has_words else 0)

    def _stack(self) -> float:
        """Set rows and lanes below each other, and say how high they are."""
        size, y = self.look.text, 0.0
        lowest: dict[int, set[int]] = defaultdict(set)
        for repeat in self.found.repeats:
            lowest[id(self.row[repeat.first])].add(self.lowest(repeat))
        for row in self.rows:
            row.top = y
            for lane in sorted({slot.lane for slot in row.slots()}):
                slots = [slot for slot in row.slots() if slot.lane == lane]
                arcs = self.arcs[id(row)].items()
                levels = [n for connection, n in arcs if self.slots[connection.target].lane == lane]
                stubs = [
                    STUB + SIGN * (row is self.row[connection.target] and bool(connection.merge))
                    for connection in self.found.connections
                    if self.kind(connection) == "stub" and lane in self._lanes(connection, row)
                ]
                lift = max(stubs, default=0.0)  # so that arcs pass above letters
                y += lift + max((n * self.level + 8 for n in levels), default=0.0)
                row.channels[lane] = y - lift
                tallest = max(slot.solid.height for slot in slots)
                row.centers[lane] = y + tallest / 2
                row.captions[lane] = y + tallest + 3
                lines = max(len(slot.caption) for slot in slots)
                lines += max(len(slot.words) for slot in slots)
                y += tallest + 3 + lines * LINE * size + 6
                row.brackets[lane] = y
                if lane in lowest.get(id(row), ()):
                    y += 6 + LINE * size
                y += self.between_lanes
                for slot in slots:
                    slot.y = row.centers[lane]
            row.height = y - row.top
            y += 12 if row is not self.rows[-1] else 0
        return y

    def lowest(self, repeat: Repeat) -> int:
        """The lowest lane that what is repeated takes."""
        return max(slot.lane for slot in self.slots[repeat.first : repeat.last + 1])

    def _lanes(self, connection: Connection, row: Row) -> set[int]:
        """The lanes of a row that a connection begins or ends in."""
        return {
            self.slots[i].lane for i in (connection.source, connection.target) if self.row[i] is row
        }


def _lines(text: str, width: float, size: float) -> list[str]:
    """Words in lines of a width; what is wider alone is shortened."""
    lines: list[str] = []
    for word in filter(None, text.split(" ")):
        short = shortened(word, 1.6 * width, size)
        if lines and text_width(f"{lines[-1]} {short}", size) <= width:
            lines[-1] += f" {short}"
        else:
            lines.append(short)
    return [line.replace(TIED, " ") for line in lines[:MOST_LINES]]
