"""Points of a line -> the line with round corners."""

from collections.abc import Sequence
from itertools import pairwise

from .scene import Line, Paint, Point

RADIUS = 6.0


def rounded(points: Sequence[Point], radius: float = 5.0) -> tuple[Point, ...]:
    """Bezier points of a line through points, with rounded corners."""
    found: list[Point] = [points[0]]

    def line_to(point: Point) -> None:
        x, y = found[-1]
        dx, dy = point[0] - x, point[1] - y
        found.extend([(x + dx / 3, y + dy / 3), (x + 2 * dx / 3, y + 2 * dy / 3), point])

    for (before, corner), (_, after) in pairwise(pairwise(points)):
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        line_to(start)
        found.extend([corner, corner, end])
    line_to(points[-1])
    return tuple(found)


def rounded_line(points: Sequence[Point], paint: Paint, arrow: float) -> Line:
    """A line through points, which may coincide, with an arrow of a length at its end."""
    corners = [points[0]]
    for point in points[1:]:
        if abs(point[0] - corners[-1][0]) + abs(point[1] - corners[-1][1]) > 0.01:
            corners.append(point)
    if len(corners) < 3:
        return Line((points[0], points[-1]), paint, arrow)
    curve = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        start, end = _towards(corner, before, RADIUS), _towards(corner, after, RADIUS)
        curve += [curve[-1], start, start, *_bend(start, corner, end)]
    return Line((*curve, curve[-1], corners[-1], corners[-1]), paint, arrow, curved=True)


def _bend(start: Point, corner: Point, end: Point) -> tuple[Point, Point, Point]:
    """A quarter of an ellipse, as a Bezier curve."""
    a, b = (
        (p[0] + 0.55 * (corner[0] - p[0]), p[1] + 0.55 * (corner[1] - p[1])) for p in (start, end)
    )
    return a, b, end


def _towards(corner: Point, other: Point, radius: float) -> Point:
    """The point of a segment at a distance from its corner, or its middle where it is short."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    share = min(radius, length / 2) / length
    return corner[0] + dx * share, corner[1] + dy * share
