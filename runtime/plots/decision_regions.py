"""What a network says of each point of a plane, with samples on it -> a picture of its regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kerneldef import Array
from .canvas import (
    INK,
    PictureFile,
    class_colours,
    drawable,
    page,
    rgb,
    shades,
    short_name,
)

PLANE_SIDE = 3.6  # inches
MARKERS = "os^Dv*pX"
FEW_POINTS = 20  # points, which are drawn large
LIGHTEST, DARKEST = 0.08, 0.62  # how much of its colour a class has where it is least, most likely


@dataclass(frozen=True, slots=True)
class PlaneAnswers:
    """A network on a grid of points.

    Attributes:
        x, y: The coordinates of columns and of rows, (W,) and (H,).
        shares: The probability of each class, (H, W, K); None where it says numbers.
        values: The numbers that it says, (H, W); None where it says classes.
        classes: The names of the classes.
        axes: What the two inputs are called.
    """

    x: Array
    y: Array
    shares: Array | None = None
    values: Array | None = None
    classes: Sequence[str] = ()
    axes: tuple[str, str] = ("x1", "x2")


@dataclass(frozen=True, slots=True)
class PlanePoints:
    """Samples in a plane.

    Attributes:
        places: Their two inputs, (N, 2).
        classes: The right class of each, (N,), or None where targets are no classes.
        wrong: Whether the network says another, (N,).
    """

    places: Array
    classes: Array | None = None
    wrong: Array | None = None


def draw_plane(
    plane: PlaneAnswers,
    file: PictureFile,
    *,
    points: PlanePoints | None = None,
) -> None:
    """Draw the regions of a plane that a network distinguishes, and samples.

    A region has its class's colour, the darker the surer; a line is where two are equally likely.

    Args:
        plane: The network on a grid.
        file: Where the picture goes.
        points: Samples; those that it takes for another class have a dark edge.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    aspect = float(np.ptp(plane.y) / np.ptp(plane.x))
    height = PLANE_SIDE * min(max(aspect, 0.5), 1.6)
    with page(file, (PLANE_SIDE + 1.4, height + 0.75), layout="constrained") as figure:
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.set_xlabel(drawable(plane.axes[0]))
        axes.set_ylabel(drawable(plane.axes[1]))
        file.entitle(figure)
        _regions(axes, plane) if plane.shares is not None else _levels(figure, axes, plane)
        if points is not None:
            _scatter(axes, points)
        _legend(axes, plane, points)
        axes.set_xlim(plane.x[0], plane.x[-1])
        axes.set_ylim(plane.y[0], plane.y[-1])


def region_colours(shares: Array) -> Array:
    """The colour of each point, (H, W, 3), of probabilities (H, W, K)."""
    count = shares.shape[-1]
    colours = rgb(class_colours(count))[shares.argmax(axis=-1)]
    sure = (shares.max(axis=-1) - 1 / count) / (1 - 1 / count)
    weight = (LIGHTEST + (DARKEST - LIGHTEST) * np.clip(sure, 0, 1))[..., None]
    mixed: Array = 1 - weight + weight * colours
    return mixed


def _regions(axes: Any, plane: PlaneAnswers) -> None:
    assert plane.shares is not None
    shares = plane.shares
    extent = (plane.x[0], plane.x[-1], plane.y[0], plane.y[-1])
    axes.imshow(region_colours(shares), origin="lower", extent=extent, aspect="auto")
    for label in range(shares.shape[-1]):
        others = np.delete(shares, label, axis=-1).max(axis=-1)
        margin = shares[..., label] - others
        if margin.min() < 0 < margin.max():
            axes.contour(plane.x, plane.y, margin, [0.0], colors=[INK.text], linewidths=0.9)


def _levels(figure: Any, axes: Any, plane: PlaneAnswers) -> None:
    """Numbers as shades with lines of equal ones."""
    mesh = axes.pcolormesh(plane.x, plane.y, plane.values, cmap=shades(), rasterized=True)
    if np.ptp(plane.values) > 0:  # type: ignore[arg-type]  # there are numbers without classes
        lines = axes.contour(plane.x, plane.y, plane.values, 6, colors=[INK.text], linewidths=0.6)
        axes.clabel(lines, fontsize=6.5)
    figure.colorbar(mesh, ax=axes, pad=0.02, fraction=0.06)


def _scatter(axes: Any, points: PlanePoints) -> None:
    labels = np.zeros(len(points.places), np.int64) if points.classes is None else points.classes
    colours = class_colours(int(labels.max(initial=0)) + 1)
    wrong = np.zeros(len(labels), bool) if points.wrong is None else points.wrong
    size = 36 if len(labels) <= FEW_POINTS else 15
    for label, is_wrong in ((n, w) for n in np.unique(labels) for w in (False, True)):
        here = (labels == label) & (wrong == is_wrong)
        axes.scatter(
            *points.places[here].T,
            s=1.7 * size if is_wrong else size,
            color=INK.soft_text if points.classes is None else colours[label],
            marker=MARKERS[label % len(MARKERS)],
            edgecolors=INK.text if is_wrong else INK.background,
            linewidths=1.1 if is_wrong else 0.5,
            zorder=3,
        )


def _legend(axes: Any, plane: PlaneAnswers, points: PlanePoints | None) -> None:
    if plane.shares is None:
        return
    colours = class_colours(plane.shares.shape[-1])
    for number, (name, colour) in enumerate(zip(plane.classes, colours, strict=True)):
        marker = MARKERS[number % len(MARKERS)]
        axes.plot([], [], marker, color=colour, markersize=5, label=short_name(name))
    if points is not None and points.wrong is not None and points.wrong.any():
        text = f"{int(points.wrong.sum())} of {len(points.wrong)} wrong"
        axes.plot([], [], "o", color="none", markeredgecolor=INK.text, markersize=5, label=text)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8, handletextpad=0.3
    )
