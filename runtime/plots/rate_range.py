"""A learning-rate range test -> a picture of losses over learning rates."""

from collections.abc import Sequence

from .canvas import BLUE, INK, ORANGE, PLOT_WIDTH, PictureFile, canvas, heading

HEIGHT = 2.6  # inches


def draw_rate_range(
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggestion: float | None,
    file: PictureFile,
) -> None:
    """Draw the loss of each step, their mean, and the rate that is suggested.

    Args:
        rates: The learning rate of each step.
        losses: Its loss.
        smoothed: The mean of the losses so far.
        suggestion: The rate that is marked, if any.
        file: Where the picture goes.

    Raises:
        NetError: E505, E503, E004 as `canvas` raises.
    """
    with canvas(file, [HEIGHT], width=PLOT_WIDTH) as figure:
        (axes,) = figure.axes
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
        axes.set_ylim(0, 1.2 * max(smoothed))
        axes.plot(rates, losses, color=INK.cluster, linewidth=0.8)
        axes.plot(rates, smoothed, color=BLUE)
        if suggestion is not None:
            axes.axvline(suggestion, color=ORANGE, linewidth=1.0, linestyle=(0, (3, 3)))
            axes.annotate(
                f"{suggestion:.2g}",
                (suggestion, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, -2),
                textcoords="offset points",
                color=ORANGE,
                va="top",
            )
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        if file.title:
            axes.set_title(heading(file.title, figure, 10))
