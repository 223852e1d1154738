"""What follows a run from Python: steps, epochs, an end ahead of time, logs, failures."""

import csv
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import netc as command
from support.refusals import refusal

import netc
from netc.callbacks import Callback, Epoch, History, HistoryFile, Progress, TensorBoard
from netc.runtime.kerneldef import Array
from netc.runtime.run_folder.folder import CHECKPOINT, WEIGHTS

EPOCHS, STEPS = 4, 3
NET = f"INPUT(4) -> FC(2)\ntrain {{ batch = 8, epochs = {EPOCHS}, split = (0.6, 0.2, 0.2) }}"


def data() -> tuple[Array, Array]:
    """40 samples, of which 24 are trained on: 3 steps in each epoch."""
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64)


def train(*callbacks: Any, **options: Any) -> Any:
    """A run of the network with callbacks."""
    return netc.compile(NET).train(data(), callbacks=callbacks, **options)


class Told(Callback):
    """Keeps what it is told, and ends or breaks the run after a step."""

    def __init__(self, *, last: int | None = None, broken: int | None = None) -> None:
        self.told: list[Any] = []
        self.last, self.broken = last, broken

    def on_start(self, history: History) -> None:
        """Keep how much is done."""
        self.told.append(f"start after {len(history)}")

    def on_step(self, progress: Progress, feeds: Any, results: Any) -> bool:
        """Keep the step's number."""
        self.told.append(progress.step)
        assert len(feeds["input"]) == len(results["output"]) == 8
        assert math.isfinite(float(results["loss"]))
        if progress.step == self.broken:
            raise ZeroDivisionError("mine")
        return progress.step == self.last

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> None:
        """Keep what stands where."""
        self.told.append((progress.epoch, row.epoch, row.step))

    def on_end(self) -> None:
        """Keep that it ended."""
        self.told.append("end")


def test_a_callback_is_told_in_order() -> None:
    """Start, every step, every epoch after its steps, end; nothing of it changes the run."""
    told = Told()
    run = train(told)
    expected: list[Any] = ["start after 0"]
    for epoch in range(1, EPOCHS + 1):
        expected += [*range((epoch - 1) * STEPS + 1, epoch * STEPS + 1)]
        expected += [(epoch, epoch, epoch * STEPS)]
    assert told.told == [*expected, "end"]
    alone = train()
    assert all(np.array_equal(run.state[name], alone.state[name]) for name in alone.state)
    assert not run.stopped


def test_beside_a_monitor() -> None:
    """`net.watch` calls them, too, after the monitor."""
    watched = netc.compile(NET).watch(data(), callbacks=[lambda row: row.epoch == 2])
    assert len(watched.run.history) == 2
    assert {signal.epoch for signal in watched.records.signals} == {1, 2}


@pytest.mark.parametrize("true", [True, np.True_])
def test_a_function_is_called_with_each_epoch(true: Any) -> None:
    """It gets the row of the history; True, from NumPy as well, ends the run."""
    rows: list[Epoch] = []

    def follow(row: Epoch) -> Any:
        rows.append(row)
        return true if row.epoch == 2 else "anything else"

    run = train(follow)
    assert rows == run.history.rows
    assert [row.epoch for row in rows] == [1, 2]
    assert run.stopped


def test_a_step_may_be_the_last(tmp_path: Path) -> None:
    """The run ends there with the best weights so far, and goes on from there to the same end."""
    told = Told(last=4)
    run = train(told, output=tmp_path / "run")
    assert told.told[-2:] == [4, "end"]
    assert (len(run.history), run.stopped, run.best_epoch) == (1, True, 1)
    assert (tmp_path / "run" / WEIGHTS).exists()
    again = Told()
    whole = train(again, output=tmp_path / "run", resume=True)
    assert again.told[:2] == ["start after 1", 5]
    alone = train()
    assert all(np.array_equal(whole.last[name], alone.last[name]) for name in alone.last)
    assert not whole.stopped


@pytest.mark.parametrize("broken", [1, STEPS, STEPS + 1])
def test_an_exception_is_the_callers(tmp_path: Path, broken: int) -> None:
    """It arrives as it was raised; every file is whole, and the run can go on."""
    folder, told, other = tmp_path / "run", Told(broken=broken), Told()
    with pytest.raises(ZeroDivisionError, match=r"^mine$"):
        train(told, other, output=folder)
    assert told.told[-1] == other.told[-1] == "end"
    files = {file.name for file in folder.iterdir()}
    assert not {name for name in files if name.startswith(".netc-")}
    assert WEIGHTS not in files
    assert (CHECKPOINT in files) == (broken > STEPS)
    if broken > STEPS:
        assert len(History.read(str(folder / "history.csv"))) == 1
    whole, alone = train(output=folder, resume=True), train()
    assert all(np.array_equal(whole.last[name], alone.last[name]) for name in alone.last)


