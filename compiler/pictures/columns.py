"""Staves -> what each column and each channel between columns takes, whatever rows there are.

Heights are those of a lane, from the axis of its first part.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .staves import Net, Staves

LEAD = 8.0  # of a wire before it may turn


class Passage(NamedTuple):
    """A net in the channel behind a column: in which lane, and where it comes and goes."""

    number: int
    upper: bool
    left: tuple[float, ...]
    right: tuple[float, ...]

    @property
    def bends(self) -> bool:
        """Whether it leaves the channel at another height than it comes at."""
        heights = (*self.left, *self.right)
        return max(heights) - min(heights) > 0.5


class Reader(NamedTuple):
    """What reads a kept value: the channel that it is reached by, at which side, how high."""

    name: str
    column: int
    channel: int
    side: str
    height: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A forward value that gradients read, from its column's channel through those of readers.

    Attributes:
        height: Where it leaves its part: with the wire of the same value, if there is one.
    """

    number: int
    column: int
    height: float
    readers: tuple[Reader, ...]

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last channel."""
        channels = [self.column, *(reader.channel for reader in self.readers)]
        return min(channels), max(channels)


@dataclass(eq=False)
class Columns:
    """What rows are made of.

    Attributes:
        half: Half of what the widest part of a column takes.
        before, behind: What a column takes for labels and leads, besides its parts.
        reach: How far a column reaches up and down, by lane, the upper one first.
        passages: The nets of forward and backward values in the channel behind a column.
        bending: Those that bend there.
        kept: The nets of forward values that gradients read, by number.
    """

    staves: Staves
    half: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    before: dict[int, float] = field(default_factory=lambda: defaultdict(lambda: LEAD))
    behind: dict[int, float] = field(default_factory=lambda: defaultdict(lambda: LEAD))
    reach: tuple[dict[int, list[float]], ...] = field(
        default_factory=lambda: (defaultdict(list), defaultdict(list))
    )
    passages: dict[int, list[Passage]] = field(default_factory=lambda: defaultdict(list))
    bending: dict[int, list[Passage]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[int, Kept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        staves = self.staves
        self._widths()
        for item, y in staves.place.items():
            name, number, column = item
            upper = staves.upper(name) if number < 0 else staves.nets[number].role == "forward"
            block = staves.blocks[item]
            self.reach[not upper][column] += [y - block.up, y + block.down]
        for lane in self.reach:
            for column, heights in lane.items():
                lane[column] = [min(heights), max(heights)]
        for net in staves.nets:
            if net.role == "kept":
                self.kept[net.number] = self._kept(net)
                continue
            upper = net.role == "forward"
            columns = [staves.column[name] for name in (net.source, *net.targets)]
            for channel in range(min(columns), max(columns)):
                left, right = (
                    self._ends(net, channel, "right"),
                    self._ends(net, channel + 1, "left"),
                )
                passage = Passage(net.number, upper, tuple(left), tuple(right))
                self.passages[channel].append(passage)
                if passage.bends:
                    self.bending[channel].append(passage)

    def _widths(self) -> None:
        staves = self.staves
        for name, column in staves.column.items():
            self.half[column] = max(self.half[column], staves.sizes[name][0] / 2)
        for name, column in staves.column.items():
            own = staves.sizes[name][0] / 2
            for net in staves.going[name]:
                if net.role != "kept":
                    zone = self.before if net.role == "backward" else self.behind
                    wide = net.label[0] + LEAD
                    zone[column] = max(zone[column], own + wide - self.half[column])

    def _ends(self, net: Net, column: int, side: str) -> Iterator[float]:
        """The heights at which a net touches a side of a column."""
        staves = self.staves
        item = staves.ways[net.number].get(column)
        if item is not None:
            yield staves.place[item]
        leaves = "left" if net.role == "backward" else "right"
        for name in (net.source, *net.targets) if side == leaves else net.targets:
            if staves.column[name] == column:
                yield staves.height_of(name, side, net.number)

    def _kept(self, net: Net) -> Kept:
        staves = self.staves
        same = [n for n in staves.going[net.source] if n.role == "forward"]
        number = same[0].number if same else net.number
        readers = []
        for name in net.targets:
            column, side = staves.column[name], staves.kept_side(net, name)
            height = staves.height_of(name, side, net.number)
            readers.append(Reader(name, column, column - (side == "left"), side, height))
        height = staves.height_of(net.source, "right", number)
        return Kept(net.number, staves.column[net.source], height, tuple(readers))
