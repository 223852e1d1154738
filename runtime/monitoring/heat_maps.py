"""What a monitor recorded -> a picture: a row for each layer, a column for each epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ..kerneldef import Array
from ..plots.canvas import INK, PictureFile, canvas, drawable, plain_log, shades, whole_numbers
from .records import Change, Records, Signal

ROW = 0.17  # inches for a layer
REST = 0.55  # inches for a panel's title and ticks
MAP_WIDTH = 6.4


@dataclass(frozen=True, slots=True)
class Panel:
    """A measure of layers or parameters.

    Attributes:
        title: What it shows.
        rows: Which rows it is read from.
        value: The measure of a row; None where the row has none.
        scale: `log`, or `linear` from 0 to 1.
    """

    title: str
    rows: Callable[[Records], Sequence[Any]]
    value: Callable[[Any], float | None]
    scale: str = "log"


def _signals(records: Records) -> Sequence[Signal]:
    return records.signals


def _weights(records: Records) -> Sequence[Change]:
    return [change for change in records.changes if change.name.endswith(".weight")]


PANELS = (
    Panel("activations: deviation", _signals, lambda row: row.deviation),
    Panel(
        "RELU: dead units; TANH, SIGMOID: saturated",
        _signals,
        lambda row: row.saturated if row.dead is None else row.dead,
        "linear",
    ),
    Panel("gradients: norm, relative to the weight's", _weights, lambda row: row.relative),
    Panel("updates: norm, relative to the weight's", _weights, lambda row: row.update),
)


def draw_records(records: Records, file: PictureFile) -> None:
    """Draw what each layer did, epoch by epoch, as heat maps.

    Args:
        records: What a monitor recorded.
        file: Where the picture goes.

    Raises:
        NetError: E561, nothing was recorded; E505, E503, E004 as `canvas` raises.
    """
    epochs = records.epochs
    tables = [(panel, *_table(panel, records, epochs)) for panel in PANELS]
    shown = [(panel, names, table) for panel, names, table in tables if names]
    if not shown:
        raise error("E561", "no epochs recorded", help="train for at least one epoch")
    heights = [REST + ROW * len(names) for _, names, _ in shown]
    with canvas(file, heights, width=MAP_WIDTH) as figure:
        if file.title:
            figure.suptitle(drawable(file.title), fontsize=10.5, x=0.02, ha="left")
        for axes, (panel, names, table) in zip(figure.axes, shown, strict=True):
            _plot(figure, axes, panel, names, table, epochs)
        last = figure.axes[len(shown) - 1]
        whole_numbers(last.xaxis)
        last.set_xlabel("epoch")


def _table(panel: Panel, records: Records, epochs: Sequence[int]) -> tuple[list[str], Array]:
    """The names of a panel's rows, and its values, (names, epochs), NaN where there is none."""
    values = {(row.name, row.epoch): panel.value(row) for row in panel.rows(records)}
    names = list(dict.fromkeys(name for (name, _), value in values.items() if value is not None))
    cells = [[values.get((name, epoch)) for epoch in epochs] for name in names]
    table = np.array([[np.nan if v is None else v for v in row] for row in cells], np.float64)
    return names, table.reshape(len(names), len(epochs))


def _plot(
    figure: Any, axes: Any, panel: Panel, names: Sequence[str], table: Array, epochs: Sequence[int]
) -> None:
    edges = [epochs[0] - 0.5, *(epoch + 0.5 for epoch in epochs)]
    shown = np.ma.masked_invalid(table)
    limits: dict[str, Any] = {"vmin": 0.0, "vmax": 1.0}
    if panel.scale == "log":
        shown = np.ma.masked_less_equal(shown, 0.0)
        limits = {"norm": "log"} if shown.count() else {}
    mesh = axes.pcolormesh(
        edges, np.arange(len(names) + 1), shown, cmap=shades(), rasterized=True, **limits
    )
    axes.set_yticks(np.arange(len(names)) + 0.5, list(map(drawable, names)), fontsize=7)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(panel.title, loc="left")
    axes.set_facecolor(INK.cluster)  # what was not measured
    bar = figure.colorbar(mesh, ax=axes, pad=0.01, fraction=0.05)
    if "norm" in limits:
        plain_log(bar.ax.yaxis)
