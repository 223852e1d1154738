"""Feature maps of encoders with decoders -> a U: levels by resolution, skips from side to side."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from .feature_maps import Connection, FeatureMap, FeatureMaps
from .page import LANDSCAPE
from .rows import Layout, Row, Slot
from .solids import number

SMALLER, LARGER = 0.7, 1.4  # by how much a side changes between levels
ALIKE = 1.6  # by how much sides of one level differ at most
SKIP = 44.0  # points of the shortest skip
INDENT = 18.0  # points of each level, at both sides


def levels(found: FeatureMaps) -> list[int]:
    """The level of each map, 0 for the largest; nothing where skips do not nest across levels.

    A network is an encoder with a decoder where its maps are one chain, become smaller and then
    larger again, and at least two skips lead from the way down to the same level of the way up.
    """
    if any(not m.spatial for m in found.maps) or {w.target for w in found.connections} != {
        *range(1, len(found.maps))
    }:
        return []
    level = [0]
    for before, after in pairwise(found.maps):
        change = _side(after) / _side(before)
        level.append(level[-1] + (change < SMALLER) - (change > LARGER))
    bottom, across = level.index(max(level)), bridges(found, level)
    sides: dict[int, list[float]] = defaultdict(list)
    for each, own in zip(found.maps, level, strict=True):
        sides[own].append(_side(each))
    fits = (
        len(across) > 1,
        min(level) == 0,
        level == sorted(level[:bottom]) + sorted(level[bottom:], reverse=True),
        all(Connection(i - 1, i) in found.connections for i in range(1, len(level))),
        all(
            level[connection.source] == level[connection.target]
            for connection in found.connections
            if _is_skip(connection)
        ),
        all(connection.source < bottom < connection.target for connection in across),
        all(level[w.source] not in level[w.source + 1 : w.target] for w in across),
        all(max(own) < ALIKE * min(own) for own in sides.values()),
    )
    return level if all(fits) else []


def bridges(found: FeatureMaps, level: Sequence[int]) -> list[Connection]:
    """The skips that pass by a deeper level."""
    return [
        connection
        for connection in found.connections
        if _is_skip(connection)
        and max(level[connection.source : connection.target + 1]) > level[connection.source]
    ]


def _is_skip(connection: Connection) -> bool:
    return connection.skip or connection.target - connection.source > 1


def _side(found: FeatureMap) -> float:
    """The extent along the last spatial axis."""
    return float(number(found.spatial[-1]))


class Ladder(Layout):
    """Maps of a level beside each other, the levels below each other."""

    between_lanes = 10.0
    pages = (LANDSCAPE, LANDSCAPE[::-1])

    def _lanes_of(self, rank: list[int]) -> list[int]:
        level = levels(self.found)
        self.bridges = set(bridges(self.found, level))
        return level

    def kind(self, connection: Connection) -> str:
        """How a connection is drawn: skips lead straight from side to side."""
        if connection in self.bridges:
            return "bridge"
        if self.is_arc(connection):
            return "arc"
        return (
            "link"
            if self.slots[connection.source].lane == self.slots[connection.target].lane
            else "step"
        )

    def is_arc(self, connection: Connection) -> bool:
        """Whether a connection passes over maps of its level."""
        return connection not in self.bridges and _is_skip(connection)

    def _place_in_columns(self, row: Row) -> None:
        """The way down at the left of each level, the way up at its right, the lowest between."""
        down: dict[int, list[Slot]] = defaultdict(list)
        up: dict[int, list[Slot]] = defaultdict(list)
        slots = list(row.slots())
        lowest = max(slot.lane for slot in slots)
        bottom = next(i for i, slot in enumerate(slots) if slot.lane == lowest)
        for i, slot in enumerate(slots):
            (up if i > bottom and slot.lane < lowest else down)[slot.lane].append(slot)
        taken = {
            level: sum(map(self._across, (down[level], up[level]))) + SKIP * (level < lowest)
            for level in down
        }
        width = max(need + 2 * INDENT * min(level, lowest - 1) for level, need in taken.items())
        step = (width - taken[lowest]) / 2 / lowest
        for level in down:
            indent = min(level * step, (width - taken[level]) / 2)
            self._set(down[level], indent)
            self._set(up[level], width - indent - self._across(up[level]))

    def _across(self, slots: Sequence[Slot]) -> float:
        """The width of maps beside each other."""
        return sum(2 * self._half(slot) for slot in slots) + self.look.gap * (len(slots) - 1)

    def _set(self, slots: Sequence[Slot], left: float) -> None:
        """Set maps beside each other."""
        for slot in slots:
            slot.middle = left + self._half(slot)
            slot.x = slot.middle - slot.solid.width / 2
            left += 2 * self._half(slot) + self.look.gap

    def _half(self, slot: Slot) -> float:
        return max(slot.solid.width, *self._widths(slot)) / 2
