"""Histories of runs -> a picture of their curves: losses, metrics, the learning rate by epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ..kerneldef import Array
from ..metrics.definitions import VALIDATION
from ..run_folder.history import History, Measured
from .canvas import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SERIES,
    PictureFile,
    canvas,
    drawable,
    label_ends,
    plain_log,
    short_name,
    whole_numbers,
)

HEIGHTS = {"loss": 2.3, "metric": 1.8, "rate": 1.1}  # inches
MOST_PANELS = 3  # of metrics, where none are chosen
WIDE_RANGE = 20.0  # a loss that falls to less than 1/20 is shown on a logarithmic scale


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of a panel."""

    name: str
    colour: str
    values: Sequence[Measured]
    style: Any = "-"
    width: float = 1.6

    @property
    def array(self) -> Array:
        """The values, NaN where there is none."""
        found = np.array([np.nan if v is None else v for v in self.values], np.float64)
        found[~np.isfinite(found)] = np.nan
        return found


def draw_history(
    history: History,
    file: PictureFile,
    *,
    metrics: Sequence[str] | None = None,
) -> None:
    """Draw the curves of a run.

    Args:
        history: Its epochs.
        file: Where the picture goes.
        metrics: Which metrics get a panel, named without `val_`; by default the first three.

    Raises:
        NetError: E551, there is no epoch or no such metric; E505, E503, E004 as `canvas` raises.
    """
    if not len(history):
        raise error("E551", "no epochs recorded", help="train for at least one epoch")
    names = history.metrics[:MOST_PANELS] if metrics is None else tuple(metrics)
    panels = _panels(history, names)
    heights = [HEIGHTS["loss"], *[HEIGHTS["metric"]] * len(names)]
    heights += [HEIGHTS["rate"]] * (len(panels) - len(heights))
    epochs = [row.epoch for row in history.rows]
    best = history.best()
    with canvas(file, heights) as figure:
        file.entitle(figure, size=10.5)
        for axes, (label, lines) in zip(figure.axes, panels, strict=True):
            _draw_lines(axes, epochs, lines)
            _scale(axes, label, lines)
        whole_numbers(figure.axes[-1].xaxis)
        figure.axes[-1].set_xlabel("epoch")
        beyond = 0.02 * (epochs[-1] - epochs[0]) or 1.0
        figure.axes[-1].set_xlim(epochs[0] - beyond, epochs[-1] + beyond)
        if best is not None and len(epochs) > 1:
            _mark(figure.axes, panels, epochs, best.epoch)
        _name_lines(figure, panels)


def draw_histories(
    histories: Mapping[str, History],
    file: PictureFile,
    *,
    metrics: Sequence[str] | None = None,
) -> None:
    """Draw the curves of several runs over each other, a colour for each run.

    Args:
        histories: Their epochs, by the name that the picture calls each run.
        file: Where the picture goes.
        metrics: Which metrics get a panel, named without `val_`; by default the first three.

    Raises:
        NetError: E551, a run has no epoch, or no run has such a metric; E505, E503, E004 as
            `canvas` raises.
    """
    if not histories or not all(map(len, histories.values())):
        raise error("E551", "no epochs recorded", help="train for at least one epoch")
    known = dict.fromkeys(name for each in histories.values() for name in each.metrics)
    names = list(known)[:MOST_PANELS] if metrics is None else list(metrics)
    for name in names:
        if name not in known:
            next(iter(histories.values())).column(name)  # says that there is none
    panels = [(label, _of_runs(histories, *pair)) for label, *pair in _columns(names)]
    heights = [HEIGHTS["loss"], *[HEIGHTS["metric"]] * len(names)]
    with canvas(file, heights) as figure:
        for axes, (label, runs) in zip(figure.axes, panels, strict=True):
            for epochs, lines in runs:
                _draw_lines(axes, epochs, lines)
            _scale(axes, label, [line for _, lines in runs for line in lines])
        last = figure.axes[-1]
        whole_numbers(last.xaxis)
        last.set_xlabel("epoch (solid: validation, dashed: training)")
        _name_lines(figure, [(label, [lines[-1] for _, lines in runs]) for label, runs in panels])


RunCurves = tuple[Sequence[int], list[Curve]]


def _of_runs(histories: Mapping[str, History], train: str, validation: str) -> list[RunCurves]:
    """The lines of each run that measured a column; the last one has the run's name."""
    found: list[RunCurves] = []
    for place, (run, history) in enumerate(histories.items()):
        if not {train, validation} & {*history.columns}:
            continue
        colour = SERIES[place % len(SERIES)]
        pair = _pair(history, train, validation)
        lines = [replace(line, name="", colour=colour, width=1.1) for line in pair[:-1]]
        lines += [replace(line, name=short_name(run), colour=colour) for line in pair[-1:]]
        if lines:
            found.append(([row.epoch for row in history.rows], lines))
    return found


