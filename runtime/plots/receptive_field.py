"""What an element of a layer sees -> a picture of it over the input."""

from typing import Any

from ..kerneldef import Array
from .canvas import INK, ORANGE, PictureFile, page
from .pixels import picture_pixels

LONGER, STRIP = 3.4, 0.35  # inches, of what is shown; the height of a sequence
MOST_LINES = 64  # rows and columns of an input without a picture that are ruled


def draw_receptive_field(
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    file: PictureFile,
    *,
    picture: Array | None = None,
    note: str = "",
) -> None:
    """Draw a receptive field over an input, and what of it lies in padding.

    Args:
        size: Height and width of the input.
        box: Its first row and column, and those after its last, in pixels.
        file: Where the picture goes.
        picture: The input, (C, H, W); by default a ruled area.
        note: What stands below.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    height, width = size
    top, left, bottom, right = box
    edges = min(top, 0), min(left, 0), max(bottom, height), max(right, width)
    tall, wide = edges[2] - edges[0], edges[3] - edges[1]
    strip = tall == 1  # of a sequence, however long, the height says nothing
    inch = LONGER / max(tall, wide)
    paper = (max(wide * inch, 2.6) + 0.7, (STRIP if strip else tall * inch) + 1.0)
    with page(file, paper, layout="constrained") as figure:
        axes = figure.subplots()
        _draw_input(axes, size, picture)
        across, down = [left, right, right, left, left], [top, top, bottom, bottom, top]
        axes.fill(across, down, color=ORANGE, alpha=0.22)
        axes.plot(across, down, color=ORANGE, linewidth=1.8)
        axes.set_aspect("auto" if strip else "equal")
        margin = 0.01 * max(tall, wide)
        high = 0.08 if strip else margin
        axes.set_xlim(edges[1] - margin, edges[3] + margin)
        axes.set_ylim(edges[2] + high, edges[0] - high)
        if strip:
            axes.set_yticks([])
        axes.set_xlabel(note, fontsize=7.5, color=INK.soft_text)
        for side in axes.spines.values():
            side.set_visible(False)
        file.entitle(figure)


def _draw_input(axes: Any, size: tuple[int, int], picture: Array | None) -> None:
    """The input on padding: a picture, or an area that is ruled where it is small."""
    height, width = size
    axes.set_facecolor(INK.families["source"])  # padding
    extent = (0, width, height, 0)
    if picture is not None:
        axes.imshow(picture_pixels(picture), extent=extent, interpolation="nearest")
    else:
        axes.fill([0, width, width, 0], [0, 0, height, height], color=INK.background)
    axes.plot([0, width, width, 0, 0], [0, 0, height, height, 0], color=INK.border, lw=0.8)
    axes.grid(visible=False)
    if picture is None and max(size) <= MOST_LINES:
        axes.hlines(range(1, height), 0, width, color=INK.cluster, linewidth=0.3)
        axes.vlines(range(1, width), 0, height, color=INK.cluster, linewidth=0.3)
