"""A flow -> where its boxes, frames and lines lie.

Branches lie side by side, lines that pass them by in lanes beside what they pass.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..emit.clusters import Cluster
from ..emit.layer_view import Edge
from .flow import Framed, Item, Leaf, Parallel, Series
from .piece import BESIDE, GAP, Framing, Piece, Route, Size, straight
from .ranks import ranked
from .scene import Bounds, Point

TURN = 10.0  # from a fork to its branches, and from branches to where they merge
LANE = 11.0  # between boxes and the lines that pass them
PAD = 7.0  # between a frame and what is in it
LABEL = 11.0  # what a frame's name takes


_End = tuple[Item | None, float]  # of branches: what is there, and where along


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
        piece = Piece()
        starts: list[float] = []
        for number, item in enumerate(series.items):
            before, after = _neighbours(series, number)
            gap = 0.0
            if before is not None and not isinstance(before, Parallel):
                gap = 0.0 if isinstance(item, Parallel) else GAP
            start = piece.length + gap
            if gap:
                line = ((0, piece.length), (0, start))
                piece.routes.append(Route(line, arrow=isinstance(item, Leaf)))
            part = self.item(item, after)
            piece.put(part, 0, start)
            starts.append(start)
            piece.length = start + part.length
            piece.left = max(piece.left, part.left)
            piece.right = max(piece.right, part.right)
        for number, item in enumerate(series.items):
            if isinstance(item, Parallel):
                before, after = _neighbours(series, number)
                end = starts[number + 1] if after is not None else piece.length
                self._passed(piece, item, (before, starts[number]), (after, end))
        return piece

    def _passed(self, piece: Piece, parallel: Parallel, before: _End, after: _End) -> None:
        """Add the lines that pass branches by, or that enter a frame at its side, to a series."""
        for edge in parallel.skips:
            leaves = before[0] is None or self._leaves(before[0], edge)
            enters = after[0] is None or self._enters(after[0], edge)
            if _is_beside(parallel) and leaves and enters:
                line = ((0, before[1]), (0, after[1]))
                piece.routes.append(Route(line, arrow=isinstance(after[0], Leaf)))
            else:
                self._skip(piece, edge, before, after)
        for branch in parallel.branches:
            for edge in branch.exits:
                if after[0] is not None and not self._enters(after[0], edge):
                    self._around(piece, edge)

    def _skip(self, piece: Piece, edge: Edge, before: _End, after: _End) -> None:
        """A line in a lane of its own, from an item to the one after the branches."""
        low, high = before[1] - TURN, after[1] + TURN
        side, into = 1, after[0]
        if before[0] is not None and not self._leaves(before[0], edge):
            x, y = piece.places[edge.source]
            lane = self._lane(piece, y, after[1], side)
            points: list[Point] = [(x + side * self.sizes[edge.source][0] / 2, y), (lane, y)]
        else:
            lane = self._lane(piece, before[1], after[1], side)
            turn = before[1] + TURN / 2
            points = [(0, before[1]), (0, turn), (lane, turn)]
        at_side = into is not None and (
            edge.target in self.round if isinstance(into, Leaf) else not self._enters(into, edge)
        )
        if at_side and edge.target in piece.places:
            x, y = piece.places[edge.target]
            lane = self._lane(piece, min(points[-1][1], low), max(y, high), side)
            points[-1] = (lane, points[-1][1])
            points += [(lane, y), (x + side * self.sizes[edge.target][0] / 2, y)]
            arrow = True
        else:
            turn = after[1] - TURN / 2
            points += [(lane, turn), (0, turn), (0, after[1])]
            arrow = isinstance(into, Leaf)
        _add_beside(piece, Route(tuple(points), True, arrow), lane)

    def _around(self, piece: Piece, edge: Edge) -> None:
        """A line from the lower end of a branch around a frame to a box at its side."""
        x, y = piece.places[edge.source]
        low = y + self.sizes[edge.source][1] / 2
        tx, ty = piece.places[edge.target]
        side = 1 if x > 0 or (x == 0 and tx >= 0) else -1
        lane = self._lane(piece, low, ty, side)
        half = self.sizes[edge.target][0] / 2
        points = (
            (x, low),
            (x, low + TURN / 3),
            (lane, low + TURN / 3),
            (lane, ty),
            (tx + side * half, ty),
        )
        _add_beside(piece, Route(points, edge.skip), lane)

    def _lane(self, piece: Piece, low: float, high: float, side: int) -> float:
        """A free place beside all that lies between two places along."""
        return side * (max(0.0, piece.reach(low, high, side)) + LANE)

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
        return ranked(item, {n: self.item(each) for n, each in item.items.items()})

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
        continued = cluster in self.continued
        frame = Framing(cluster, Bounds(-left, 0, right, length), continued)
        piece = Piece(left, right, length, frames=[frame])
        piece.put(body, 0, top)
        if series.entries:
            ends = isinstance(series.items[0], Leaf)
            piece.routes.append(Route(((0, 0), (0, top)), arrow=ends))
        if series.exits:
            line = ((0, top + body.length), (0, length))
            piece.routes.append(Route(line, arrow=False))
        return piece

    def _parallel(self, parallel: Parallel, after: Item | None) -> Piece:
        """Branches side by side; of two, the longer one stays on the axis."""
        bodies = [self.series(branch) for branch in parallel.branches]
        if _is_beside(parallel):  # the axis is left to the tensor that all of them join
            places = _side_by_side([Piece(), *bodies], 0)[1:]
        else:
            places = _side_by_side(bodies)
        length = TURN + max(body.length for body in bodies) + TURN
        piece = Piece(length=length)
        for branch, body, x in zip(parallel.branches, bodies, places, strict=True):
            # What reads nothing, such as a later input, stands next to what reads it.
            top = TURN if branch.entries else length - TURN - body.length
            piece.put(body, x, top)
            piece.left = max(piece.left, body.left - x)
            piece.right = max(piece.right, body.right + x)
            if branch.entries:
                ends = isinstance(branch.items[0], Leaf)
                piece.routes.append(Route(_bent(x, 0, TURN), arrow=ends))
            if any(after is None or self._enters(after, edge) for edge in branch.exits):
                low = top + body.length
                down = ((x, low), (x, length - TURN / 2), (0, length - TURN / 2), (0, length))
                piece.routes.append(Route(straight(down), arrow=isinstance(after, Leaf)))
        return piece


def _neighbours(series: Series, number: int) -> tuple[Item | None, Item | None]:
    """The items before and after one of a series."""
    items = series.items
    return items[number - 1] if number else None, next(iter(items[number + 1 :][:1]), None)


def _add_beside(piece: Piece, route: Route, lane: float) -> None:
    """Add a line that passes by in a lane, which makes the piece wider."""
    piece.routes.append(route)
    reach = abs(lane) + LANE / 2
    if lane > 0:
        piece.right = max(piece.right, reach)
    else:
        piece.left = max(piece.left, reach)


def _bent(x: float, start: float, length: float) -> tuple[Point, ...]:
    middle = start + length / 2
    return straight(((0, start), (0, middle), (x, middle), (x, start + length)))


def _is_beside(parallel: Parallel) -> bool:
    """Whether branches read nothing, such as parameters, and join a tensor that comes along."""
    return len(parallel.skips) == 1 and not any(branch.entries for branch in parallel.branches)


def _side_by_side(bodies: Sequence[Piece], straight: int | None = None) -> list[float]:
    """Where the axes of branches lie; one of them may be the axis of all."""
    places = [0.0]
    for before, body in pairwise(bodies):
        places.append(places[-1] + before.right + BESIDE + body.left)
    if straight is None and len(bodies) == 2 and bodies[0].length != bodies[1].length:
        straight = 0 if bodies[0].length > bodies[1].length else 1
    if straight is not None:
        return [place - places[straight] for place in places]
    low, high = -bodies[0].left, places[-1] + bodies[-1].right
    return [place - (low + high) / 2 for place in places]