def _columns(metrics: Sequence[str]) -> list[tuple[str, str, str]]:
    """The title, the training column and the validation column of each panel."""
    pairs = [("loss", "loss", "val_loss")]
    pairs += [(name, name, VALIDATION + name) for name in metrics]
    return [(title(label), train, validation) for label, train, validation in pairs]


def _panels(history: History, metrics: Sequence[str]) -> list[tuple[str, list[Curve]]]:
    """The label and the lines of each panel."""
    panels = [(label, _pair(history, train, val)) for label, train, val in _columns(metrics)]
    rate = Curve("", GREEN, history.column("lr"))
    if np.isfinite(rate.array).any():
        panels.append(("learning rate", [rate]))
    return panels


def _pair(history: History, train: str, validation: str) -> list[Curve]:
    """The lines of training and validation, as far as they were measured."""
    columns = history.columns
    if train not in columns and validation not in columns:
        history.column(train)  # says that there is none
    pair = [
        Curve("training", BLUE, history.column(train) if train in columns else [], (0, (4, 1.6))),
        Curve("validation", ORANGE, history.column(validation) if validation in columns else []),
    ]
    measured = [line for line in pair if np.isfinite(line.array).any()]
    if len(measured) == 1 and measured[0].name == "training":
        return [Curve("training", BLUE, measured[0].values)]
    return measured


# Metrics whose names are not words.
_TITLES = {
    "average_precision": "average precision",
    "box_iou": "box IoU",
    "f1": "F1",
    "iou": "mean IoU",
    "mae": "mean absolute error",
    "r2": "R²",
    "rmse": "root mean square error",
    "roc_auc": "area under ROC",
}


def title(name: str) -> str:
    """A metric's name for readers."""
    output, _, metric = name.rpartition(".")
    shown = _TITLES.get(metric, metric.replace("_", " "))
    return drawable(f"{output}: {shown}" if output else shown)


def _draw_lines(axes: Any, epochs: Sequence[int], lines: Sequence[Curve]) -> None:
    """Lines; single epochs, and those between gaps, are points."""
    for line in lines:
        y = line.array
        axes.plot(epochs, y, color=line.colour, linestyle=line.style, linewidth=line.width)
        known = np.isfinite(y)
        beside = np.append(False, known[:-1]) | np.append(known[1:], False)
        alone = known & ~beside
        if alone.any():
            axes.plot(np.array(epochs)[alone], y[alone], "o", color=line.colour, markersize=4)


def _scale(axes: Any, label: str, lines: Sequence[Curve]) -> None:
    """The y-axis of a panel, which is logarithmic for losses and rates that fall far."""
    axes.set_ylabel(label)
    values = np.concatenate([line.array for line in lines]) if lines else np.zeros(0)
    values = values[np.isfinite(values)]
    if _is_wide(label, values):
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    elif label == "learning rate":
        top = values.max() if values.size else 1.0
        axes.set_ylim(0, 1.15 * top or 1.0)
    axes.grid(axis="x", visible=False)


def _is_wide(label: str, values: Array) -> bool:
    """Whether a panel needs a logarithmic scale; a rate that falls in a straight line does not."""
    if not values.size or values.min() <= 0:
        return False
    if label == "learning rate":
        return bool(np.median(values) * WIDE_RANGE / 2 <= values.max())
    return label == "loss" and bool(values.max() > WIDE_RANGE * values.min())


def _mark(
    panels: Sequence[Any],
    contents: Sequence[tuple[str, list[Curve]]],
    epochs: Sequence[int],
    best: int,
) -> None:
    """A thin line through all panels at the best epoch, a dot on each curve that was judged."""
    at = list(epochs).index(best)
    for axes, (_, lines) in zip(panels, contents, strict=True):
        axes.axvline(best, color=INK.soft_text, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
        line = lines[-1] if lines else None
        if line is not None and np.isfinite(line.array[at]) and line.name:
            axes.plot(
                [best],
                [line.array[at]],
                "o",
                color=line.colour,
                markersize=5,
                markeredgecolor=INK.background,
                markeredgewidth=1.0,
                zorder=4,
            )
    left = at > 0.75 * (len(epochs) - 1)
    panels[0].annotate(
        f"best: epoch {best}",
        (best, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if left else 4, -2),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        color=INK.soft_text,
        fontsize=8,
    )


def _name_lines(figure: Any, contents: Sequence[tuple[str, list[Curve]]]) -> None:
    """Names at the ends of the lines, once the layout stands; it then makes room for them."""
    figure.align_ylabels()
    figure.draw_without_rendering()
    for axes, (_, lines) in zip(figure.axes, contents, strict=True):
        ends = []
        for line in lines:
            known = line.array[np.isfinite(line.array)]
            if known.size and line.name:
                ends.append((float(known[-1]), line.name, line.colour))
        label_ends(axes, ends)
