"""Scene -> PNG or PDF, by matplotlib."""

import io
from collections.abc import Iterable
from typing import Any

from ...compiler.pictures.fonts import text_width
from ...compiler.pictures.scene import (
    Drawn,
    Ellipse,
    Group,
    Line,
    Paint,
    Polygon,
    Rectangle,
    Scene,
    Text,
    printable,
)
from ...compiler.pictures.svg import with_arrow
from .canvas import NAMELESS, figure_of

POINTS = 72.0  # per inch
DPI = 200


def scene_picture(scene: Scene, format: str, *, dpi: float = DPI) -> bytes:
    """A scene as the bytes of a PNG or PDF file; in a PDF, text can be selected.

    Raises:
        NetError: E503, matplotlib is not installed.
    """
    size = scene.width / POINTS, scene.height / POINTS
    selectable = {"pdf.fonttype": 42}  # text in TrueType fonts
    with figure_of(size, selectable) as figure:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, scene.width)
        axes.set_ylim(scene.height, 0)
        figure.patch.set_facecolor(scene.background)
        _Painter(axes).paint(scene.shapes)
        data = io.BytesIO()
        figure.savefig(
            data, format=format, dpi=dpi, facecolor=scene.background, metadata=NAMELESS[format]
        )
    return data.getvalue()


class _Painter:
    """Adds shapes to the axes of a figure, one on top of the other."""

    def __init__(self, axes: Any) -> None:
        from matplotlib import patches, path, textpath

        self.axes, self.patches, self.paths = axes, patches, path
        self.measured = textpath.TextPath
        self.order = 0

    def paint(self, shapes: Iterable[Drawn]) -> None:
        """Draw shapes in order."""
        for shape in shapes:
            self.order += 1
            match shape:
                case Group(inner):
                    self.paint(inner)
                case Text():
                    self._text(shape)
                case Line():
                    self._line(shape)
                case Rectangle(x, y, width, height, paint, radius) if radius:
                    rounded = self.patches.BoxStyle.Round(pad=0, rounding_size=radius)
                    box = self.patches.FancyBboxPatch
                    self._add(box((x, y), width, height, boxstyle=rounded, **_looks(paint)))
                case Rectangle(x, y, width, height, paint):
                    self._add(self.patches.Rectangle((x, y), width, height, **_looks(paint)))
                case Ellipse(x, y, rx, ry, paint):
                    self._add(self.patches.Ellipse((x, y), 2 * rx, 2 * ry, **_looks(paint)))
                case Polygon(points, paint):
                    self._add(self.patches.Polygon(points, closed=True, **_looks(paint)))

    def _add(self, patch: Any) -> None:
        patch.set_zorder(self.order)
        self.axes.add_patch(patch)

    def _line(self, line: Line) -> None:
        points, head = with_arrow(line)
        kind = self.paths.Path.CURVE4 if line.curved else self.paths.Path.LINETO
        codes = [self.paths.Path.MOVETO, *[kind] * (len(points) - 1)]
        path = self.paths.Path(points, codes)
        self._add(self.patches.PathPatch(path, **_looks(line.paint)))
        if head:
            colour = Paint(fill=line.paint.stroke)
            self._add(self.patches.Polygon(head, closed=True, **_looks(colour)))

    def _text(self, text: Text) -> None:
        font: dict[str, Any] = {"weight": "bold" if text.bold else "normal"}
        font["style"] = "italic" if text.italic else "normal"
        self.axes.text(
            text.x,
            text.y,
            printable(text.text),
            fontsize=text.size * self._share(text, font),
            color=text.colour,
            ha={"start": "left", "middle": "center", "end": "right"}[text.anchor],
            va="baseline",
            rotation=-text.turned,
            rotation_mode="anchor",
            zorder=self.order,
            **font,
        )

    def _share(self, text: Text, font: dict[str, Any]) -> float:
        """How much smaller matplotlib's wider font must be to take the width reckoned with."""
        if not text.text.strip():
            return 1.0
        from matplotlib.font_manager import FontProperties

        properties = FontProperties(family="DejaVu Sans", **font)
        taken = self.measured((0, 0), text.text, size=text.size, prop=properties)
        extent = taken.get_extents().width
        return min(1.0, text_width(text.text, text.size, bold=text.bold) / extent)


def _looks(paint: Paint) -> dict[str, Any]:
    """What matplotlib calls a paint."""
    return {
        "facecolor": paint.fill or "none",
        "edgecolor": paint.stroke or "none",
        "linewidth": paint.width if paint.stroke else 0,
        "linestyle": (0, tuple(d / max(paint.width, 1e-6) for d in paint.dash))
        if paint.dash
        else "solid",
        "alpha": None if paint.opacity == 1.0 else paint.opacity,
    }
