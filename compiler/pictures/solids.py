"""Feature maps as solids: boxes in cabinet projection, or stacks of planes.

A solid's sides follow height, width and channels. Channels run from left to right, the height
downwards, the width away from the reader.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log, log2

from ..emit.palette import Theme, family, fill
from ..ir.dim import Dim
from .feature_maps import FeatureMap
from .scene import Drawn, Line, Paint, Point, Polygon, Rectangle

VOLUMES, PLANES = "volumes", "planes"
MAPS, SCALES = (VOLUMES, PLANES), ("log", "linear")

SLANT = 0.36  # of a side that leads away, along x and along y
LEAST, FLAT = 6.0, 4.0  # points of a side; of one that a map has not
LOWEST = 0.2  # of the longest side: the shortest one of a network whose extents differ much
HALVING = 0.24  # of the longest side, at most, that a side loses with each halving
THINNEST = 3.0  # points of the side that channels run along
THICKEST = 0.32  # of the tallest side: that of 512 channels, if there are none more
CHANNEL = 0.17  # of the side of most channels, that each halving of them takes
SHIFT = 3.4  # points between planes
MOST_PLANES, MOST_COPIES = 9, 4
BAND = 3.0  # points of the activation's band
UNKNOWN = 64  # stands for an extent that an input determines


def number(extent: Dim) -> int:
    """An extent, or what stands for one that is not known."""
    return extent if isinstance(extent, int) else UNKNOWN


@dataclass(frozen=True, slots=True)
class Scale:
    """How long sides are drawn.

    On the logarithmic scale each halving takes as much from a side, so that a network which makes
    its maps smaller step by step is a funnel.

    Attributes:
        largest, least: The largest and the least spatial extent of the network, but 1.
        channels: The most channels of a map with spatial axes.
        vector: The longest vector.
        tallest: Points of the largest extent.
        linear: Whether sides are proportional to extents; by default to their logarithms.
    """

    largest: int
    least: int
    channels: int
    vector: int
    tallest: float
    linear: bool = False

    @staticmethod
    def of(maps: Iterable[FeatureMap], tallest: float, *, linear: bool) -> "Scale":
        """The scale that fits some maps."""
        found = list(maps)
        extents = [n for m in found for e in m.spatial if (n := number(e)) > 1] or [1]
        channels = max((number(m.channels) for m in found if m.spatial), default=1)
        vector = max((number(m.channels) for m in found if not m.spatial), default=1)
        return Scale(max(extents), min(extents), channels, vector, tallest, linear)

    def side(self, extent: Dim) -> float:
        """The length of a spatial side."""
        if self.linear:
            return LEAST + (self.tallest - LEAST) * number(extent) / self.largest
        halvings = log2(self.largest / self.least)
        lost = min(HALVING, (1 - LOWEST) / halvings) if halvings else 0.0
        share = 1 - lost * log2(self.largest / max(number(extent), 1))
        return max(LEAST, self.tallest * share)

    def bar(self, units: Dim) -> float:
        """The length of a vector."""
        low, most = 2 * LEAST, max(self.vector, 64)
        share = number(units) / most if self.linear else log(max(number(units), 1)) / log(most)
        return low + (0.9 * self.tallest - low) * share

    def thickness(self, channels: Dim) -> float:
        """The length of the side that channels run along."""
        if self.linear:
            return max(THINNEST, 0.5 * self.tallest * number(channels) / self.channels)
        most = THICKEST * self.tallest * min(1.0, log2(self.channels + 1) / 9)
        share = 1 - CHANNEL * log2(self.channels / max(number(channels), 1))
        return max(THINNEST, most * share)


@dataclass(frozen=True, slots=True)
class Face:
    """What a kernel slides over: a corner, and the sides along width and height."""

    corner: Point
    across: Point
    down: Point

    def at(self, u: float, v: float) -> Point:
        """A point by its shares of both sides."""
        (x, y), (a, b), (c, d) = self.corner, self.across, self.down
        return x + u * a + v * c, y + u * b + v * d


@dataclass(frozen=True, slots=True)
class Solid:
    """A feature map's outline before it is placed.

    Attributes:
        found: The map.
        thick, tall, deep: Points along channels, height and width; of planes, `deep` is their
            width.
        copies: How many solids or planes stand one behind the other.
        step: Points from one to the next along x and y.
    """

    found: FeatureMap
    thick: float
    tall: float
    deep: float
    copies: int = 1
    step: Point = (0.0, 0.0)
    planes: bool = False

    @property
    def slant(self) -> float:
        """How far the width leads to the right, and up."""
        return 0.0 if self.planes else SLANT * self.deep

    @property
    def width(self) -> float:
        """Points along x."""
        own = self.deep if self.planes else self.thick + self.slant
        return own + (self.copies - 1) * self.step[0]

    @property
    def height(self) -> float:
        """Points along y."""
        return self.tall + self.slant + (self.copies - 1) * self.step[1]

    def corner(self, x: float, y: float, copy: int) -> Point:
        """The upper left corner of a copy's front, where the solid's middle is at y."""
        top = y - self.height / 2 + self.slant
        return x + copy * self.step[0], top + copy * self.step[1]

    def face(self, x: float, y: float) -> Face:
        """Where kernels are drawn."""
        left, top = self.corner(x, y, self.copies - 1)
        if self.planes:
            return Face((left, top), (self.deep, 0), (0, self.tall))
        return Face((left + self.thick, top), (self.slant, -self.slant), (0, self.tall))

    def entry(self, x: float, y: float) -> Point:
        """Where a kernel's answer is."""
        left, top = self.corner(x, y, self.copies - 1 if self.planes else 0)
        return (left + 0.2 * self.deep if self.planes else left, top + 0.55 * self.tall)

    def top(self, x: float, y: float) -> Point:
        """Where arcs begin and end."""
        if self.planes:
            left, top = self.corner(x, y, 0)
            return left + self.deep / 2, top
        left, top = self.corner(x, y, self.copies // 2)
        return left + (self.thick + self.slant) / 2, top - self.slant / 2

    def shapes(self, x: float, y: float, theme: Theme) -> Iterator[Drawn]:
        """The solid with its left end at x, and its middle at y."""
        for copy in range(self.copies):
            left, top = self.corner(x, y, copy)
            if self.planes:
                colour = self._colour((copy + 0.5) / self.copies, theme)
                yield Rectangle(left, top, self.deep, self.tall, Paint(colour, theme.border, 0.6))
            else:
                yield from self._box(left, top, theme)

    def _colour(self, share: float, theme: Theme) -> str:
        """The colour at a share of the channels."""
        total = sum(number(channels) for _, channels in self.found.parts)
        below = 0.0
        for kind, channels in self.found.parts:
            below += number(channels) / total
            if share <= below:
                return fill(theme, kind)
        return fill(theme, self.found.kind, self.found.path)

    def _box(self, x: float, y: float, theme: Theme) -> Iterator[Drawn]:
        ends = list(self._segments(theme))
        left = x
        for width, colour in ends:
            yield _front(left, y, width, self.tall, Paint(colour))
            yield _lid(left, y, width, self.slant, Paint(mixed(colour, "#ffffff", 0.25)))
            left += width
        own = ends[-1 - bool(self.found.activation)][1]
        line = Paint(None, edge_colour(own, theme), 0.6)
        side = Paint(mixed(own, "#000000", 0.13), line.stroke, 0.6)
        yield Polygon(
            (
                (x + self.thick, y),
                (x + self.thick + self.slant, y - self.slant),
                (x + self.thick + self.slant, y - self.slant + self.tall),
                (x + self.thick, y + self.tall),
            ),
            side,
        )
        seam = x
        for width, _ in ends[: len(self.found.parts) - 1]:
            seam += width
            corners = ((seam, y + self.tall), (seam, y), (seam + self.slant, y - self.slant))
            yield Line(corners, line)
        yield _front(x, y, self.thick, self.tall, line)
        yield _lid(x, y, self.thick, self.slant, line)

    def _segments(self, theme: Theme) -> Iterator[tuple[float, str]]:
        """The parts of a box from left to right, by width and colour; activations are last."""
        band = min(BAND, 0.35 * self.thick) if self.found.activation else 0.0
        parts: Sequence[tuple[str, Dim]] = self.found.parts or ((self.found.kind, 1),)
        total = sum(number(channels) for _, channels in parts)
        path = "" if self.found.parts else self.found.path
        for kind, channels in parts:
            yield (self.thick - band) * number(channels) / total, fill(theme, kind, path)
        if band:
            yield band, activation_colour(theme)


def solid(found: FeatureMap, scale: Scale, *, planes: bool) -> Solid:
    """The solid of a map: a box, a stack of planes, a strip of a sequence, a bar of a vector."""
    axes = [scale.side(extent) for extent in found.spatial[-3:]]
    thick = scale.thickness(found.channels)
    if not axes:
        return Solid(found, LEAST, scale.bar(found.channels), FLAT)
    if len(axes) == 1:
        return Solid(found, thick, axes[0], FLAT)
    if len(axes) == 3:
        copies = min(MOST_COPIES, 1 + round(log2(max(number(found.channels), 1)) / 2))
        return Solid(found, SLANT * 2 * axes[0], axes[1], axes[2], copies, (2 * SHIFT, 0.0))
    if planes:
        copies = min(MOST_PLANES, 1 + round(1.3 * log2(max(number(found.channels), 1))))
        return Solid(found, 0, axes[0], axes[1], copies, (SHIFT, SHIFT), planes=True)
    if family(found.kind) == "pooling":
        thick = max(THINNEST, 0.5 * thick)
    times = found.times if found.times <= MOST_COPIES else 1
    return Solid(found, thick, axes[0], axes[1], times, (thick + 2.0, 0.0))


def activation_colour(theme: Theme) -> str:
    """The colour of an activation's band."""
    return mixed(theme.families["activation"], "#e0a000", 0.45)


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def edge_colour(colour: str, theme: Theme) -> str:
    """The colour of the edges of a solid."""
    return mixed(mixed(colour, theme.text, 0.45), theme.line, 0.3)


def _channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _front(x: float, y: float, width: float, height: float, paint: Paint) -> Rectangle:
    return Rectangle(x, y, width, height, paint)


def _lid(x: float, y: float, width: float, slant: float, paint: Paint) -> Polygon:
    corners = ((x, y), (x + slant, y - slant), (x + width + slant, y - slant), (x + width, y))
    return Polygon(corners, paint)
