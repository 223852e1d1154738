"""A laid out part of a picture, made of parts that keep their own places.

Along is the direction of the tensors, across is at right angles to it: y and x of pictures that
run from top to bottom. A piece lies about an axis, at across 0, on which tensors enter it at
along 0 and leave it at its end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from math import inf

from ..emit.clusters import Cluster
from .scene import Bounds, Point

GAP = 14.0  # between boxes, for an arrow
BESIDE = 14.0  # between branches

Size = tuple[float, float]  # across, along


@dataclass(frozen=True, slots=True)
class Route:
    """A line through points; the way of a tensor, or a part of one."""

    points: tuple[Point, ...]
    skip: bool = False
    arrow: bool = True


@dataclass(frozen=True, slots=True)
class Framing:
    """A frame around boxes, and whether it continues one of the column before."""

    cluster: Cluster
    bounds: Bounds
    continued: bool = False


@dataclass(eq=False)
class Piece:
    """A laid out part of a network.

    A layout tries many ways to cut and to place the same parts; so a part that is put into a
    piece is not moved, it is remembered with its place. `flat` moves everything, once.

    Attributes:
        left, right: How far it reaches to both sides of its axis.
        length: How far it reaches along.
        boxes: Where its own boxes are: across and along of their middle.
        frames, routes: Its own frames and lines.
        parts: The pieces in it, and where their axes start: across and along.
    """

    left: float = 0.0
    right: float = 0.0
    length: float = 0.0
    boxes: dict[int, Point] = field(default_factory=dict)
    frames: list[Framing] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    parts: list[tuple["Piece", float, float]] = field(default_factory=list)

    def put(self, part: "Piece", across: float, along: float) -> None:
        """Add a part; the extents are left to the caller."""
        self.parts.append((part, across, along))

    @cached_property
    def places(self) -> Mapping[int, Point]:
        """Where all boxes are; to be asked for when the parts are complete."""
        found = dict(self.boxes)
        for part, across, along in self.parts:
            found.update({box: (x + across, y + along) for box, (x, y) in part.places.items()})
        return found

    def flat(self) -> "Piece":
        """The same without parts: boxes, frames and lines at their places in the whole."""
        whole = Piece(self.left, self.right, self.length)
        self._add_to(whole, 0.0, 0.0)
        return whole

    def _add_to(self, whole: "Piece", x: float, y: float) -> None:
        whole.boxes.update({box: (x + u, y + v) for box, (u, v) in self.boxes.items()})
        whole.frames += [replace(f, bounds=f.bounds.moved(x, y)) for f in self.frames]
        for part, across, along in self.parts:
            part._add_to(whole, x + across, y + along)
        whole.routes += [
            Route(tuple([(x + u, y + v) for u, v in route.points]), route.skip, route.arrow)
            for route in self.routes
        ]

    def reach(self, low: float, high: float, side: int) -> float:
        """How far what lies between two places along reaches to a side, -1 or 1.

        What only touches these places counts if it is a box or a frame, not if it is a line.
        """
        reach = -inf
        if self.boxes and self.length > low - 1 and high + 1 > 0:
            reach = self._extent(side)
        for frame in self.frames:
            if frame.bounds.bottom > low - 1 and frame.bounds.top < high + 1:
                reach = max(reach, frame.bounds.right if side > 0 else -frame.bounds.left)
        for route in self.routes:
            for (x0, y0), (x1, y1) in pairwise(route.points):
                if max(y0, y1) > low + 1 and min(y0, y1) < high - 1 and abs(y0 - y1) > 1:
                    reach = max(reach, side * x0, side * x1)
        for part, across, along in self.parts:
            is_near = along + part.length > low - 1 and along < high + 1
            if is_near and side * across + part._extent(side) > reach:
                inner = part.reach(low - along, high - along, side)
                reach = max(reach, side * across + inner)
        return reach

    def _extent(self, side: int) -> float:
        return self.right if side > 0 else self.left


def straight(points: Sequence[Point]) -> tuple[Point, ...]:
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
