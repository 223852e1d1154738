"""How far a run is and how long it will take -> plain lines; a terminal's bar says the same.

The bar itself is drawn by `netc.training_bar`, where rich may enter.
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import IO

Clock = Callable[[], float]
EpochValues = Mapping[str, float | None]

EVERY = 30.0  # seconds between two lines within a long epoch
HALF_LIFE = 20.0  # seconds after which a measured speed counts half


class TrainingProgress:
    """What follows a run's progress; this one says nothing."""

    def start(self, *, epochs: int, steps: int, epoch: int = 0, step: int = 0) -> None:
        """A run begins or continues.

        Args:
            epochs: How many epochs there will be.
            steps: How many steps an epoch has.
            epoch: How many epochs were done before, in a resumed run.
            step: How many steps of the next epoch were.
        """

    def advance(
        self,
        *,
        loss: float,
        samples: int,
        lr: float | None = None,
        metrics: EpochValues | None = None,
    ) -> None:
        """A step was taken.

        Args:
            loss: The mean training loss of the epoch so far.
            samples: How many samples its batch had.
            lr: The learning rate.
            metrics: Metrics of the epoch so far.
        """

    def epoch(self, values: EpochValues) -> None:
        """An epoch ended.

        Args:
            values: Its columns, such as in `Epoch.values()`.
        """

    def say(self, text: str) -> None:
        """Something else is worth a line, such as why training stops."""

    def finish(self) -> None:
        """The run ended, whether well or not."""


class Pace:
    """Where a run stands, how fast it goes, and how long the rest will take.

    The speed is that of the last half minute or so, old steps counting ever less. Time between
    the steps, such as validation, counts as well.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.epochs = self.steps = 0
        self.done = self.total = 0  # steps
        self._clock = clock
        self._begun = self._last = 0.0
        self._seconds = self._counted = self._samples = 0.0

    def start(self, *, epochs: int, steps: int, epoch: int, step: int) -> None:
        """A run begins or continues."""
        self.epochs, self.steps = epochs, max(steps, 1)
        self.total = epochs * self.steps
        self.done = epoch * self.steps + step
        self._begun = self._last = self._clock()
        self._seconds = self._counted = self._samples = 0.0

    def advance(self, samples: int) -> None:
        """A step was taken."""
        now = self._clock()
        passed, self._last = max(now - self._last, 0.0), now
        kept = 0.5 ** (passed / HALF_LIFE)
        self._seconds = kept * self._seconds + passed
        self._counted = kept * self._counted + 1
        self._samples = kept * self._samples + samples
        self.done += 1

    @property
    def current(self) -> int:
        """The number of the epoch that the last step was in, from 1."""
        return max(-(-self.done // self.steps), 1) if self.steps else 1

    @property
    def within(self) -> int:
        """How many steps of that epoch were taken."""
        return self.done - (self.current - 1) * self.steps

    @property
    def speed(self) -> float | None:
        """Samples in a second; None before anything was measured."""
        return self._samples / self._seconds if self._seconds > 0 else None

    @property
    def elapsed(self) -> float:
        """Seconds since the run began or went on."""
        return self._clock() - self._begun

    @property
    def remaining(self) -> float | None:
        """Seconds until the last step; None before anything was measured."""
        if not self._counted:
            return None
        return max(self.total - self.done, 0) * self._seconds / self._counted


class PlainProgress(TrainingProgress):
    """A line for each epoch, and one every half minute within a long one, for pipes and logs.

    Args:
        stream: Where to; standard error by default, so that standard output stays the result's.
        clock: Yields the seconds.
        every: Seconds between two lines within an epoch; None for none.
    """

    def __init__(
        self,
        stream: IO[str] | None = None,
        clock: Clock = time.monotonic,
        every: float | None = EVERY,
    ) -> None:
        self.pace = Pace(clock)
        self._stream = stream
        self._clock = clock
        self._every = every
        self._said = 0.0

    def start(self, *, epochs: int, steps: int, epoch: int = 0, step: int = 0) -> None:
        """A run begins or continues."""
        self.pace.start(epochs=epochs, steps=steps, epoch=epoch, step=step)
        self._said = self._clock()

    def advance(
        self,
        *,
        loss: float,
        samples: int,
        lr: float | None = None,
        metrics: EpochValues | None = None,
    ) -> None:
        """A step was taken."""
        self.pace.advance(samples)
        if self._every is None or self._clock() - self._said < self._every:
            return
        pace = self.pace
        if pace.within < pace.steps:  # the epoch's own line follows at once otherwise
            step = f"step {pace.within:,}/{pace.steps:,}"
            self.say(line([self._epoch(), step], {"loss": loss, **(metrics or {}), "lr": lr}, pace))

    def epoch(self, values: EpochValues) -> None:
        """An epoch ended."""
        number = values.get("epoch")
        head = self._epoch(None if number is None else int(number))
        self.say(line([head], values, self.pace))

    def say(self, text: str) -> None:
        """A line; a log that is full ends no run, a reader that has left does."""
        try:
            print(text, file=sys.stderr if self._stream is None else self._stream, flush=True)
        except BrokenPipeError:
            raise
        except OSError:
            pass
        self._said = self._clock()

    def _epoch(self, number: int | None = None) -> str:
        width = len(str(self.pace.epochs))
        return f"epoch {number or self.pace.current:>{width}}/{self.pace.epochs}"


# Columns of an epoch that a line does not repeat, or says in other words.
UNSAID = ("epoch", "step", "momentum", "seconds")


def line(head: list[str], values: EpochValues, pace: Pace) -> str:
    """A line about an epoch or a step: `epoch 3/40  loss 0.1234  lr 0.1  2,345/s  1:05 left`.

    After the last step, it says what has elapsed instead.
    """
    parts = [*head, *texts(values)]
    if pace.speed is not None:
        parts.append(f"{pace.speed:,.0f}/s" if pace.speed >= 10 else f"{pace.speed:.2g}/s")
    if pace.remaining and pace.done < pace.total:
        parts.append(f"{duration(pace.remaining)} left")
    if pace.done >= pace.total:
        parts.append(f"{duration(pace.elapsed)} elapsed")
    return "  ".join(parts)


def texts(values: EpochValues) -> list[str]:
    """Losses, metrics and the learning rate, each with its name; what is None is left out."""
    return [
        f"{name} {number(value, rate=name == 'lr')}"
        for name, value in values.items()
        if value is not None and name not in UNSAID
    ]


def number(value: float, *, rate: bool = False) -> str:
    """A number in a steady width: four digits behind the point, or an exponent."""
    if rate:
        return f"{value:.3g}"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"


def duration(seconds: float) -> str:
    """Seconds as `0:07`, `1:05` or `2:01:09`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
