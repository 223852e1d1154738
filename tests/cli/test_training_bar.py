"""The bar of a training run: on terminals only, and what it shows."""

import io
import re

import pytest
from rich.console import Console

from netc.runtime.training.progress import PlainProgress
from netc.training_bar import TrainingBar, training_progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_pipes_get_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar needs a terminal, and one that can go back over what it wrote."""
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(training_progress(io.StringIO()), PlainProgress)
    assert isinstance(training_progress(Terminal()), TrainingBar)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(training_progress(Terminal()), PlainProgress)


def run(bar: TrainingBar) -> None:
    """Two epochs of three steps."""
    bar.start(epochs=2, steps=3)
    for epoch in (1, 2):
        for _ in range(3):
            bar.advance(loss=0.5, samples=64, lr=0.125, metrics={"accuracy": 0.75})
        bar.epoch({"epoch": epoch, "loss": 0.5, "val_loss": 0.25, "lr": 0.125, "seconds": 1.0})
    bar.say("best: epoch 2 [val_loss 0.25]")
    bar.finish()


def test_epochs_stay_above_the_bar() -> None:
    """Each epoch leaves a line, and so does whatever is said, brackets and all."""
    stream = io.StringIO()
    run(TrainingBar(Console(file=stream, force_terminal=True, width=120, color_system=None)))
    text = stream.getvalue()
    assert "epoch 1/2  loss 0.5000  val_loss 0.2500  lr 0.125" in text
    assert "epoch 2/2  loss 0.5000  val_loss 0.2500  lr 0.125" in text
    assert "best: epoch 2 [val_loss 0.25]" in text


def test_the_bar_shows_where_it_stands() -> None:
    """Epoch, loss, metrics, learning rate and what is left stand beside the bar."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, color_system=None)
    bar = TrainingBar(console)
    bar.start(epochs=2, steps=3)
    for _ in range(4):
        bar.advance(loss=0.5, samples=64, lr=0.125, metrics={"accuracy": 0.75})
    bar.refresh()
    bar.finish()
    text = stream.getvalue()
    for part in ("epoch 2/2", "loss 0.5000", "accuracy 0.7500", "lr 0.125", "/s", "left"):
        assert part in text


def test_a_bar_that_never_started_can_finish() -> None:
    """A run that fails before its first step ends without a second mistake."""
    stream = io.StringIO()
    TrainingBar(Console(file=stream, force_terminal=True, width=80)).finish()
    assert "epoch" not in stream.getvalue()


@pytest.mark.parametrize("columns", [30, 40, 60, 80])
def test_narrow_terminals(columns: int) -> None:
    """Values that have no room are left out whole, the loss last; lines break between values."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=columns, color_system=None)
    bar = TrainingBar(console)
    bar.start(epochs=200, steps=3)
    for _ in range(4):
        bar.advance(loss=0.5, samples=64, lr=0.125, metrics={"accuracy": 0.75})
    bar.refresh()
    bar.epoch({"epoch": 1, "loss": 0.5, "val_loss": 0.25, "val_accuracy": 0.5, "lr": 0.125})
    bar.finish()
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).replace("\r", "\n")
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert max(map(len, text.split("\n"))) <= columns
    for part in (
        "loss 0.5000",
        "epoch   1/200",
        "val_loss 0.2500",
        "val_accuracy 0.5000",
        "lr 0.125",
    ):
        assert part in text
