"""Values of activations, with their derivatives -> a picture of their curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kerneldef import Array
from .canvas import DASHES, INK, SERIES, PictureFile, canvas, drawable, label_ends

JUMP = 0.2  # between points that are next to each other


@dataclass(frozen=True, slots=True)
class ActivationCurve:
    """An activation's curve.

    Attributes:
        name: As a program spells it.
        x, y: Its argument and its value, (P,).
        slope: Its derivative, (P,), or None where it has none.
    """

    name: str
    x: Array
    y: Array
    slope: Array | None


def draw_activations(
    curves: Sequence[ActivationCurve],
    file: PictureFile,
) -> None:
    """Draw activations above, and their derivatives below.

    Args:
        curves: The activations.
        file: Where the picture goes.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    with canvas(file, [2.5, 2.0], width=5.2) as figure:
        file.entitle(figure)
        above, below = figure.axes
        above.set_ylabel("y")
        below.set_ylabel("dy/dx")
        below.set_xlabel("x")
        below.set_xlim(float(curves[0].x[0]), float(curves[0].x[-1]))
        named: dict[str, list[tuple[float, str, str]]] = {"y": [], "slope": []}
        for place, curve in enumerate(curves):
            colour, dashes = SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]
            for axes, line in ((above, "y"), (below, "slope")):
                values = getattr(curve, line)
                if values is not None:
                    axes.plot(curve.x, _cut_at_jumps(values), color=colour, linestyle=dashes)
                    named[line].append((float(values[-1]), drawable(curve.name), colour))
        for axes in (above, below):
            axes.axhline(0, color=INK.soft_text, linewidth=0.6, zorder=1)
            axes.axvline(0, color=INK.soft_text, linewidth=0.6, zorder=1)
        figure.align_ylabels()
        figure.draw_without_rendering()
        label_ends(above, named["y"])
        label_ends(below, named["slope"])


def _cut_at_jumps(values: Array) -> Array:
    """A curve with a gap where it jumps, as STEP and the derivative of RELU do at 0."""
    cut = values.astype(np.float64)
    cut[1:][np.abs(np.diff(values)) > JUMP] = np.nan
    return cut
