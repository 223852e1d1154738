"""Scene -> SVG: text stays text, groups have tooltips, and names are shown, never executed."""

from collections.abc import Iterable, Iterator
from math import hypot
from xml.sax.saxutils import escape, quoteattr

from .fonts import FAMILY, text_width
from .scene import (
    Drawn,
    Ellipse,
    Group,
    Line,
    Paint,
    Point,
    Polygon,
    Rectangle,
    Scene,
    Text,
    printable,
)


def to_svg(scene: Scene, *, width: float | None = None) -> str:
    """A scene as an SVG document.

    Args:
        scene: What to write.
        width: The width of the picture in pixels; that of the scene in points by default.
    """
    shown = scene.width if width is None else width
    size = f'width="{_n(shown)}" height="{_n(scene.height * shown / scene.width)}"'
    box = f'viewBox="0 0 {_n(scene.width)} {_n(scene.height)}"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="img"'
            f" font-family={quoteattr(FAMILY)}>",
            f"<title>{_plain(scene.title)}</title>",
            f'<rect width="100%" height="100%" fill="{scene.background}"/>',
            *_shapes(scene.shapes),
            "</svg>\n",
        ]
    )


def _shapes(shapes: Iterable[Drawn]) -> Iterator[str]:
    for shape in shapes:
        match shape:
            case Group():
                yield from _group(shape)
            case Rectangle(x, y, width, height, paint, radius):
                corners = f' rx="{_n(radius)}"' if radius else ""
                place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
                yield f"<rect {place}{corners}{_paint(paint)}/>"
            case Ellipse(x, y, rx, ry, paint):
                place = f'cx="{_n(x)}" cy="{_n(y)}" rx="{_n(rx)}" ry="{_n(ry)}"'
                yield f"<ellipse {place}{_paint(paint)}/>"
            case Polygon(points, paint):
                yield f'<polygon points="{_points(points)}"{_paint(paint)}/>'
            case Line():
                yield from _line(shape)
            case Text():
                yield _text(shape)


def _group(group: Group) -> Iterator[str]:
    role = f" class={_quoted(group.role)}" if group.role else ""
    name = f" data-name={_quoted(group.name)}" if group.name else ""
    yield f"<g{role}{name}>"
    if group.title:
        yield f"<title>{_plain(group.title)}</title>"
    yield from _shapes(group.shapes)
    yield "</g>"


def _line(line: Line) -> Iterator[str]:
    points, head = with_arrow(line)
    start, *others = points
    command = "C" if line.curved else "L"
    path = f"M{_points([start])} {command}{_points(others)}"
    yield f'<path d="{path}"{_paint(line.paint)}/>'
    if head:
        yield f'<polygon points="{_points(head)}" fill="{line.paint.stroke}"/>'


def with_arrow(line: Line) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """The points of a line that ends where its arrowhead begins, and the corners of the head."""
    if not line.arrow:
        return line.points, ()
    (x, y), ahead = line.points[-1], line.points[-2]
    behind = next((p for p in reversed(line.points[:-1]) if p != (x, y)), ahead)
    length = hypot(x - behind[0], y - behind[1]) or 1.0
    ux, uy = (x - behind[0]) / length, (y - behind[1]) / length
    bx, by = x - ux * line.arrow, y - uy * line.arrow
    half = 0.38 * line.arrow
    head = ((x, y), (bx - uy * half, by + ux * half), (bx + uy * half, by - ux * half))
    return (*line.points[:-1], (bx, by)), head


def _text(text: Text) -> str:
    looks = [
        f'x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}" fill="{text.colour}"',
        f'text-anchor="{text.anchor}"',
    ]
    if text.bold:
        looks.append('font-weight="bold"')
    if text.italic:
        looks.append('font-style="italic"')
    if text.turned:
        looks.append(f'transform="rotate({_n(text.turned)} {_n(text.x)} {_n(text.y)})"')
    if text.text.isascii() and len(text.text) > 2:  # where another font stands in
        width = text_width(text.text, text.size, bold=text.bold)
        looks.append(f'textLength="{_n(width)}" lengthAdjust="spacingAndGlyphs"')
    return f"<text {' '.join(looks)}>{_plain(text.text)}</text>"


def _paint(paint: Paint) -> str:
    found = [f' fill="{paint.fill or "none"}"']
    if paint.stroke:
        found.append(f' stroke="{paint.stroke}" stroke-width="{_n(paint.width)}"')
    if paint.dash:
        found.append(f' stroke-dasharray="{" ".join(map(_n, paint.dash))}"')
    if paint.opacity != 1.0:
        found.append(f' opacity="{_n(paint.opacity)}"')
    return "".join(found)


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(number: float) -> str:
    """A number with two digits at most."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _plain(text: str) -> str:
    return escape(printable(text))


def _quoted(text: str) -> str:
    return quoteattr(printable(text))
