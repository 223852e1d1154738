"""A job of training -> whether its learning rate is too low for the loss to fall during the run."""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..training.job import Job
from .first_steps import FIRST_STEPS, Steps, first_steps
from .subject import Subject

FACTORS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)  # by which the learning rate is raised
TOO_LITTLE = 0.015  # of the loss: a run that brings it down by less is too slow
MUCH = 0.2  # of the loss, by which a raised rate must bring it down in a few steps
HIGH = 0.5  # of a guess's loss, above which a loss should fall
MOST_STEPS = 1000  # steps whose learning rates are looked at


@dataclass(frozen=True, slots=True)
class Slowness:
    """What a run that is too slow would reach.

    Attributes:
        before: The loss at first, on the same samples as all the others.
        fall: How far the first steps of the recipe bring it down.
        factor: How many times the learning rate brings it down well.
        faster: The loss after as many steps with that.
        steps: How many steps the run has.
        expected: How far they would bring the loss down, at the pace of the first ones.
    """

    before: float
    fall: float
    factor: int
    faster: float
    steps: int
    expected: float


def slowness(subject: Subject, found: Steps, guess: float) -> Slowness | None:
    """How slow a run is; None where its loss falls, or has no need to, or no rate makes it fall.

    While steps are small, the loss falls in proportion to the sum of the learning rates, by which
    warm-up is accounted for. The fall is measured on samples that stay the same, without chance,
    and at the raised rates as well, where it stands out from rounding.

    Args:
        subject: The run.
        found: The results of the first steps of its recipe.
        guess: The loss of the best constant answer.
    """
    steps = subject.job.recipe.epochs * subject.job.training.steps
    before = subject.loss(subject.graph, subject.state)
    if steps < FIRST_STEPS or not HIGH * guess < before or not isfinite(before):
        return None
    whole = _whole(subject.job, steps)
    fall = pace = before - subject.loss(subject.graph, found.state)
    for factor in FACTORS:
        if not whole * pace < TOO_LITTLE * before:
            return None
        raised = first_steps(subject.job, subject.stepper, subject.state, factor=factor)
        after = subject.loss(subject.graph, raised.state)
        pace = max(pace, (before - after) / factor)
        if before - after > MUCH * before and whole * pace < TOO_LITTLE * before:
            return Slowness(before, fall, factor, after, steps, whole * max(pace, 0.0))
    return None


def _whole(job: Job, steps: int) -> float:
    """The sum of a run's learning rates, as a multiple of that of its first steps."""
    every = np.unique(np.linspace(0, steps - 1, min(steps, MOST_STEPS)).astype(int))
    rates, first = _rates(job, every), _rates(job, range(min(FIRST_STEPS, steps)))
    return float(np.mean(rates) * steps / np.sum(first)) if np.sum(first) > 0 else float("inf")


def _rates(job: Job, steps: "range | np.ndarray[tuple[int], np.dtype[np.int_]]") -> list[float]:
    per_epoch = job.training.steps
    return [job.recipe.rates(int(step), steps_per_epoch=per_epoch)[0] for step in steps]
