"""What thresholds on scores give -> pictures of ROC and of precision and recall."""

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ..metrics.threshold_curves import PrecisionRecallCurve, RocCurve
from .canvas import BLUE, DASHES, INK, SERIES, PictureFile, canvas, heading, short_name

MOST_CURVES = 12  # in one picture; of more classes, those with the smallest area are shown
SQUARE = 3.5  # inches


def draw_roc(
    curves: Sequence[tuple[str, RocCurve]],
    file: PictureFile,
    *,
    threshold: float | None = None,
) -> None:
    """Draw ROC curves, the diagonal of guessing, and the point of a threshold.

    Args:
        curves: The name and the curve of each class; a name may be empty.
        file: Where the picture goes.
        threshold: The score whose point is marked on a single curve.

    Raises:
        NetError: E551, no curve has both yeses and noes; E505, E503, E004 as `canvas` raises.
    """
    shown = _smallest([(name, curve, curve.area) for name, curve in curves], "ROC curve")
    with canvas(file, [SQUARE], width=SQUARE + 1.6) as figure:
        (axes,) = figure.axes
        _square(axes, "false positive rate", "true positive rate", file.title)
        axes.plot([0, 1], [0, 1], color=INK.cluster, linewidth=0.9, linestyle=(0, (3, 3)))
        axes.text(
            0.56,
            0.53,
            "guessing",
            color=INK.soft_text,
            fontsize=8,
            rotation=45,
            rotation_mode="anchor",
            va="top",
            ha="center",
        )
        for place, (_, curve, _) in enumerate(shown):
            axes.plot(curve.false_positive_rate, curve.true_positive_rate, **_look(place))
        if threshold is not None and len(shown) == 1:
            _point(axes, shown[0][1], threshold, "false_positive_rate", "true_positive_rate")
        _legend(axes, "AUC", [(name, area) for name, _, area in shown])


def draw_precision_recall(
    curves: Sequence[tuple[str, PrecisionRecallCurve]],
    file: PictureFile,
    *,
    threshold: float | None = None,
) -> None:
    """Draw precision over recall, the precision of guessing, and the point of a threshold.

    Arguments and errors as in `draw_roc`.
    """
    shown = _smallest(
        [(name, curve, curve.average_precision) for name, curve in curves],
        "precision-recall curve",
    )
    with canvas(file, [SQUARE], width=SQUARE + 1.6) as figure:
        (axes,) = figure.axes
        _square(axes, "recall", "precision")
        if len(shown) == 1:
            share = shown[0][1].share
            axes.axhline(share, color=INK.cluster, linewidth=0.9, linestyle=(0, (3, 3)))
            axes.annotate(
                "guessing",
                (0.02, share),
                xytext=(0, 3 if share < 0.9 else -3),
                textcoords="offset points",
                color=INK.soft_text,
                fontsize=8,
                va="bottom" if share < 0.9 else "top",
            )
        for place, (_, curve, _) in enumerate(shown):
            # Precision between two thresholds is not between their precisions: steps.
            axes.step(curve.recall, curve.precision, where="pre", **_look(place))
        if threshold is not None and len(shown) == 1:
            _point(axes, shown[0][1], threshold, "recall", "precision")
        _legend(axes, "AP", [(name, area) for name, _, area in shown])


def _smallest(curves: list[tuple[str, Any, float]], what: str) -> list[tuple[str, Any, float]]:
    """The curves that are defined; of too many, those with the smallest areas, in their order."""
    defined = [curve for curve in curves if not isnan(curve[2])]
    if not defined:
        raise error(
            "E551",
            f"there is no {what}: targets of both kinds, yes and no, are needed",
            help="evaluate on more samples",
        )
    kept = sorted(defined, key=lambda curve: curve[2])[:MOST_CURVES]
    return [curve for curve in defined if any(curve is other for other in kept)]


def _square(axes: Any, x: str, y: str, title: str = "") -> None:
    axes.set_xlim(-0.015, 1.015)
    axes.set_ylim(-0.015, 1.015)
    axes.set_aspect("equal", anchor="W")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_yticks(np.linspace(0, 1, 6))
    if title:
        axes.set_title(heading(title, axes.figure, 10, 0.8), loc="left")


def _look(place: int) -> dict[str, Any]:
    """Colour and dashes by the curve's place; the colours repeat with other dashes."""
    around, colour = divmod(place, len(SERIES))
    dashes = DASHES[around % len(DASHES)]
    return {"color": SERIES[colour], "linestyle": dashes, "linewidth": 1.4, "clip_on": False}


def _legend(axes: Any, area: str, curves: Sequence[tuple[str, float]]) -> None:
    """The curves' names and areas beside the panel, in the order of the classes."""
    size = 8.5 if len(curves) <= 8 else 7.5
    for place, (name, value) in enumerate(curves):
        look = _look(place)
        y = 1 - 0.065 * (place + 0.5)
        axes.plot(
            [1.04, 1.10],
            [y, y],
            transform=axes.transAxes,
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=look["linewidth"],
            clip_on=False,
        )
        said = f"{area} {value:.3f}"
        axes.text(
            1.12,
            y,
            f"{short_name(name)}: {said}" if name else said,
            transform=axes.transAxes,
            va="center",
            fontsize=size,
            color=INK.text,
        )


def _point(axes: Any, curve: Any, threshold: float, x: str, y: str) -> None:
    """A dot where answers from the threshold on are yes."""
    at = int(np.searchsorted(-curve.thresholds, -threshold, side="right")) - 1
    place = float(getattr(curve, x)[at]), float(getattr(curve, y)[at])
    axes.plot(
        *[[p] for p in place],
        "o",
        color=BLUE,
        markersize=6,
        markeredgecolor=INK.background,
        markeredgewidth=1.0,
        zorder=4,
        clip_on=False,
    )
    axes.annotate(
        f"threshold {threshold:g}",
        place,
        xytext=(8 if place[0] < 0.6 else -8, -9 if place[1] > 0.2 else 9),
        textcoords="offset points",
        ha="left" if place[0] < 0.6 else "right",
        va="center",
        fontsize=8,
        color=INK.soft_text,
    )
