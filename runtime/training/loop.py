"""The training loop: steps, validation, stopping early, checkpoints, resuming."""

import math
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from ..feeding.prefetch import prefetched
from ..feeding.samples import batch_size, own_arrays
from ..kerneldef import Array
from ..metrics.of_outputs import OutputMetrics
from ..ranks.team import ALONE, Team
from ..run_folder.checkpoint import Checkpoint, save_checkpoint
from ..run_folder.history import Epoch, History
from .early_stopping import EarlyStopping
from .stepper import Stepper, scalars

Feeds = Mapping[str, Array]
Report = Mapping[str, float]
LOSS = "loss"
SECONDS_BETWEEN_CHECKPOINTS = 30.0


class Part(Protocol):
    """A part of a data set, in batches that an engine can be fed with."""

    def batches(self, epoch: int, start: int = 0) -> Iterator[Feeds]:
        """The batches of an epoch from batch `start` on, in the epoch's order."""
        ...


class Callback:
    """What follows a run, such as a progress bar or a log; this one does nothing.

    A step or an epoch that is answered with True is the last one: the run ends as if it had no
    more epochs, and can be resumed. An exception ends it, too, and reaches the caller as it is.
    Arrays belong to the run; copy what is kept, and change none.
    """

    def on_start(self, history: History) -> None:
        """A run begins, or continues after these epochs; the history grows with it."""

    def on_step(self, progress: "Progress", feeds: Feeds, results: Feeds) -> bool | None:
        """A step was taken.

        Args:
            progress: Where the run stands after it.
            feeds: What it was taken on: inputs and targets, (N, ...), and `lr`, `momentum`, `step`,
                which are `train:lr` and so on where the network takes these names.
            results: `loss`, and the network's outputs, (N, ...), by name.
        """

    def on_epoch(self, progress: "Progress", row: Epoch, best: bool) -> bool | None:
        """An epoch ended, and was saved if the run has a folder.

        Args:
            progress: Where the run stands after it.
            row: Its results.
            best: Whether it is the best so far.
        """

    def on_end(self) -> None:
        """The run ended, whether well or not."""


@dataclass(slots=True)
class Progress:
    """Where a run stands between two steps.

    Attributes:
        epoch, batch: The epoch and its batch that come next, from 0.
        step: How many steps have been taken.
        loss, samples: The sum of the losses of this epoch's samples so far, and their number.
        seconds: How long this epoch has taken so far.
        done: Whether the run has ended, early or not.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    samples: int = 0
    seconds: float = 0.0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is driven.

    Attributes:
        epochs: How often the training part is gone through.
        rates: The number of a step, from 0, and what is monitored of the epochs before it, to
            learning rate and momentum.
        diagnose: What a step was fed with, state included, whose loss is not finite, to an error.
        validate: State to losses and metrics, `loss` among them; None for no validation.
        weights: The names of the parameters and buffers, which the best epoch keeps.
        metrics: What is measured of the batches of an epoch while they are trained on; None for
            nothing.
        checkpoint: The file that is written, if any, and `every` how many seconds.
        at_once: Whether one is written before the first step, which nothing else could begin from.
        recipe, environment, preprocess: What checkpoints hold besides; see `Checkpoint`.
    """

    epochs: int
    rates: Callable[[int, tuple[float, ...]], tuple[float, float]]
    diagnose: Callable[[Feeds, "Progress"], Exception]
    validate: Callable[[Mapping[str, Array]], Report] | None
    weights: Collection[str]
    metrics: OutputMetrics | None = None
    checkpoint: str | None = None
    every: float = SECONDS_BETWEEN_CHECKPOINTS
    at_once: bool = False
    recipe: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    preprocess: Mapping[str, Array] = field(default_factory=dict)


