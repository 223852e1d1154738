"""Curves of runs, alone and over each other."""

from pathlib import Path

import numpy as np
import pytest
from support.figures import Figures

import netc
from netc import show
from netc.records import History, Run
from netc.runtime.plots.canvas import SERIES
from netc.runtime.run_folder.history import Epoch

Trained = tuple[netc.Network, Run]


def history(epochs: int, *, worse: float = 0.0) -> History:
    """A run without randomness."""
    return History(
        Epoch(e, e, 1 / e + worse, 2 / e, {"accuracy": 1 - 1 / (e + 1), "val_accuracy": 0.5})
        for e in range(1, epochs + 1)
    )


def test_one_run(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """A run is drawn as training draws it."""
    _, run = digits
    show.history(run, tmp_path / "h.svg")
    assert figures[-1]._suptitle.get_text() == "Digits"
    assert figures.axes.get_ylabel() == "loss"


def test_runs_over_each_other(figures: Figures, tmp_path: Path) -> None:
    """Each run has a colour, its name at the end of its validation curve, and its own epochs."""
    runs = {"plain": history(4), "longer": history(6, worse=0.5)}
    show.history(runs, tmp_path / "h.png")
    losses, accuracies = figures[-1].axes
    for axes, columns in (
        (losses, ("loss", "val_loss")),
        (accuracies, ("accuracy", "val_accuracy")),
    ):
        lines = iter(axes.lines)
        for run, colour in zip(runs.values(), SERIES, strict=False):
            for column, dashed in zip(columns, (True, False), strict=True):
                line = next(lines)
                np.testing.assert_array_equal(line.get_ydata(), run.column(column))
                np.testing.assert_array_equal(line.get_xdata(), run.column("epoch"))
                assert line.get_color() == colour
                assert line.is_dashed() == dashed
        assert {text.get_text() for text in axes.texts} == {"plain", "longer"}


def test_folders_and_files(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """Folders and files of histories are read; equal names are numbered."""
    net, run = digits
    net.train(output=tmp_path / "run", epochs=1)
    file = tmp_path / "run" / "history.csv"
    show.history([tmp_path / "run", file, run, run], tmp_path / "h.svg")
    named = {text.get_text() for text in figures.axes.texts}
    assert named == {"run", "run 2", "Digits", "Digits 2"}


def test_no_history(tmp_path: Path) -> None:
    """A folder without a history, one without epochs and an unknown metric are errors."""
    with pytest.raises(netc.NetError, match="holds no history of a run"):
        show.history(tmp_path, tmp_path / "h.svg")
    with pytest.raises(netc.NetError, match="no epochs recorded"):
        show.history([history(2), History()], tmp_path / "h.svg")
    with pytest.raises(netc.NetError, match="the history has no column `f1`"):
        show.history([history(2), history(3)], tmp_path / "h.svg", metrics=["f1"])
    assert list(tmp_path.iterdir()) == []
