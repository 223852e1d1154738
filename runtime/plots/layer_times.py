"""The times of layers -> a picture: a bar for each, forward and backward."""

from collections.abc import Sequence
from typing import NamedTuple

from ...grammar.diagnostics import error
from .canvas import BLUE, INK, ORANGE, PictureFile, canvas, heading, short_name

MOST_BARS = 40  # layers; of more, those that take longest
BAR_HEIGHT, AROUND = 0.19, 1.0  # inches
SERIES = (("forward", BLUE), ("backward and update", ORANGE))


class Bar(NamedTuple):
    """A layer: its name, its times in seconds, and what is written beside it."""

    name: str
    forward: float
    backward: float
    note: str


def draw_layer_times(bars: Sequence[Bar], file: PictureFile) -> None:
    """Draw how long each layer takes, the first one above.

    Args:
        bars: The layers.
        file: Where the picture goes.

    Raises:
        NetError: E566, there is no layer; E505, E503, E004 as `canvas` raises.
    """
    if not bars:
        raise error("E566", "there is no layer whose time could be drawn")
    shown = sorted(bars, key=lambda bar: -bar.forward - bar.backward)[:MOST_BARS]
    shown = [bar for bar in bars if bar in shown]
    left_out = len(bars) - len(shown)
    with canvas(file, [BAR_HEIGHT * len(shown) + AROUND]) as figure:
        (axes,) = figure.axes
        places = range(len(shown))
        starts = [0.0] * len(shown)
        for place, (name, colour) in enumerate(SERIES):
            widths = [1e3 * (bar.forward, bar.backward)[place] for bar in shown]
            if any(widths):
                axes.barh(places, widths, left=starts, color=colour, height=0.72, label=name)
            starts = [start + width for start, width in zip(starts, widths, strict=True)]
        axes.set_yticks(places, [short_name(bar.name) for bar in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(0, max(starts) * 1.16 or 1)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("ms" + (f"; {left_out} shorter layers are left out" if left_out else ""))
        if file.title:
            axes.set_title(heading(file.title, figure, 10, 0.7))
        for place, end, bar in zip(places, starts, shown, strict=True):
            axes.annotate(
                bar.note,
                (end, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=INK.soft_text,
            )
        if any(bar.backward for bar in shown):
            figure.legend(loc="outside lower right", ncols=len(SERIES), frameon=False)
