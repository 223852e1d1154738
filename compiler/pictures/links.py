"""A map and the one beside it -> a kernel's pyramid, a wedge to a dense layer, or an arrow."""

from collections.abc import Iterator

from ..emit.palette import Theme, family, fill
from .feature_maps import Connection
from .rows import Layout, Slot
from .scene import Drawn, Group, Line, Paint, Polygon
from .solids import mixed, number

LEAST_KERNEL = 5.0  # points of a kernel's side


def link(layout: Layout, theme: Theme, connection: Connection) -> Iterator[Drawn]:
    """What leads from a map to the one beside it."""
    source, target = layout.ends(connection)
    if target.found.kernel and source.found.spatial and target.found.spatial:
        shapes = tuple(_pyramid(source, target, theme))
    elif family(target.found.kind) == "dense" and not target.found.spatial:
        shapes = (_wedge(source, target, theme),)
    else:
        ends = ((source.right + 1, source.y), (target.x - 1, target.y))
        shapes = (Line(ends, Paint(stroke=theme.line, width=0.9), 4.0),)
    yield Group(shapes, "edge", layout.title_of(connection))


def _wedge(source: Slot, target: Slot, theme: Theme) -> Polygon:
    """From the whole side of a map to that of a vector."""
    low, high = (source.y + s * source.solid.tall / 2 for s in (1, -1))
    below, above = (target.y + s * target.solid.tall / 2 for s in (1, -1))
    corners = ((source.right, high), (target.x, above), (target.x, below), (source.right, low))
    return Polygon(corners, Paint(mixed(theme.background, theme.line, 0.18)))


def _pyramid(source: Slot, target: Slot, theme: Theme) -> Iterator[Drawn]:
    """A kernel on a map, and its answer on the next one."""
    face, apex = source.solid.face(source.x, source.y), target.solid.entry(target.x, target.y)
    kernel, extents = target.found.kernel[-2:], source.found.spatial[-2:]
    shares = [k / max(number(e), k) for k, e in zip(kernel, extents, strict=False)]
    down = max(shares[0], min(1.0, LEAST_KERNEL / source.solid.tall))
    across = (
        1.0 if len(extents) == 1 else max(shares[-1], min(1.0, LEAST_KERNEL / source.solid.deep))
    )
    u, v = 0.5 - across / 2, 0.45 - down / 2 if down < 0.9 else 0.5 - down / 2
    corners = [
        face.at(a, b) for a, b in ((u, v), (u + across, v), (u + across, v + down), (u, v + down))
    ]
    colour = mixed(fill(theme, target.found.kind), theme.text, 0.5)
    paint = Paint(mixed(colour, theme.background, 0.4), colour, 0.6, opacity=0.8)
    yield Polygon(tuple(corners), paint)
    for corner in corners:
        yield Line((corner, apex), Paint(stroke=colour, width=0.5))