@dataclass(eq=False)
class Loop:
    """A run of training, from where it stands to its end.

    Attributes:
        stepper: The engine, with the state to start from.
        part: The training part.
        settings: How it is driven.
        stopping: Which epoch is the best, and when to stop.
        history: The results of the epochs.
        callbacks: What follows it, called in turn.
        progress: Where it stands.
        monitored: What decides which epoch is best, of each epoch that has it.
        best: The weights of the best epoch so far.
        team: The ranks that train together; all of them come here in the same order.
    """

    stepper: Stepper
    part: Part
    settings: Settings
    stopping: EarlyStopping
    history: History = field(default_factory=History)
    callbacks: Sequence[Callback] = ()
    progress: Progress = field(default_factory=Progress)
    monitored: tuple[float, ...] = ()
    best: dict[str, Array] = field(default_factory=dict)
    team: Team = ALONE
    _saved: float = 0.0
    _clock: float = 0.0

    @property
    def weights(self) -> dict[str, Array]:
        """The weights as they are measured and kept, by name."""
        return self.stepper.step.averaged(self.stepper.state, self.settings.weights)

    def run(self) -> None:
        """Train to the end.

        Raises:
            NetError: The loss is not finite (E542), or a checkpoint cannot be written (E004).
            KeyboardInterrupt: Ctrl-C was pressed; the step was finished and the run saved.
        """
        self._saved = self._clock = time.monotonic()
        if self.settings.at_once and not self.progress.step:
            self.save()
        with ExitStack() as ending, interruption() as asked:
            for callback in self.callbacks:
                ending.callback(callback.on_end)
            for callback in self.callbacks:
                callback.on_start(self.history)
            while not self.progress.done and self.progress.epoch < self.settings.epochs:
                self._epoch(asked)
        self.progress.done = True
        self.save()

    def save(self) -> None:
        """Write a checkpoint, if there is a file for it.

        Raises:
            NetError: The weights are not finite (E542), or it cannot be written (E004): the
                checkpoint before it stays.
        """
        self._check_weights()
        self._pool_metrics()
        self._count_time()
        self._saved = time.monotonic()
        if self.settings.checkpoint is not None:
            save_checkpoint(self.settings.checkpoint, self._checkpoint())

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint; the stepper was opened with its state."""
        progress: dict[str, Any] = dict(checkpoint.progress)
        self.stopping.restore(progress.pop("stopping"))
        self.history.rows = [Epoch.of(values) for values in progress.pop("history")]
        for row in self.history.rows:
            self._follow(row)
        self.progress = Progress(**progress)
        self.best = dict(checkpoint.best)
        if self.settings.metrics is not None and self.team.rank == 0:  # who has what all gathered
            self.settings.metrics.restore(checkpoint.measured)
        if self.progress.epoch < self.settings.epochs and not self.stopping.stopped:
            self.progress.done = False  # there are more epochs to go than there were

    def _check_weights(self) -> None:
        """Refuse to keep weights that the last step has made infinite or NaN."""
        state, progress = self.stepper.state, self.progress
        weights = {name: state[name] for name in self.settings.weights}
        if not all(np.isfinite(a).all() for a in weights.values() if a.dtype.kind == "f"):
            raise self.settings.diagnose(weights, progress)

    def _checkpoint(self) -> Checkpoint:
        metrics = self.settings.metrics
        return Checkpoint(
            state=self.stepper.state,
            preprocess=self.settings.preprocess,
            best=self.best,
            progress={
                **asdict(self.progress),
                "stopping": self.stopping.state(),
                "history": [row.values() for row in self.history.rows],
            },
            recipe=self.settings.recipe,
            environment=self.settings.environment,
            measured=metrics.state() if metrics is not None and self.progress.batch else {},
        )

    def _epoch(self, asked: threading.Event) -> None:
        """The rest of an epoch, its validation, and what follows from that."""
        progress = self.progress
        with closing(prefetched(self.part.batches(progress.epoch, progress.batch))) as batches:
            for feeds in batches:
                last = self._step(feeds)
                late = time.monotonic() - self._saved > self.settings.every
                stop, progress.done, due = self.team.any(asked.is_set(), last, late)
                if stop:
                    self.save()
                    raise KeyboardInterrupt
                if progress.done:
                    return
                if due:
                    self.save()
        row = self.team.share(self._row())
        self.history.append(row)
        best = self.stopping.update(row.epoch, row.values())
        self._follow(row)
        if best:
            self.best = self.weights
        self.progress = Progress(progress.epoch + 1, step=progress.step, done=self.stopping.stopped)
        self.save()  # before callbacks are notified, which may fail to print
        answers = [callback.on_epoch(self.progress, row, best) for callback in self.callbacks]
        stop, last = self.team.any(asked.is_set(), _is_last(answers))
        self.progress.done |= last
        if stop:
            raise KeyboardInterrupt

    def _step(self, feeds: Feeds) -> bool:
        """Take a step; whether it is the last one."""
        progress = self.progress
        rate, momentum = self.settings.rates(progress.step, self.monitored)
        own = scalars(self.stepper.step.graph, progress.step, rate, momentum)
        given: dict[str, Array] = {**feeds, **own}
        results = self.stepper.advance(given)
        loss = float(results[LOSS])
        if not math.isfinite(loss):
            self.stepper.undo()
            raise self._diagnosed({**given, **self.stepper.state}, own=own_arrays(feeds))
        samples = batch_size(feeds)
        progress.loss += loss * samples
        progress.samples += samples
        progress.step += 1
        progress.batch += 1
        if self.settings.metrics is not None and (own := own_arrays(feeds)):
            self.settings.metrics.update(results, own)
        return _is_last([each.on_step(progress, given, results) for each in self.callbacks])

    def _diagnosed(self, given: Feeds, *, own: Feeds) -> Exception:
        """What the rank says whose samples made the loss other than finite."""
        found = self.settings.diagnose(given, self.progress) if own else None
        failures = [failure for failure in self.team.gather(found) if failure is not None]
        return max(failures, key=lambda failure: len(str(failure)))  # it names the operator

    def _pool_metrics(self) -> None:
        """Leave what all ranks have gathered of an epoch with the first, which saves it."""
        metrics = self.settings.metrics
        if metrics is not None and self.progress.batch and self.team.size > 1:
            metrics.pool(self.team)
            if self.team.rank:
                metrics.reset()

    def _row(self) -> Epoch:
        """The epoch's results."""
        progress = self.progress
        rate, momentum = self.settings.rates(max(progress.step - 1, 0), self.monitored)
        loss = progress.loss / max(progress.samples, 1)
        found = {} if self.settings.validate is None else self.settings.validate(self.weights)
        measured: dict[str, float | None] = {}
        if self.settings.metrics is not None:
            self.settings.metrics.pool(self.team)
            measured |= self.settings.metrics.values()
            self.settings.metrics.reset()
        measured |= {f"val_{name}": value for name, value in found.items() if name != LOSS}
        self._count_time()
        return Epoch(
            epoch=progress.epoch + 1,
            step=progress.step,
            loss=loss,
            val_loss=found.get(LOSS),
            metrics=measured,
            lr=rate,
            momentum=momentum,
            seconds=progress.seconds,
        )

    def _follow(self, row: Epoch) -> None:
        """Take note of what schedules may look at."""
        value = row.values().get(self.stopping.monitor)
        self.monitored += () if value is None else (value,)

    def _count_time(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self._clock = now


def _is_last(answers: Sequence[object]) -> bool:
    """Whether a callback answered with True, Python's or NumPy's."""
    return any(isinstance(answer, bool | np.bool_) and bool(answer) for answer in answers)


@contextmanager
def interruption() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, in place of an exception in the middle of a step.

    A second Ctrl-C ends at once. Outside of the main thread signals are not for us, and where
    Ctrl-C is ignored, as in a shell's background, it stays so.
    """
    asked = threading.Event()
    usual = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread()
    if not ours or not callable(usual):
        yield asked
        return

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, usual)
