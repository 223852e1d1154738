"""What follows a run's progress: a progress bar, and the files of its folder."""

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec

from ..plots.training_curves import draw_history
from ..run_folder.folder import CURVES, HISTORY, WEIGHTS
from ..run_folder.history import Epoch, History
from ..weights.files import save_weights
from .loop import Feeds, Listener, Loop, Progress
from .progress import TrainingProgress
from .run import Run, facts_of


class Reporter(Listener):
    """Passes on to a progress bar what it shows.

    Args:
        bar: The progress bar.
        loop: The run.
        steps: How many steps an epoch has.
        every: After how many epochs there is a line; there is one for the last in any case.
    """

    def __init__(self, bar: TrainingProgress, loop: Loop, steps: int, *, every: int = 1) -> None:
        self.bar = bar
        self.loop = loop
        self.every = every
        progress = loop.progress
        bar.start(
            epochs=loop.settings.epochs, steps=steps, epoch=progress.epoch, step=progress.batch
        )

    def on_step(self, progress: Progress, feeds: Feeds, results: Feeds) -> None:
        """Show the mean loss of the epoch so far."""
        self.bar.advance(
            loss=progress.loss / progress.samples,
            samples=len(next(iter(feeds.values()))),
            lr=float(feeds["lr"]),
        )

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> None:
        """Show what the epoch came to, and why training ends."""
        stopping = self.loop.stopping
        last = stopping.stopped or row.epoch >= self.loop.settings.epochs
        if last or row.epoch % self.every == 0:
            self.bar.epoch(row.values())
        if stopping.stopped:
            self.bar.say(
                f"no better `{stopping.monitor}` for {stopping.waited} epochs:"
                f" epoch {stopping.best_epoch} was the best"
            )


class HistoryFiles(Listener):
    """Writes the history of a run after each epoch, as CSV and as JSON.

    Args:
        loop: The run.
        folder: Where the files go.
    """

    def __init__(self, loop: Loop, folder: str) -> None:
        self.loop = loop
        self.folder = folder

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> None:
        """Write what all epochs came to."""
        write_history(self.loop.history, self.folder)


def write_history(history: History, folder: str) -> None:
    """Write a history as `history.csv` and `history.json`.

    Raises:
        NetError: E004.
    """
    for suffix in (".csv", ".json"):
        history.save(os.path.join(folder, HISTORY + suffix))


def write_results(run: Run, folder: str) -> list[str]:
    """Write the weights, the history and the curves of a finished run, and what it came to.

    Returns:
        The files' paths. Curves are left out where matplotlib is not installed.

    Raises:
        NetError: E004, a file cannot be written.
    """
    paths = [os.path.join(folder, WEIGHTS)]
    save_weights(paths[0], run.state)
    write_history(run.history, folder)
    replace(facts_of(run.job), results=_results(run)).save(folder)
    if len(run.history) and find_spec("matplotlib") is not None:  # last: pictures lose no results
        paths.append(os.path.join(folder, CURVES))
        draw_history(run.history, paths[-1], title=run.job.graph.name)
    return paths


def _results(run: Run) -> Mapping[str, object]:
    """How a run ended, as JSON."""
    test = {name: value if value == value else None for name, value in run.test.items()}
    return {"epochs": len(run.history), "best_epoch": run.best_epoch, "test": test}
