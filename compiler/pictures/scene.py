"""A picture as shapes on a page: what every style draws, and every file format writes.

Coordinates are points (1/72 inch) from the upper left corner; y grows downwards. Shapes are drawn
in order, later ones on top.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

# What XML forbids, halves of characters, and marks that turn the direction of what follows.
_UNDRAWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """Text in one line that every format can hold; what none can hold is a blank."""
    return _UNDRAWABLE.sub(" ", text)


SMALLEST_TEXT = 6.0  # points: what print keeps legible
A4 = (595.0, 842.0)  # points


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rectangle along the axes."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """The extent along x."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """The extent along y."""
        return self.bottom - self.top

    @property
    def center(self) -> Point:
        """The point in the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def moved(self, x: float, y: float) -> "Bounds":
        """The rectangle at another place."""
        return Bounds(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def overlaps(self, other: "Bounds", slack: float = 0.0) -> bool:
        """Whether two rectangles share more than `slack` points along both axes."""
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > slack and along > slack


@dataclass(frozen=True, slots=True)
class Paint:
    """How an outline and what it encloses look; colours are `#rrggbb`, None for nothing."""

    fill: str | None = None
    stroke: str | None = None
    width: float = 0.8
    dash: tuple[float, ...] = ()
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle by its upper left corner, with rounded corners on demand."""

    x: float
    y: float
    width: float
    height: float
    paint: Paint
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse by its centre and its radii."""

    x: float
    y: float
    rx: float
    ry: float
    paint: Paint


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed outline."""

    points: tuple[Point, ...]
    paint: Paint


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points, straight from one to the next, with an arrowhead on demand.

    Attributes:
        points: Its corners; where `curved`, a start and then triples of cubic Bezier points.
        arrow: The length of the arrowhead at its end; 0 for none.
        curved: Whether the points are those of Bezier curves.
    """

    points: tuple[Point, ...]
    paint: Paint
    arrow: float = 0.0
    curved: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; y is its baseline, and x its start, middle or end.

    `turned` is the angle, in degrees clockwise, about (x, y).
    """

    x: float
    y: float
    text: str
    size: float
    colour: str
    bold: bool = False
    italic: bool = False
    anchor: Anchor = "middle"
    turned: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that belong together.

    Attributes:
        shapes: The shapes, or groups.
        role: What they are: `box`, `frame`, `edge`, `label`, `legend`.
        title: What is said where a pointer rests on them.
        name: What they stand for, such as a layer's path.
    """

    shapes: "tuple[Drawn, ...]"
    role: str = ""
    title: str = ""
    name: str = ""


Drawn = Rectangle | Ellipse | Polygon | Line | Text | Group


@dataclass(frozen=True, slots=True)
class Scene:
    """A page with shapes on it; `title` says in words what it shows."""

    width: float
    height: float
    shapes: tuple[Drawn, ...]
    background: str
    title: str = ""
    groups: tuple[Group, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(groups(self.shapes)))


def groups(shapes: Iterable[Drawn]) -> Iterator[Group]:
    """All groups among shapes, outer ones before those within them."""
    for shape in shapes:
        if isinstance(shape, Group):
            yield shape
            yield from groups(shape.shapes)


def texts(shapes: Iterable[Drawn]) -> Iterator[Text]:
    """All lines of text among shapes."""
    for shape in shapes:
        if isinstance(shape, Group):
            yield from texts(shape.shapes)
        elif isinstance(shape, Text):
            yield shape


def placed(shape: Drawn, dx: float, dy: float, scale: float = 1.0) -> Drawn:
    """A shape after scaling about the origin and then moving it."""

    def at(point: Point) -> Point:
        return point[0] * scale + dx, point[1] * scale + dy

    if isinstance(shape, Group):
        return replace(shape, shapes=tuple(placed(s, dx, dy, scale) for s in shape.shapes))
    if isinstance(shape, Text):
        x, y = at((shape.x, shape.y))
        return replace(shape, x=x, y=y, size=shape.size * scale)
    paint = replace(
        shape.paint,
        width=shape.paint.width * scale,
        dash=tuple(length * scale for length in shape.paint.dash),
    )
    if isinstance(shape, Rectangle):
        x, y = at((shape.x, shape.y))
        width, height, radius = shape.width * scale, shape.height * scale, shape.radius * scale
        return Rectangle(x, y, width, height, paint, radius)
    if isinstance(shape, Ellipse):
        x, y = at((shape.x, shape.y))
        return Ellipse(x, y, shape.rx * scale, shape.ry * scale, paint)
    points = tuple(map(at, shape.points))
    if isinstance(shape, Polygon):
        return Polygon(points, paint)
    return replace(shape, points=points, paint=paint, arrow=shape.arrow * scale)


def around(bounds: Sequence[Bounds]) -> Bounds:
    """The smallest rectangle around some."""
    if not bounds:
        return Bounds(0, 0, 0, 0)
    return Bounds(
        min(b.left for b in bounds),
        min(b.top for b in bounds),
        max(b.right for b in bounds),
        max(b.bottom for b in bounds),
    )


def of_points(points: Iterable[Point]) -> Bounds:
    """The smallest rectangle around points."""
    left = top = inf
    right = bottom = -inf
    for x, y in points:
        left, right = min(left, x), max(right, x)
        top, bottom = min(top, y), max(bottom, y)
    return Bounds(left, top, right, bottom)
