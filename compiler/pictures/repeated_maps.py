"""Feature maps -> the same with runs of maps that repeat drawn once, with the number of turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, takewhile
from typing import Any

from .feature_maps import Connection, FeatureMap, FeatureMaps, Repeat

LONGEST_BLOCK = 16  # maps of one turn


def fold(found: FeatureMaps, *, loosely: bool = False) -> FeatureMaps:
    """Draw runs of maps that repeat once.

    Turns are equal where extents, kinds, arguments, activations and connections agree; strides and
    projections of the first turn may differ. Loosely, channels and dilations may differ, too.
    """
    maps: list[FeatureMap] = []
    repeats: list[Repeat] = []
    places: dict[int, int] = {}
    starts: dict[int, int] = {}  # of maps of later turns: what the first turn reads
    for block in _Blocks(found, loosely).blocks():
        start = len(maps)
        for i in range(block.length * block.times):
            if i >= block.length:
                starts[block.start + i] = places[block.entry]
            places[block.start + i] = start + i % block.length
        maps += _once(found.maps, block)
        if block.length > 1 and block.times > 1:
            repeats.append(Repeat(start, start + block.length - 1, block.times))
    connections = _ways(found.connections, places, starts)
    return FeatureMaps(tuple(maps), tuple(connections), tuple(repeats))


@dataclass(frozen=True, slots=True)
class _Block:
    """Maps that follow each other some times.

    Attributes:
        start, length: The position of the first map, and how many maps one turn has.
        entry: The position of what the first turn reads, as later ones read the end of the last.
        times: How many turns there are.
    """

    start: int
    length: int
    entry: int
    times: int = 1


@dataclass(frozen=True)
class _Blocks:
    """Finds what repeats."""

    found: FeatureMaps
    loosely: bool

    def blocks(self) -> Iterator[_Block]:
        """All maps in blocks, each the one that stands for the most maps."""
        start = 0
        while start < len(self.found.maps):
            best = _Block(start, 1, start - 1)
            for length in range(1, LONGEST_BLOCK + 1):
                for entry in dict.fromkeys(source for source, _ in self._before[start]):
                    block = self._repeated(_Block(start, length, entry))
                    if block.times > 1 and length * block.times > best.length * best.times:
                        best = block
            yield best
            start += best.length * best.times

    def _repeated(self, block: _Block) -> _Block:
        """A block with the number of its turns; what ends branches ends it.

        An output is what its last turn yields.
        """
        start, length = block.start, block.length
        maps = self.found.maps
        turn, place = maps[start : start + length], start + length
        merging = [bool(m.merge or m.parts) for m in turn]
        if (any(merging) and not merging[-1]) or any(m.outputs for m in turn):
            return block
        while place < len(maps) and not maps[place - 1].outputs and self._alike(block, place):
            place += 1
        times = (place - start) // length
        return replace(block, times=times if self._ends_scopes(block) else 1)

    def _ends_scopes(self, block: _Block) -> bool:
        """Whether a second turn begins where at least as many scopes do as anywhere in it."""
        next_turn = block.start + block.length
        depths = self._shared[block.start + 1 : next_turn + 1]
        return depths[-1:] <= [min(depths, default=0)]

    @cached_property
    def _shared(self) -> list[int]:
        """How many scopes each map shares with the one before."""
        scopes = [m.path.split(".")[:-1] for m in self.found.maps]
        pairs = (zip(a, b, strict=False) for a, b in pairwise(scopes))
        return [0, *(sum(1 for _ in takewhile(lambda p: p[0] == p[1], each)) for each in pairs)]

    def _alike(self, block: _Block, place: int) -> bool:
        """Whether a map of a later turn looks as that of the first, and reads the same of its turn.

        What neither this turn nor the one before yields, both read.
        """
        first = block.start + (place - block.start) % block.length
        ahead = place - first
        read = [
            (
                source + ahead
                if source >= block.start
                else block.start - 1 + ahead
                if source == block.entry
                else source,
                sign,
            )
            for source, sign in self._before[first]
        ]
        before = self._before[place]
        return self._looks[first] == self._looks[place] and bool(before) and sorted(read) == before

    @cached_property
    def _looks(self) -> list[tuple[Any, ...]]:
        """What of each map must agree."""
        return [
            (
                *(m.kind, m.kernel, m.extents[:-1] if self.loosely else m.extents),
                *(m.merge, m.activation, m.traits),
                "" if self.loosely else m.dilation,
            )
            for m in self.found.maps
        ]

    @cached_property
    def _before(self) -> list[list[tuple[int, str]]]:
        """The positions that each map reads, and the signs of the sums that it reads them in."""
        sources: list[list[tuple[int, str]]] = [[] for _ in self.found.maps]
        for connection in self.found.connections:
            sources[connection.target].append((connection.source, connection.merge))
        return [sorted(each) for each in sources]


def _once(maps: Sequence[FeatureMap], block: _Block) -> Iterator[FeatureMap]:
    """The maps of a block's first turn; their channels are those of the first to the last turn."""
    last = block.start + block.length * (block.times - 1)
    for i in range(block.length):
        first, final = maps[block.start + i], maps[last + i]
        start = first.channels if first.channels != final.channels else None
        times = block.times if block.length == 1 else 1
        ends = dict.fromkeys((first.dilation, final.dilation))
        yield replace(
            first,
            extents=final.extents,
            dilation="\N{HORIZONTAL ELLIPSIS}".join(ends),
            parts=final.parts,
            outputs=final.outputs,
            start=start,
            times=times,
        )


def _ways(
    connections: Sequence[Connection], places: dict[int, int], starts: dict[int, int]
) -> Iterator[Connection]:
    """The connections between maps at their new places, each once."""
    found: dict[tuple[int, int, bool, str], Connection] = {}
    passed_on: set[tuple[int, int]] = set()
    for connection in connections:
        source, target = places[connection.source], places[connection.target]
        if source < target:
            moved = replace(connection, source=source, target=target)
            found.setdefault((source, target, connection.skip, connection.merge), moved)
        elif not connection.words and connection.target - connection.source > 1:
            passed_on.add((starts[connection.target], target))
    for connection in found.values():
        yield replace(
            connection,
            first=bool(connection.words) and (connection.source, connection.target) in passed_on,
        )
