"""Figures of matplotlib in netc's style, written as SVG, PNG or PDF.

With `glyphs` and `scenes` the only file that imports matplotlib, and only when something is drawn.
Figures are made without pyplot, so no window system and no figure of the caller is touched;
settings hold for the drawing and are then put back, those of the user's own `matplotlibrc`
included.
"""

import io
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiler.emit.palette import THEMES
from ...compiler.pictures.fonts import shortened, text_width
from ...grammar.diagnostics import error, listing
from ...grammar.files import atomic_writer
from ..extras import importing
from ..kerneldef import Array
from .glyphs import OWN, use_glyphs

FORMATS = ("svg", "png", "pdf")
DPI = 200
USUAL_SHARE = 0.87  # Helvetica's size where matplotlib's font is as wide at 1
NAME_SIZE = 8.5  # points, of the names of curves
PLOT_WIDTH = 5.6  # inches: a text column of a paper
INK = THEMES["light"]

# Okabe and Ito's colours, which can be distinguished with any colour vision, and in grey.
BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
)
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
DASHES = ("-", (0, (5, 2)), (0, (1.2, 1.4)), (0, (6, 2, 1.2, 2)))

STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK.border,
    "axes.grid": True,
    "axes.labelcolor": INK.text,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK.text,
    "axes.titlesize": 10,
    "font.family": OWN,
    "font.size": 8.5,
    "grid.color": INK.cluster,
    "grid.alpha": 0.28,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "savefig.facecolor": INK.background,
    "svg.fonttype": "path",
    "svg.hashsalt": "netc",  # ids in SVG are otherwise drawn at random
    "pdf.compression": 6,
    "text.color": INK.text,
    "text.parse_math": False,  # names may hold `$`
    "xtick.color": INK.soft_text,
    "xtick.labelsize": 8,
    "xtick.major.size": 3,
    "xtick.major.width": 0.7,
    "ytick.color": INK.soft_text,
    "ytick.labelsize": 8,
    "ytick.major.size": 3,
    "ytick.major.width": 0.7,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
}
# Without a date and a version, the same curves give the same bytes.
NAMELESS: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True, slots=True)
class PictureFile:
    """Where a picture goes, and what it is called.

    Attributes:
        path: The file, which appears once it is whole.
        title: What stands above the picture.
        format: One of `FORMATS`; by default the path's suffix.
    """

    path: str
    title: str = ""
    format: str | None = None

    def entitle(self, figure: Any, *, size: float = 10, more: str = "") -> None:
        """Write the title, if there is one, above a figure."""
        if self.title:
            text = heading(self.title + more, figure, size)
            figure.suptitle(text, fontsize=size, x=0.02, ha="left")


