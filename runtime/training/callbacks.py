"""What follows a run: functions, a progress bar, and the files of its folder."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from ...compiler.ir.scalars import scalar_name
from ...grammar.diagnostics import error
from ..feeding.samples import batch_size
from ..plots.canvas import PictureFile
from ..plots.training_curves import draw_history
from ..run_folder.folder import CURVES, HISTORY, WEIGHTS
from ..run_folder.history import HISTORY_SUFFIXES, Epoch, History
from ..weights.files import save_weights
from .loop import Callback, Feeds, Loop, Progress
from .progress import TrainingProgress
from .run import Run, facts_of


class Reporter(Callback):
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
            samples=batch_size(feeds),
            lr=float(feeds[scalar_name(self.loop.stepper.step.graph, "lr")]),
        )

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> None:
        """Show the epoch's results, and why training ends."""
        stopping = self.loop.stopping
        last = stopping.stopped or row.epoch >= self.loop.settings.epochs
        if last or row.epoch % self.every == 0:
            self.bar.epoch(row.values())
        if stopping.stopped:
            self.bar.say(
                f"no better `{stopping.monitor}` for {stopping.waited} epochs:"
                f" epoch {stopping.best_epoch} was the best"
            )

    def on_end(self) -> None:
        """Take the bar away."""
        self.bar.finish()


class HistoryFile(Callback):
    """Writes the results of all epochs after each of them, whole or not at all.

    Args:
        path: A `.csv` or `.json` file.

    Raises:
        NetError: E505, the suffix is another one; while training, E004.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        History.check_suffix(self.path)
        self._history = History()

    def __repr__(self) -> str:
        return f"HistoryFile({self.path!r})"

    def on_start(self, history: History) -> None:
        """Follow a history."""
        self._history = history

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> None:
        """Write it."""
        self._history.save(self.path)


class EachEpoch(Callback):
    """Calls a function with the results of each epoch."""

    def __init__(self, function: Callable[[Epoch], bool | None]) -> None:
        self.function = function

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> bool | None:
        """Call it."""
        return self.function(row)


def callbacks_of(given: Any) -> list[Callback]:
    """Callbacks from Python: objects, and functions of an epoch.

    Raises:
        NetError: E125, one of them is neither.
    """
    if given is None:
        return []
    if not isinstance(given, list | tuple):
        message = f"`callbacks` is a list, not `{type(given).__name__}`"
        raise error("E125", message, help="write `callbacks=[...]`")
    return [_callback(each) for each in given]


def _callback(given: Any) -> Callback:
    if isinstance(given, Callback):
        return given
    if callable(given) and not isinstance(given, type):
        return EachEpoch(given)  # what it returns besides True makes no difference
    what = given if isinstance(given, type) else type(given)
    message = f"`{what.__name__}` is neither a function nor a `netc.callbacks.Callback`"
    is_class = isinstance(given, type) and issubclass(given, Callback)
    create = f"create one: `{what.__name__}(...)`"
    raise error("E125", message, help=create if is_class else "give a function")


def history_files(folder: str) -> list[str]:
    """The paths of a run's history."""
    return [os.path.join(folder, HISTORY + suffix) for suffix in HISTORY_SUFFIXES]


def write_results(run: Run, folder: str) -> list[str]:
    """Write the weights, the history and the curves of a finished run, and its results.

    Returns:
        The files' paths. Curves are left out where matplotlib is not installed.

    Raises:
        NetError: E004, a file cannot be written.
    """
    paths = [os.path.join(folder, WEIGHTS)]
    save_weights(paths[0], run.state)
    for path in history_files(folder):
        run.history.save(path)
    replace(facts_of(run.job), results=_results(run)).save(folder)
    if len(run.history) and find_spec("matplotlib") is not None:  # last: pictures lose no results
        paths.append(os.path.join(folder, CURVES))
        draw_history(run.history, PictureFile(paths[-1], run.job.graph.name))
    return paths


def _results(run: Run) -> Mapping[str, object]:
    """How a run ended, as JSON."""
    test = {name: value if value == value else None for name, value in run.test.items()}
    return {"epochs": len(run.history), "best_epoch": run.best_epoch, "test": test}
