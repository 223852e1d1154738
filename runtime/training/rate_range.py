"""A job of training -> the losses of a few steps whose learning rate rises: which rate to take."""

from dataclasses import dataclass, replace
from itertools import islice
from os import PathLike, fspath

import numpy as np

from ...compiler.training.objective import LOSS
from ...compiler.training.optimizers import MOMENTUM
from ...grammar.diagnostics import error
from ..plots.canvas import PictureFile
from ..plots.rate_range import draw_rate_range
from .job import Job
from .run import first_state
from .stepper import Stepper, scalars

LOWEST, HIGHEST = 1e-6, 10.0
STEPS = 100
SMOOTHING = 0.9  # how much of the mean loss stays from step to step
TOO_HIGH = 4.0  # times the least mean loss, where the test ends
ROWS = 13  # of the table
UNSURE = 0.1  # share of the steps in which the mean is of too few losses to show a fall
LEAST_FALL = 0.02  # of the first mean loss, below which no rate is suggested


@dataclass(frozen=True, slots=True)
class RateRange:
    """The results of a learning-rate range test (Smith 2015, section 3.3).

    Attributes:
        rates: The learning rate of each step, rising by the same factor.
        losses: The loss before each step.
        smoothed: Their moving average, corrected as Adam's is.
        suggestion: The rate at which that falls fastest; None where it does not fall.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float | None

    def __repr__(self) -> str:
        ends = f"{self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        return f"<RateRange of {len(self.rates)} rates, {ends}: {self.advice()}>"

    def __str__(self) -> str:
        lines = ["    lr      loss", *map(_line, self.table()), self.advice()]
        return "\n".join(lines)

    def draw(self, path: str | PathLike[str], *, title: str | None = None) -> None:
        """Draw losses over learning rates, and mark the suggestion.

        Raises:
            NetError: matplotlib is not installed, or the file cannot be written.
        """
        found = (self.rates, self.losses, self.smoothed, self.suggestion)
        draw_rate_range(*found, PictureFile(fspath(path), title or ""))

    def advice(self) -> str:
        """Which rate to take, in words."""
        if self.suggestion is None:
            return "no learning rate makes the loss fall: see `netc sanity`"
        return f"the loss falls fastest at lr = {self.suggestion:.2g}"

    def table(self) -> list[tuple[float, float]]:
        """Some of the rates, evenly spaced, with their mean losses."""
        places = np.unique(np.linspace(0, len(self.rates) - 1, ROWS).round().astype(int))
        return [(self.rates[place], self.smoothed[place]) for place in places]


def find_rate(
    job: Job, *, low: float = LOWEST, high: float = HIGHEST, steps: int = STEPS
) -> RateRange:
    """Train from the first weights with a rate that rises from step to step.

    It ends where the mean loss is four times the least one, or is not finite. The schedule is left
    out, and each step takes one batch.

    Args:
        job: What is trained; nothing is written.
        low: The first rate.
        high: The last one.
        steps: How many steps there are at most.

    Raises:
        NetError: Data, network and recipe do not fit together; E125, the rates are no range.
    """
    if not (0 < low < high < float("inf")) or steps < 2:
        help = "such as `low=1e-6, high=10, steps=100`"
        raise error(
            "E125",
            "a range of learning rates goes from a positive number to a larger one",
            help=help,
        )
    job = replace(job, recipe=replace(job.recipe, accumulate=1, ema=None), folder=None)
    job.check_batches()
    stepper = Stepper(job.step, first_state(job), engine=job.engine, device=job.device)
    momentum = float(job.recipe.optimizer.arguments.get(MOMENTUM, 0.0))
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    for number, feeds in enumerate(islice(job.training.endless(), steps)):
        given = scalars(job.step.graph, number, rates[number], momentum)
        results = stepper.advance({**feeds, **given})
        loss = float(results[LOSS])
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        average = mean / (1 - SMOOTHING ** (number + 1))
        if not np.isfinite(loss) or average > TOO_HIGH * min([*smoothed, average]):
            break
        losses.append(loss)
        smoothed.append(average)
    taken = tuple(map(float, rates[: len(losses)]))
    return RateRange(taken, tuple(losses), tuple(smoothed), suggested(taken, smoothed))


def suggested(rates: tuple[float, ...], smoothed: list[float]) -> float | None:
    """The rate at which mean losses fall fastest, by its logarithm, on the way to the least.

    The first means are of few losses, and noise moves them more than any rate does.
    """
    first = int(UNSURE * len(smoothed))
    rates, smoothed = rates[first:], smoothed[first:]
    if len(smoothed) < 3:
        return None
    least = int(np.argmin(smoothed))
    if smoothed[0] - smoothed[least] <= LEAST_FALL * abs(smoothed[0]):
        return None
    slopes = np.gradient(np.asarray(smoothed), np.log(rates))
    return rates[int(np.argmin(slopes[: least + 1]))]


def _line(row: tuple[float, float]) -> str:
    return f"{row[0]:8.2e}  {row[1]:.4g}"
