"""The history of a run: its columns, its files, its best epoch, and going on after a pause."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of, refusal

from netc.grammar.diagnostics import NetError
from netc.runtime.run_folder.history import Epoch, History

NAN, INF = float("nan"), float("inf")


def sample() -> History:
    """Three epochs, the second one validated to be the best."""
    losses = [(1.0, 1.1, 0.5), (0.1 + 0.2, 0.9, 0.75), (0.25, 1.5, 0.875)]
    return History(
        Epoch(
            epoch=epoch,
            step=10 * epoch,
            loss=loss,
            val_loss=val_loss,
            metrics={"accuracy": accuracy, "val_accuracy": accuracy - 0.25},
            lr=0.1,
            momentum=None,
            seconds=1.5,
        )
        for epoch, (loss, val_loss, accuracy) in enumerate(losses, start=1)
    )


def test_csv() -> None:
    """Columns in their order, numbers exact, nothing where nothing was measured."""
    assert sample().to_csv() == (
        "epoch,step,loss,val_loss,accuracy,val_accuracy,lr,momentum,seconds\n"
        "1,10,1.0,1.1,0.5,0.25,0.1,,1.5\n"
        "2,20,0.30000000000000004,0.9,0.75,0.5,0.1,,1.5\n"
        "3,30,0.25,1.5,0.875,0.625,0.1,,1.5\n"
    )


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_files_are_read_back(suffix: str, tmp_path: Path) -> None:
    """A history is the same after writing and reading, non-finite numbers included."""
    history = sample()
    history.append(Epoch(4, 40, NAN, INF, {"accuracy": -INF, "late": 1.0}, 0.1, 0.9))
    path = str(tmp_path / f"history{suffix}")
    history.save(path)
    again = History.read(path)
    assert again.to_csv() == history.to_csv()
    assert again.columns == history.columns
    assert isinstance(again.rows[0].epoch, int)
    assert again.column("late") == [None, None, None, 1.0]


def test_json_is_strict(tmp_path: Path) -> None:
    """JSON holds no NaN, which other readers refuse, and names the best epoch."""
    history = sample()
    history.append(Epoch(4, 40, NAN))
    path = tmp_path / "history.json"
    history.save(str(path))

    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    found = json.loads(path.read_text(), parse_constant=refuse)
    assert found["best_epoch"] == 2
    assert found["epochs"][3]["loss"] == "nan"
    assert found["epochs"][3]["val_loss"] is None


def test_numbers_of_numpy_are_plain(tmp_path: Path) -> None:
    """Rows of NumPy's numbers are written like Python's."""
    one: Any = np.int64(1)
    quarter: Any = np.float32(0.25)
    row = Epoch(one, 2 * one, np.float64(0.5), quarter, {"f1": np.float64(1)})
    history = History([row])
    assert history.to_csv().splitlines()[1] == "1,2,0.5,0.25,1.0,,,0.0"
    history.save(str(tmp_path / "h.json"))
    assert History.read(str(tmp_path / "h.json")).rows[0].val_loss == 0.25


@pytest.mark.parametrize(
    ("by", "epoch"),
    [(None, 2), ("loss", 3), ("val_loss", 2), ("val_accuracy", 3), ("seconds", 1)],
)
def test_best_epoch(by: str | None, epoch: int) -> None:
    """The validation loss decides, unless another column is asked for; the first of equals."""
    best = sample().best(by)
    assert best is not None
    assert best.epoch == epoch


def test_best_without_validation() -> None:
    """Without validation the training loss decides; NaN is never the best."""
    assert History().best() is None
    history = History([Epoch(1, 1, NAN), Epoch(2, 2, 3.0), Epoch(3, 3, NAN)])
    best = history.best()
    assert best is not None
    assert best.epoch == 2
    assert History([Epoch(1, 1, NAN)]).best() is None


def test_a_resumed_run_replaces_its_epochs() -> None:
    """Epochs that are done again after a pause do not stand there twice."""
    history = sample()
    history.append(Epoch(2, 20, 0.5))
    assert [row.epoch for row in history.rows] == [1, 2]
    assert history.rows[1].loss == 0.5
    history.truncate(0)
    assert len(history) == 0
    assert history.to_csv() == "epoch,step,loss,val_loss,lr,momentum,seconds\n"


def test_metrics_are_named_once() -> None:
    """A metric of both parts is one metric."""
    assert sample().metrics == ("accuracy",)


def test_unknown_columns_are_named() -> None:
    """A column that is not there is an error with the nearest name."""
    assert refusal(sample().column, "val_acc") == (
        "error[E551]: the history has no column `val_acc`\n  = help: did you mean `val_accuracy`?"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("h.csv", ""),
        ("h.csv", "epoch,step\n1\n"),
        ("h.csv", "epoch,step,loss,seconds\n1,1,x,0\n"),
        ("h.csv", "epoch,step,loss,seconds\n,1,1,0\n"),
        ("h.json", ""),
        ("h.json", "[" * 100_000),
        ("h.json", "[]"),
        ("h.json", '{"format": "netc history 1", "epochs": [1]}'),
        ("h.json", '{"format": "netc history 1", "epochs": [{"epoch": 1}]}'),
        (
            "h.json",
            '{"format": "netc history 1", "epochs":'
            ' [{"epoch": Infinity, "step": 1, "loss": 1, "seconds": 1}]}',
        ),
        ("h.json", '{"format": "other", "epochs": []}'),
    ],
)
def test_other_files_are_refused(name: str, text: str, tmp_path: Path) -> None:
    """A truncated file, or one of something else, is an error and not a short history."""
    path = tmp_path / name
    path.write_text(text)
    assert failure_of(History.read, str(path)).diagnostics[0].code == "E505"


def test_suffixes() -> None:
    """Another suffix is an error before anything is written or read."""
    with pytest.raises(NetError, match=r"is not a `\.csv` or `\.json` file"):
        sample().save("history.txt")
    with pytest.raises(NetError, match=r"is not a `\.csv` or `\.json` file"):
        History.read("history.txt")


def test_missing_files(tmp_path: Path) -> None:
    """A file that is not there, and a folder that is not, are the usual errors."""
    with pytest.raises(NetError, match="E001"):
        History.read(str(tmp_path / "none.csv"))
    with pytest.raises(NetError, match="E004"):
        sample().save(str(tmp_path / "none" / "h.csv"))