def test_an_epochs_exception_comes_after_its_files(tmp_path: Path) -> None:
    """A function that fails after an epoch leaves the epoch's checkpoint and history."""

    def fail(row: Epoch) -> None:
        raise LookupError(row.epoch)

    with pytest.raises(LookupError, match="1"):
        train(fail, output=tmp_path)
    assert len(History.read(str(tmp_path / "history.json"))) == 1
    assert (tmp_path / CHECKPOINT).exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([3], "`int` is neither a function nor a `netc.callbacks.Callback`"),
        ([HistoryFile], "`HistoryFile` is neither a function nor a `netc.callbacks.Callback`"),
        (print, "`callbacks` is a list, not `builtin_function_or_method`"),
    ],
    ids=str,
)
def test_what_is_no_callback(tmp_path: Path, given: Any, message: str) -> None:
    """It is refused before the run's folder is made."""
    with pytest.raises(netc.NetError, match="E125") as failure:
        netc.compile(NET).train(data(), callbacks=given, output=tmp_path / "run")
    assert message in str(failure.value)
    assert list(tmp_path.iterdir()) == []


def test_history_file(tmp_path: Path) -> None:
    """The history is on disk after each epoch, as CSV or JSON, those before a resumption too."""
    file = tmp_path / "log.csv"
    counts: list[int] = []

    def count(row: Epoch) -> bool:
        with file.open(newline="") as lines:
            counts.append(len(list(csv.DictReader(lines))))
        return row.epoch == 2

    run = train(HistoryFile(file), count, output=tmp_path / "run")
    assert counts == [1, 2]
    assert History.read(str(file)).rows == run.history.rows
    run = train(HistoryFile(file), output=tmp_path / "run", resume=True)
    assert History.read(str(file)).rows == run.history.rows
    with pytest.raises(netc.NetError, match="E505"):
        HistoryFile("log.txt")
    with pytest.raises(netc.NetError, match="E004"):
        train(HistoryFile(tmp_path / "no" / "log.csv"))


def written(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard itself reads: by tag, steps and numbers."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs `tensorboard`"
    )
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    make: Callable[[Any], Any] = sys.modules["tensorboard.util.tensor_util"].make_ndarray
    return {
        tag: [(event.step, float(make(event.tensor_proto))) for event in found.Tensors(tag)]
        for tag in found.Tags()["tensors"]
    }


@pytest.mark.extra
def test_tensorboard(tmp_path: Path) -> None:
    """Each epoch's numbers stand under tags of their own, a batch's loss where it is asked for."""
    pytest.importorskip("tensorboard")
    run = train(TensorBoard(tmp_path / "logs", every=2))
    found = written(tmp_path / "logs")
    pairs = {
        "loss/train": "loss",
        "loss/validation": "val_loss",
        "accuracy/train": "accuracy",
        "accuracy/validation": "val_accuracy",
        **{name: name for name in ("lr", "momentum", "seconds")},
    }
    assert set(found) == {*pairs, "loss/batch"}
    for tag, column in pairs.items():
        expected = np.array(run.history.column(column), np.float32).tolist()
        assert found[tag] == list(enumerate(expected, start=1))
    assert [step for step, _ in found["loss/batch"]] == [2, 4, 6, 8, 10, 12]


@pytest.mark.extra
def test_tensorboard_on_the_command_line(tmp_path: Path) -> None:
    """`--tensorboard DIR` writes there; a folder that cannot be made is an error."""
    pytest.importorskip("tensorboard")
    net = tmp_path / "net.net"
    net.write_text("INPUT(8x8) -> FC(10)\ntrain { data = digits, epochs = 2, batch = all }")
    outcome = command("train", "net.net", "--tensorboard", "logs", cwd=tmp_path).ok()
    assert [step for step, _ in written(tmp_path / "logs")["accuracy/validation"]] == [1, 2]
    outcome = command("train", "net.net", "--tensorboard", "net.net", "--force", cwd=tmp_path)
    assert outcome.status == 1
    assert outcome.err.splitlines()[-2] == "error[E004]: cannot write `net.net`: file exists"


def test_without_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is an error that names the extra, and no steps are no interval."""
    with pytest.raises(netc.NetError, match="E125"):
        TensorBoard("logs", every=0)
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    assert refusal(TensorBoard, "logs") == (
        "error[E528]: event files are written by tensorboard, which is not installed\n"
        "  = help: install the extra `tensorboard`: `pip install 'netc[tensorboard]'`"
    )
