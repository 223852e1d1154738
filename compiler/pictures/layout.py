"""A flow -> where its boxes, frames and lines lie.

Along is the direction of the tensors, across is at right angles to it: y and x of pictures that
run from top to bottom. A piece is laid out about an axis, at across 0, on which tensors enter it
at along 0 and leave it at its end.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from itertools import pairwise

from ..emit.clusters import Cluster
from ..emit.layer_view import Edge
from .flow import Framed, Item, Knot, Leaf, Parallel, Series
from .scene import Bounds, Point

GAP = 14.0  # between boxes, for an arrow
TURN = 10.0  # from a fork to its branches, and from branches to where they merge
BESIDE = 14.0  # between branches
LANE = 11.0  # between boxes and the lines that pass them
PAD = 7.0  # between a frame and what is in it
LABEL = 11.0  # what a frame's name takes

Size = tuple[float, float]  # across, along


@dataclass(frozen=True, slots=True)
class Route:
    """A line through points; the way of a tensor, or a part of one."""

    points: tuple[Point, ...]
    skip: bool = False
    arrow: bool = True


@dataclass(frozen=True, slots=True)
class Framing:
    """A frame around boxes, and whether it goes on from a column before."""

    cluster: Cluster
    bounds: Bounds
    continued: bool = False


@dataclass(frozen=True)
class Piece:
    """A laid out part of a network.

    Attributes:
        left, right: How far it reaches to both sides of its axis.
        length: How far it reaches along.
        boxes: Where boxes are: across and along of their middle.
    """

    left: float = 0.0
    right: float = 0.0
    length: float = 0.0
    boxes: Mapping[int, Point] = field(default_factory=dict)
    frames: tuple[Framing, ...] = ()
    routes: tuple[Route, ...] = ()

    def moved(self, across: float, along: float) -> "Piece":
        """The piece at another place; its extents still count from its own axis."""
        boxes = {box: (x + across, y + along) for box, (x, y) in self.boxes.items()}
        frames = [
            Framing(f.cluster, _shifted(f.bounds, across, along), f.continued) for f in self.frames
        ]
        routes = [
            Route(tuple([(x + across, y + along) for x, y in r.points]), r.skip, r.arrow)
            for r in self.routes
        ]
        return Piece(self.left, self.right, self.length, boxes, tuple(frames), tuple(routes))


def _shifted(bounds: Bounds, x: float, y: float) -> Bounds:
    return Bounds(bounds.left + x, bounds.top + y, bounds.right + x, bounds.bottom + y)


def joined(pieces: Iterable[Piece], routes: Iterable[Route] = ()) -> Piece:
    """Pieces that are at their places already, as one; the extents are left to the caller."""
    boxes: dict[int, Point] = {}
    frames: list[Framing] = []
    lines: list[Route] = []
    for piece in pieces:
        boxes.update(piece.boxes)
        frames += piece.frames
        lines += piece.routes
    return Piece(boxes=boxes, frames=tuple(frames), routes=(*lines, *routes))


@dataclass(eq=False)
class Layout:
    """Lays out flows.

    Attributes:
        sizes: How large each box is.
        heading: How wide a frame's name is.
        aside: Whether names are beside what is framed and not before it, as in pictures that run
            from left to right.
        round: Boxes that lines may enter at the side, such as the sign of a sum.
        continued: The clusters of frames that go on from a column before.
        known: What was laid out already, by item and what follows it, which are kept with it.
    """

    sizes: Mapping[int, Size]
    heading: Callable[[Cluster, bool], float]
    aside: bool = False
    round: frozenset[int] = frozenset()
    continued: set[Cluster] = field(default_factory=set)
    known: dict[tuple[int, int], tuple[Item, Item | None, Piece]] = field(default_factory=dict)

    def series(self, series: Series) -> Piece:
        """Items one after the other, on one axis."""
        pieces: list[Piece] = []
        starts: list[float] = []
        routes: list[Route] = []
        along = 0.0
        for before, item in zip([None, *series.items], series.items, strict=False):
            gap = 0.0
            if before is not None and not isinstance(before, Parallel):
                gap = 0.0 if isinstance(item, Parallel) else GAP
            if gap:
                line = ((0, along), (0, along + gap))
                routes.append(Route(line, arrow=isinstance(item, Leaf)))
            after = series.items[len(pieces) + 1 :]
            piece = self.item(item, after[0] if after else None)
            pieces.append(piece.moved(0, along + gap))
            starts.append(along + gap)
            along += gap + piece.length
        left = max((piece.left for piece in pieces), default=0.0)
        right = max((piece.right for piece in pieces), default=0.0)
        found = replace(joined(pieces, routes), left=left, right=right, length=along)
        for number, item in enumerate(series.items):
            if isinstance(item, Parallel):
                found = self._passed(found, series, number, starts)
        return found

    def _passed(self, piece: Piece, series: Series, number: int, starts: Sequence[float]) -> Piece:
        """A series with the lines that pass its branches by, or that enter a frame at its side."""
        parallel = series.items[number]
        assert isinstance(parallel, Parallel)
        start = starts[number]
        end = starts[number + 1] if number + 1 < len(series.items) else piece.length
        before = series.items[number - 1] if number else None
        after = series.items[number + 1] if number + 1 < len(series.items) else None
        for edge in parallel.skips:
            piece = self._skip(piece, edge, (before, start), (after, end))
        for branch in parallel.branches:
            for edge in branch.exits:
                if after is not None and not self._enters(after, edge):
                    piece = self._around(piece, edge)
        return piece

    def _skip(
        self,
        piece: Piece,
        edge: Edge,
        before: tuple[Item | None, float],
        after: tuple[Item | None, float],
    ) -> Piece:
        """A line in a lane of its own, from an item to the one after the branches."""
        low, high = before[1] - TURN, after[1] + TURN
        side, lane = self._lane(piece, before[1], after[1])
        points: list[Point] = [
            (0, before[1]),
            (0, before[1] + TURN / 2),
            (lane, before[1] + TURN / 2),
        ]
        if before[0] is not None and not self._leaves(before[0], edge):
            x, y = piece.boxes[edge.source]
            half = self.sizes[edge.source][0] / 2
            side, lane = self._lane(piece, y, after[1])
            points = [(x + side * half, y), (lane, y)]
        into = after[0]
        if edge.target in piece.boxes and (
            (isinstance(into, Leaf) and edge.target in self.round)
            or (into is not None and not self._enters(into, edge))
        ):
            x, y = piece.boxes[edge.target]
            half = self.sizes[edge.target][0] / 2
            side, lane = self._lane(piece, min(points[-1][1], low), max(y, high), side)
            points[-1] = (lane, points[-1][1])
            points += [(lane, y), (x + side * half, y)]
            arrow = True
        else:
            points += [(lane, after[1] - TURN / 2), (0, after[1] - TURN / 2), (0, after[1])]
            arrow = isinstance(into, Leaf)
        reach = abs(lane) + LANE / 2
        piece = replace(piece, routes=(*piece.routes, Route(tuple(points), True, arrow)))
        if side > 0:
            return replace(piece, right=max(piece.right, reach))
        return replace(piece, left=max(piece.left, reach))

    def _around(self, piece: Piece, edge: Edge) -> Piece:
        """A line from the lower end of a branch around a frame to a box at its side."""
        x, y = piece.boxes[edge.source]
        low = y + self.sizes[edge.source][1] / 2
        tx, ty = piece.boxes[edge.target]
        side = 1 if x > 0 or (x == 0 and tx >= 0) else -1
        side, lane = self._lane(piece, low, ty, side)
        half = self.sizes[edge.target][0] / 2
        points = (
            (x, low),
            (x, low + TURN / 3),
            (lane, low + TURN / 3),
            (lane, ty),
            (tx + side * half, ty),
        )
        piece = replace(piece, routes=(*piece.routes, Route(points, edge.skip)))
        reach = abs(lane) + LANE / 2
        if side > 0:
            return replace(piece, right=max(piece.right, reach))
        return replace(piece, left=max(piece.left, reach))

    def _lane(self, piece: Piece, low: float, high: float, side: int = 1) -> tuple[int, float]:
        """A free place beside all that lies between two places along."""
        reach = 0.0
        for box, (x, y) in piece.boxes.items():
            across, along = self.sizes[box]
            if y + along / 2 > low - 1 and y - along / 2 < high + 1:
                reach = max(reach, side * x + across / 2)
        for frame in piece.frames:
            if frame.bounds.bottom > low - 1 and frame.bounds.top < high + 1:
                edge = frame.bounds.right if side > 0 else -frame.bounds.left
                reach = max(reach, edge)
        for route in piece.routes:
            for (x0, y0), (x1, y1) in pairwise(route.points):
                if max(y0, y1) > low + 1 and min(y0, y1) < high - 1 and abs(y0 - y1) > 1:
                    reach = max(reach, side * x0, side * x1)
        return side, side * (reach + LANE)

    def _leaves(self, item: Item, edge: Edge) -> bool:
        """Whether an edge leaves an item at its lower end."""
        if isinstance(item, Leaf):
            return True
        return isinstance(item, Framed) and any(e.source == edge.source for e in item.body.exits)

    def _enters(self, item: Item, edge: Edge) -> bool:
        """Whether an edge enters an item at its upper end."""
        if not isinstance(item, Framed):
            return True
        return any(e.target == edge.target and e.source == edge.source for e in item.body.entries)

    def item(self, item: Item, after: Item | None = None) -> Piece:
        """Any item; `after` is the one that it leads to."""
        key = id(item), id(after)
        if key not in self.known:
            self.known[key] = item, after, self._laid_out(item, after)
        return self.known[key][2]

    def _laid_out(self, item: Item, after: Item | None) -> Piece:
        if isinstance(item, Leaf):
            across, along = self.sizes[item.box]
            return Piece(across / 2, across / 2, along, {item.box: (0, along / 2)})
        if isinstance(item, Framed):
            return self.framed(item.cluster, self.series(item.body), item.body)
        if isinstance(item, Parallel):
            return self._parallel(item, after)
        return self._knot(item)

    def framed(self, cluster: Cluster, body: Piece, series: Series) -> Piece:
        """A frame around a series; its name is above, at the left."""
        top, side = (PAD + 3, PAD + LABEL) if self.aside else (PAD + LABEL, PAD)
        if series.entries and not isinstance(series.items[0], Parallel):
            top = max(top, GAP)
        left, right = body.left + side, body.right + PAD
        heading = self.heading(cluster, cluster in self.continued)
        if not self.aside:
            if series.entries:
                left = max(left, heading + 10)  # the name does not touch the line that enters
            else:
                right = max(right, heading + 12 - left)
        length = max(top + body.length + PAD, heading + 12 if self.aside else 0)
        routes: list[Route] = []
        if series.entries:
            ends = isinstance(series.items[0], Leaf)
            routes.append(Route(((0, 0), (0, top)), arrow=ends))
        if series.exits:
            routes.append(Route(((0, top + body.length), (0, length)), arrow=False))
        inside = joined([body.moved(0, top)], routes)
        frame = Framing(cluster, Bounds(-left, 0, right, length), cluster in self.continued)
        return replace(
            inside, left=left, right=right, length=length, frames=(frame, *inside.frames)
        )

    def _parallel(self, parallel: Parallel, after: Item | None) -> Piece:
        """Branches side by side; of two, the longer one stays on the axis."""
        bodies = [self.series(branch) for branch in parallel.branches]
        places = _side_by_side(bodies)
        length = TURN + max(body.length for body in bodies) + TURN
        routes: list[Route] = []
        pieces: list[Piece] = []
        for branch, body, x in zip(parallel.branches, bodies, places, strict=True):
            pieces.append(body.moved(x, TURN))
            if branch.entries:
                ends = isinstance(branch.items[0], Leaf)
                routes.append(Route(_bent(x, 0, TURN), arrow=ends))
            if any(after is None or self._enters(after, edge) for edge in branch.exits):
                low = TURN + body.length
                down = ((x, low), (x, length - TURN / 2), (0, length - TURN / 2), (0, length))
                routes.append(Route(_straight(down), arrow=isinstance(after, Leaf)))
        left = max(body.left - x for body, x in zip(bodies, places, strict=True))
        right = max(body.right + x for body, x in zip(bodies, places, strict=True))
        return replace(
            joined(pieces, routes), left=max(left, 0), right=max(right, 0), length=length
        )

    def _knot(self, knot: Knot) -> Piece:
        """Boxes in ranks, with lines that pass each rank between its boxes."""
        return _Ranks(knot, self.sizes).piece()


def _bent(x: float, start: float, length: float) -> tuple[Point, ...]:
    middle = start + length / 2
    return _straight(((0, start), (0, middle), (x, middle), (x, start + length)))


def _straight(points: Sequence[Point]) -> tuple[Point, ...]:
    """Points without those that repeat, or lie on the line between their neighbours."""
    found: list[Point] = []
    for point in points:
        if found and point == found[-1]:
            continue
        if len(found) > 1 and _on_line(found[-2], found[-1], point):
            found.pop()
        found.append(point)
    return tuple(found)


def _on_line(a: Point, b: Point, c: Point) -> bool:
    return (a[0] == b[0] == c[0]) or (a[1] == b[1] == c[1])


def _side_by_side(bodies: Sequence[Piece]) -> list[float]:
    """Where the axes of branches lie."""
    places = [0.0]
    for before, body in pairwise(bodies):
        places.append(places[-1] + before.right + BESIDE + body.left)
    if len(bodies) == 2 and bodies[0].length != bodies[1].length:
        straight = 0 if bodies[0].length > bodies[1].length else 1
        return [place - places[straight] for place in places]
    low, high = -bodies[0].left, places[-1] + bodies[-1].right
    return [place - (low + high) / 2 for place in places]


START, END = -1, -2  # stand for the ends of a knot; lines that pass a rank count on from there


@dataclass(eq=False)
class _Ranks:
    """Lays out a knot: a rank per longest way from the start, lines through the ranks between."""

    knot: Knot
    sizes: Mapping[int, Size]
    rank: dict[int, int] = field(default_factory=dict)
    rows: list[list[int]] = field(default_factory=list)

    def piece(self) -> Piece:
        """The knot, with its lines."""
        knot = self.knot
        pairs = {(e.source, e.target): e.skip for e in knot.edges}
        pairs |= {(START, box): False for box in knot.entries}
        pairs |= {(box, END): False for box in knot.exits}
        self._rank(pairs)
        ways = [self._way(a, b) for a, b in pairs]
        width = {n: self.sizes[n][0] if n >= 0 else 0.0 for n in self.rank}
        place = _across(self.rows, width, ways)
        axis = place.get(START, place.get(END, 0.0))
        place = {node: 0.0 if node == END else x - axis for node, x in place.items()}
        lengths = [max((self._length(n) for n in row), default=0.0) for row in self.rows]
        tops = [sum(lengths[:i]) + i * (GAP + 6) for i in range(len(lengths))]
        boxes = {n: (place[n], tops[r] + lengths[r] / 2) for n, r in self.rank.items() if n >= 0}
        routes = []
        for way in ways:
            points: list[Point] = []
            for node in way:
                x, r = place[node], self.rank[node]
                top, bottom = tops[r], tops[r] + lengths[r]
                half = self._length(node) / 2
                middle = (top + bottom) / 2
                ends = (top, middle - half, middle + half, bottom)
                points += [(x, y) for y in (ends if node >= 0 else (top, bottom))]
            inner = 2 if way[0] >= 0 else 1, -2 if way[-1] >= 0 else -1
            points = points[inner[0] : inner[1]]
            routes.append(Route(_straight(points), pairs[way[0], way[-1]], way[-1] != END))
        reach = [x for route in routes for x, _ in route.points]
        reach += [x - self.sizes[n][0] / 2 for n, (x, _) in boxes.items()]
        reach += [x + self.sizes[n][0] / 2 for n, (x, _) in boxes.items()]
        length = tops[-1] + lengths[-1]
        return Piece(-min(reach), max(reach), length, boxes, (), tuple(routes))

    def _length(self, node: int) -> float:
        return self.sizes[node][1] if node >= 0 else 0.0

    def _rank(self, pairs: Iterable[tuple[int, int]]) -> None:
        before: dict[int, list[int]] = defaultdict(list)
        after: dict[int, list[int]] = defaultdict(list)
        for a, b in pairs:
            before[b].append(a)
            after[a].append(b)
        # What is folded stands where its first layer does, and may read what comes after that.
        ways = TopologicalSorter({node: before[node] for node in self.knot.boxes})
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
    return place


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
