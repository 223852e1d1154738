"""Counts of right classes and answers -> a picture of the confusion matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ..kerneldef import Array
from .canvas import INK, PictureFile, canvas, heading, shades, short_name

MOST_NUMBERED = 24  # classes, up to which the cells of a confusion matrix hold their counts
MOST_NAMED = 48  # classes, up to which each row has its name


def draw_confusion(
    counts: Array,
    file: PictureFile,
    *,
    names: Sequence[str] = (),
) -> None:
    """Draw a confusion matrix: rows are the right classes, columns the answers.

    A cell is the darker, the larger its share of its row; it says the count.

    Args:
        counts: How often each class was taken for each, (K, K).
        file: Where the picture goes.
        names: The names of the classes; their numbers where they are left out.

    Raises:
        NetError: E551, it is not a matrix; E505, E503, E004 as `canvas` raises.
    """
    counts = np.asarray(counts)
    classes = len(counts)
    if counts.shape != (classes, classes) or not classes:
        raise error("E551", f"counts of shape {counts.shape} are not a confusion matrix")
    names = names if len(names) == classes else [str(i) for i in range(classes)]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    side = min(max(0.36 * classes, 2.0), 6.2)
    margin = 0.8 + 0.075 * max(len(short_name(name)) for name in names)  # of the names, in inches
    with canvas(file, [side + margin], width=side + margin) as figure:
        (axes,) = figure.axes
        axes.imshow(shares, cmap=shades(), vmin=0.0, vmax=1.0, interpolation="nearest")
        axes.set_aspect("equal")
        _name_classes(axes, names)
        _separate(axes, classes)
        if classes <= MOST_NUMBERED:
            _write_counts(axes, counts, shares, 72 * side / classes)
        right = float(np.trace(counts)) / max(float(counts.sum()), 1.0)
        said = f"{right:.1%} of {int(counts.sum()):,} right"
        above = f"{heading(file.title, figure, 9)}\n" if file.title else ""
        figure.suptitle(above + said, fontsize=9, x=0.02, ha="left")


def _name_classes(axes: Any, names: Sequence[str]) -> None:
    """The classes' names at the rows and columns, or every few of them where there are too many."""
    every = -(-len(names) // MOST_NAMED)
    places = range(0, len(names), every)
    shown = [short_name(names[i]) for i in places]
    upright = len(names) > 10 or max(map(len, shown)) > 4
    size = 8 if len(names) <= MOST_NUMBERED else 5.5
    axes.set_xticks(places, shown, rotation=90 if upright else 0, fontsize=size)
    axes.set_yticks(places, shown, fontsize=size)
    axes.set_xlabel("answer")
    axes.set_ylabel("right class")
    axes.tick_params(length=0)


def _separate(axes: Any, classes: int) -> None:
    """Thin lines between the cells, and none around."""
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    width = 0.8 if classes <= MOST_NUMBERED else 0.2
    edges = np.arange(classes + 1) - 0.5
    axes.hlines(edges, -0.5, classes - 0.5, color=INK.families["source"], linewidth=width)
    axes.vlines(edges, -0.5, classes - 0.5, color=INK.families["source"], linewidth=width)


def _write_counts(axes: Any, counts: Array, shares: Array, cell: float) -> None:
    """The counts in cells of `cell` points, light on dark; zeros stand back as dots."""
    longest = len(f"{int(counts.max())}")
    size = min(9.0, 1.4 * cell / max(longest, 2))
    for (row, column), count in np.ndenumerate(counts):
        dark = shares[row, column] > 0.45
        faint = INK.cluster if not count else INK.text
        axes.text(
            column,
            row,
            str(int(count)) if count else "·",
            ha="center",
            va="center",
            fontsize=size,
            color=INK.background if dark else faint,
        )
