"""A knot -> boxes and frames in ranks, with the lines that pass each rank between them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import pairwise
from math import inf

from .flow import Knot, Leaf
from .piece import BESIDE, GAP, Piece, Route, Size, straight
from .scene import Point

CURVE_STEPS = 10  # of a line that bends from rank to rank
START, END = -1, -2  # stand for the ends of a knot; lines that pass a rank count on from there


def ranked(knot: Knot, parts: Mapping[int, Piece]) -> Piece:
    """A knot laid out.

    Args:
        knot: Its items and edges.
        parts: Each item laid out.
    """
    return _Ranks(knot, parts).piece()


@dataclass(eq=False)
class _Ranks:
    """Lays out a knot: a rank per longest way from the start, lines through the ranks between."""

    knot: Knot
    parts: Mapping[int, Piece]
    rank: dict[int, int] = field(default_factory=dict)
    rows: list[list[int]] = field(default_factory=list)

    def piece(self) -> Piece:
        """The knot, with its lines."""
        knot = self.knot
        pairs: dict[tuple[int, int], bool] = {}
        for edge in knot.edges:  # into a frame may lead a skip and what it passes by, as one line
            pair = edge.source, edge.target
            pairs[pair] = edge.skip and pairs.get(pair, True)
        pairs |= {(START, item): False for item in knot.entries}
        pairs |= {(item, END): False for item in knot.exits}
        pairs |= dict.fromkeys(_passing(pairs), True)
        self._rank(pairs)
        ways = [self._way(a, b) for a, b in pairs]
        width = {n: self._extent(n)[0] for n in self.rank}
        place = _across(self.rows, width, ways)
        axis = place.get(START, place.get(END, 0.0))
        place = {node: 0.0 if node == END else x - axis for node, x in place.items()}
        lengths = [max((self._extent(n)[1] for n in row), default=0.0) for row in self.rows]
        tops = [sum(lengths[:i]) + i * (GAP + 6) for i in range(len(lengths))]
        # A part's axis need not be in its middle.
        place |= {n: place[n] + (part.left - part.right) / 2 for n, part in self.parts.items()}
        whole = Piece(length=tops[-1] + lengths[-1])
        for n, part in self.parts.items():
            r = self.rank[n]
            whole.put(part, place[n], tops[r] + (lengths[r] - part.length) / 2)
        for way in ways:
            points: list[Point] = []
            for node in way:
                x, r = place[node], self.rank[node]
                top, bottom = tops[r], tops[r] + lengths[r]
                half = self._extent(node)[1] / 2
                middle = (top + bottom) / 2
                ends = (top, middle - half, middle + half, bottom)
                points += [(x, y) for y in (ends if node >= 0 else (top, bottom))]
            inner = 2 if way[0] >= 0 else 1, -2 if way[-1] >= 0 else -1
            points = points[inner[0] : inner[1]]
            route = _curved(straight(points))
            arrow = way[-1] != END and isinstance(knot.items[way[-1]], Leaf)
            whole.routes.append(Route(route, pairs[way[0], way[-1]], arrow))
        reach = [x for route in whole.routes for x, _ in route.points]
        reach += [place[n] - part.left for n, part in self.parts.items()]
        reach += [place[n] + part.right for n, part in self.parts.items()]
        whole.left, whole.right = -min(reach), max(reach)
        return whole

    def _extent(self, node: int) -> Size:
        """What a part takes across and along; a line takes nothing."""
        part = self.parts.get(node, Piece())
        return part.left + part.right, part.length

    def _rank(self, pairs: Iterable[tuple[int, int]]) -> None:
        before: dict[int, list[int]] = defaultdict(list)
        after: dict[int, list[int]] = defaultdict(list)
        for a, b in pairs:
            before[b].append(a)
            after[a].append(b)
        # What is folded stands where its first layer does, and may read what comes after that.
        ways = TopologicalSorter({node: before[node] for node in self.knot.items})
        order = [node for node in ways.static_order() if node != START]
        rank = self.rank
        if self.knot.entries:
            rank[START] = 0
        for node in order:
            rank[node] = max((rank[a] + 1 for a in before[node]), default=0)
        for node in reversed(order):  # what nothing holds back is next to its readers
            if not before[node] and after[node]:
                rank[node] = min(rank.get(b, rank[node] + 1) for b in after[node]) - 1
        if self.knot.exits:
            rank[END] = max(rank.values()) + 1
        self.rows = [[] for _ in range(max(rank.values()) + 1)]
        for node, r in rank.items():
            self.rows[r].append(node)

    def _way(self, source: int, target: int) -> list[int]:
        """The nodes that a line passes: one in every rank, which are made where none is there."""
        way = [source]
        for r in range(self.rank[source] + 1, self.rank[target]):
            node = min(END, min(self.rank)) - 1
            self.rank[node] = r
            self.rows[r].append(node)
            way.append(node)
        return [*way, target]


def _curved(points: Sequence[Point]) -> tuple[Point, ...]:
    """Points of a line that leaves and enters along, and bends where it leads across."""
    found = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 != x1:
            for i in range(1, CURVE_STEPS):
                share = i / CURVE_STEPS
                bend = share * share * (3 - 2 * share)
                found.append((x0 + bend * (x1 - x0), y0 + share * (y1 - y0)))
        found.append((x1, y1))
    return tuple(found)


def _passing(pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """The pairs whose second is also reached from their first through others."""
    after: dict[int, list[int]] = defaultdict(list)
    for a, b in pairs:
        after[a].append(b)
    found = set[tuple[int, int]]()
    for a, ends in list(after.items()):
        for b in ends:
            pending = [node for node in ends if node != b]
            seen = {*pending}
            while pending and b not in seen:
                more = [node for node in after.get(pending.pop(), ()) if node not in seen]
                seen.update(more)
                pending += more
            found |= {(a, b)} if b in seen else set()
    return found


def _across(
    rows: list[list[int]], width: Mapping[int, float], ways: Sequence[Sequence[int]]
) -> dict[int, float]:
    """Places across: rows ordered by the middle of their neighbours, and spread apart."""
    near: dict[int, list[int]] = defaultdict(list)
    for way in ways:
        for a, b in pairwise(way):
            near[a].append(b)
            near[b].append(a)
    place: dict[int, float] = {}
    for row in rows:
        for i, node in enumerate(row):
            place[node] = float(i - (len(row) - 1) / 2) * 100
    for sweep in range(12):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = {
                n: sum(place[m] for m in near[n]) / len(near[n]) if near[n] else place[n]
                for n in row
            }
            row.sort(key=lambda n: (wanted[n], n))
            _spread(row, wanted, width, place)
    for way in ways:
        _straighten(way[1:-1], rows, width, place)
    return place


def _straighten(
    line: Sequence[int],
    rows: Sequence[Sequence[int]],
    width: Mapping[int, float],
    place: dict[int, float],
) -> None:
    """Put the points of a line that passes ranks above each other, where there is room for it."""
    if len(line) < 2:
        return
    low, high = -inf, inf
    for row in rows:
        for i, node in enumerate(row):
            if node in line:
                if i:
                    low = max(low, place[row[i - 1]] + width[row[i - 1]] / 2 + BESIDE)
                if i + 1 < len(row):
                    high = min(high, place[row[i + 1]] - width[row[i + 1]] / 2 - BESIDE)
    if low <= high:
        middle = sum(place[node] for node in line) / len(line)
        place.update(dict.fromkeys(line, min(max(middle, low), high)))


def _spread(
    row: Sequence[int],
    wanted: Mapping[int, float],
    width: Mapping[int, float],
    place: dict[int, float],
) -> None:
    """Put a row's nodes as near as possible to where they want to be, in order, without overlap."""
    groups: list[tuple[float, float, list[int]]] = []  # wanted left end, width, members
    for node in row:
        groups.append((wanted[node] - width[node] / 2, width[node], [node]))
        while len(groups) > 1 and groups[-2][0] + groups[-2][1] + BESIDE > groups[-1][0]:
            (left, wide, members), (other, wider, more) = groups[-2:]
            total = wide + BESIDE + wider
            weight, rest = len(members), len(more)
            start = (left * weight + (other - wide - BESIDE) * rest) / (weight + rest)
            groups[-2:] = [(start, total, [*members, *more])]
    for left, _, members in groups:
        for node in members:
            place[node] = left + width[node] / 2
            left += width[node] + BESIDE