@contextmanager
def figure_of(
    size: tuple[float, float], settings: Mapping[str, Any] | None = None, **options: Any
) -> Iterator[Any]:
    """An empty figure of a size in inches, with netc's style and further settings in force.

    Raises:
        NetError: E503, matplotlib is not installed.
    """
    matplotlib = _matplotlib()
    with (
        matplotlib.style.context(["default", {**STYLE, **(settings or {})}]),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # `use_glyphs` warns
        yield matplotlib.figure.Figure(figsize=size, **options)


@contextmanager
def canvas(
    file: PictureFile, rows: Sequence[float] = (2.4,), *, width: float = PLOT_WIDTH
) -> Iterator[Any]:
    """A figure to draw on, which is written when the block ends well.

    Args:
        file: Where it goes.
        rows: The heights of its panels in inches; they lie below each other and share their x.
        width: Its width in inches.

    Yields:
        The figure; `figure.axes` are its panels.

    Raises:
        NetError: E505, the format is not known; E503, matplotlib is not installed; E004, the file
            cannot be written.
    """
    with page(file, (width, sum(rows)), layout="constrained") as figure:
        figure.subplots(
            len(rows), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": list(rows)}
        )
        yield figure


@contextmanager
def page(file: PictureFile, size: tuple[float, float], **options: Any) -> Iterator[Any]:
    """An empty figure of a size in inches, which is written when the block ends well.

    Raises:
        NetError: As `canvas`.
    """
    chosen = picture_format(file.path, file.format)
    with figure_of(size, **options) as figure:
        yield figure
        use_glyphs(figure, is_drawn_here=chosen != "svg")
        data = io.BytesIO()
        figure.savefig(data, format=chosen, dpi=DPI, metadata=NAMELESS[chosen])
    with atomic_writer(file.path) as written:
        written.write(data.getbuffer())


def picture_format(path: str, format: str | None = None) -> str:
    """The format that is asked for, or else that of a file's suffix.

    Raises:
        NetError: E505, it is not one of `FORMATS`.
    """
    found = format or os.path.splitext(path)[1].removeprefix(".")
    if found.lower() in FORMATS:
        return found.lower()
    known = listing(FORMATS)
    what = f"`{path}` has no suffix" if not found else f"there is no picture format `{found}`"
    raise error("E505", what, help=f"the formats are {known}")


def _matplotlib() -> Any:
    with importing("E503", "matplotlib is not installed", "pip install 'netc[train]'"):
        import matplotlib.figure
        import matplotlib.style
    return matplotlib


# What XML forbids, and halves of characters, such as stand for bytes in names that are not UTF-8.
_UNDRAWABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def drawable(name: str) -> str:
    """A name in one line that any format can hold; what it cannot hold is a blank."""
    return _UNDRAWABLE.sub(" ", name)


def heading(title: str, figure: Any, size: float, share: float = 0.94) -> str:
    """A drawable title, `NAME: WHAT`; of a name that is too long the middle is left out.

    Args:
        title: The title.
        figure: What it stands above.
        size: That of its text, in points.
        share: How much of the width it may take.
    """
    width = share * USUAL_SHARE * 72 * figure.get_figwidth()
    name, colon, what = drawable(title).rpartition(": ")
    rest = colon + what
    return shortened(name, max(width - text_width(rest, size), 0), size) + rest


def short_name(name: str) -> str:
    """A drawable name, cut where it is long."""
    name = drawable(name)
    return name if len(name) <= 18 else name[:17] + "…"


def shades() -> Any:
    """Colours from white to dark blue, for shares from 0 to 1."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shares", [INK.background, SKY, BLUE, "#003e63"])


def signed_shades() -> Any:
    """Colours from orange for -1 over white for 0 to blue for 1."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = ["#7a2f00", ORANGE, INK.background, BLUE, "#003e63"]
    return LinearSegmentedColormap.from_list("signed", colours)


def class_colours(count: int) -> list[str]:
    """A colour for each class: those of lines, or of more classes an even scale."""
    from matplotlib.colors import to_hex

    if count <= len(SERIES):
        return list(SERIES[:count])
    scale = _matplotlib().colormaps["viridis"]
    return [to_hex(scale(place)) for place in np.linspace(0.0, 1.0, count)]


def rgb(colours: Iterable[str]) -> Array:
    """Colours by name as numbers from 0 to 1, (K, 3)."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(colour) for colour in colours])


def text_length(text: str, size: float) -> float:
    """How long a line of text is, in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    font = FontProperties(family=STYLE["font.family"])
    box = TextPath((0, 0), text, size=size, prop=font, usetex=False).get_extents()
    return float(box.x1)


def whole_numbers(axis: Any) -> None:
    """Ticks at whole numbers only, such as epochs."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, nbins=9, steps=[1, 2, 5, 10]))


def plain_log(axis: Any) -> None:
    """A logarithmic axis with numbers at 1, 2 and 5 where few decades are shown."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = sorted(axis.get_view_interval())
    decades = float(np.log10(high / low)) if low > 0 else 1.0
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def label_ends(axes: Any, ends: Sequence[tuple[float, str, str]]) -> None:
    """Name lines where they end, at the right of a panel; labels that would touch move apart.

    Args:
        axes: The panel, with its final limits.
        ends: For each line its last y, its name, and its colour.
    """
    height = axes.get_position().height * axes.figure.get_figheight() * 72
    apart = min(1.25 * NAME_SIZE / max(height, 1.0), 1.0 / max(len(ends), 1))
    at = [
        float(axes.transAxes.inverted().transform(axes.transData.transform((0, y)))[1])
        for y, *_ in ends
    ]
    for (_, name, colour), place in zip(ends, spread(at, apart), strict=True):
        axes.annotate(
            name,
            (1.0, place),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            ha="left",
            color=colour,
            fontsize=NAME_SIZE,
            annotation_clip=False,
        )


def spread(places: Sequence[float], apart: float) -> list[float]:
    """Places in [0, 1], moved as little as it takes to keep neighbours `apart`, in their order."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups: list[tuple[float, list[int]]] = []  # a run of touching labels, about its middle
    for i in order:
        groups.append((min(max(places[i], 0.0), 1.0), [i]))
        while len(groups) > 1 and _touch(groups[-2], groups[-1], apart):
            (_, low), (_, high) = groups[-2:]
            members = low + high
            wanted = sum(places[m] for m in members) / len(members)
            reach = apart * (len(members) - 1) / 2
            groups[-2:] = [(min(max(wanted, reach), max(1.0 - reach, reach)), members)]
    result = [0.0] * len(places)
    for middle, members in groups:
        for position, member in enumerate(members):
            result[member] = middle + apart * (position - (len(members) - 1) / 2)
    return result


def _touch(low: tuple[float, list[int]], high: tuple[float, list[int]], apart: float) -> bool:
    top = low[0] + apart * (len(low[1]) - 1) / 2
    bottom = high[0] - apart * (len(high[1]) - 1) / 2
    return bottom - top < apart - 1e-9
