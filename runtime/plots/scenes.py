"""Scene -> PNG or PDF, by matplotlib."""

import io
from collections.abc import Iterable, Sequence
from math import cos, radians, sin
from typing import Any

from ...compiler.pictures.fonts import text_width
from ...compiler.pictures.scene import (
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
    texts,
)
from ...compiler.pictures.svg import with_arrow
from .canvas import NAMELESS, USUAL_SHARE, figure_of
from .glyphs import advance, font_of, warn_of_boxes

POINTS = 72.0  # per inch
DPI = 200
USUAL_SHARES = USUAL_SHARE, 0.855  # as `USUAL_SHARE`, and in bold


def scene_picture(scene: Scene, format: str, *, dpi: float = DPI) -> bytes:
    """A scene as the bytes of a PNG or PDF file; in a PDF, text can be selected.

    Raises:
        NetError: E503, matplotlib is not installed.
    """
    size = scene.width / POINTS, scene.height / POINTS
    # Text in TrueType fonts, as wide as it was reckoned.
    settings = {"pdf.fonttype": 42, "text.hinting": "none"}
    with figure_of(size, settings) as figure:
        figure.patch.set_facecolor(scene.background)
        figure.add_artist(_page(scene))
        data = io.BytesIO()
        figure.savefig(
            data, format=format, dpi=dpi, facecolor=scene.background, metadata=NAMELESS[format]
        )
    return data.getvalue()


def _page(scene: Scene) -> Any:
    """All of a scene as one artist: thousands of shapes are slow as artists of their own."""
    from matplotlib.artist import Artist
    from matplotlib.transforms import Affine2D

    class Page(Artist):
        def draw(self, renderer: Any) -> None:
            box, pixels = self.figure.bbox, self.figure.dpi / POINTS
            place = Affine2D().scale(pixels, -pixels).translate(0, box.height)
            _Painter(renderer, place).paint(scene.shapes)

    warn_of_boxes(text.text for text in texts(scene.shapes))
    return Page()


class _Painter:
    """Draws shapes, one on top of the other.

    Args:
        renderer: What matplotlib draws a file format with.
        place: From points of the page to pixels, which grow upwards.
    """

    def __init__(self, renderer: Any, place: Any) -> None:
        from matplotlib import patches, path, transforms

        self.renderer, self.place = renderer, place
        self.path, self.affine = path.Path, transforms.Affine2D
        self.round = patches.BoxStyle.Round

    def paint(self, shapes: Iterable[Drawn]) -> None:
        """Draw shapes in order."""
        for shape in shapes:
            match shape:
                case Group(inner):
                    self.paint(inner)
                case Text():
                    self._text(shape)
                case Line():
                    self._line(shape)
                case Rectangle(x, y, width, height, paint, radius) if radius:
                    rounded = self.round(pad=0, rounding_size=radius)
                    self._fill(rounded(x, y, width, height, 1.0), paint)
                case Rectangle(x, y, width, height, paint):
                    right, low = x + width, y + height
                    self._polygon(((x, y), (right, y), (right, low), (x, low)), paint)
                case Ellipse(x, y, rx, ry, paint):
                    shaped = self.affine().scale(rx, ry).translate(x, y)
                    self._fill(self.path.unit_circle().transformed(shaped), paint)
                case Polygon(points, paint):
                    self._polygon(points, paint)

    def _polygon(self, points: Sequence[Point], paint: Paint) -> None:
        self._fill(self.path([*points, points[0]], closed=True), paint)

    def _fill(self, path: Any, paint: Paint) -> None:
        from matplotlib.colors import to_rgba

        context = self.renderer.new_gc()
        context.set_joinstyle("miter")
        context.set_linewidth(paint.width if paint.stroke else 0.0)
        context.set_foreground(to_rgba(paint.stroke or "none", paint.opacity), isRGBA=True)
        if paint.dash:
            context.set_dashes(0, paint.dash)
        inside = to_rgba(paint.fill, paint.opacity) if paint.fill else None
        self.renderer.draw_path(context, path, self.place, inside)
        context.restore()

    def _line(self, line: Line) -> None:
        points, head = with_arrow(line)
        kind = self.path.CURVE4 if line.curved else self.path.LINETO
        codes = [self.path.MOVETO, *[kind] * (len(points) - 1)]
        self._fill(self.path(points, codes), line.paint)
        if head:
            self._polygon(head, Paint(fill=line.paint.stroke))

    def _text(self, text: Text) -> None:
        said = printable(text.text)
        if not said.strip():
            return
        size = text.size * _share(text)
        along = {"start": 0.0, "middle": -0.5, "end": -1.0}[text.anchor] * size * _advance(text)
        turn = radians(text.turned)
        x, y = self.place.transform((text.x + along * cos(turn), text.y + along * sin(turn)))
        if self.renderer.flipy():
            y = self.renderer.height - y
        context = self.renderer.new_gc()
        context.set_foreground(text.colour)
        font = font_of(said, size, bold=text.bold, italic=text.italic)
        self.renderer.draw_text(context, x, y, said, font, -text.turned, ismath=False)
        context.restore()


def _advance(text: Text) -> float:
    """How far a text leads on in matplotlib's font, in sizes."""
    return sum(advance(c, bold=text.bold, italic=text.italic) for c in printable(text.text))


def _share(text: Text) -> float:
    """How much smaller matplotlib's wider font must be to take the width reckoned with.

    Most texts get the same share, so that their letters are of one size.
    """
    taken, usual = text.size * _advance(text), USUAL_SHARES[text.bold]
    return min(usual, text_width(text.text, text.size, bold=text.bold) / taken) if taken else usual
