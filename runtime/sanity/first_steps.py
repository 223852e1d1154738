"""A job of training -> the results of the first steps of its recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from ...compiler.training.objective import LOSS
from ..kerneldef import Array
from ..training.job import Job
from ..training.stepper import Stepper, scalars

FIRST_STEPS = 40
AVERAGED_STEPS = 10  # steps at the end whose losses are averaged
LOWER_RATES = {"a tenth": 0.1, "a hundredth": 0.01}  # of the learning rate


@dataclass(frozen=True, slots=True)
class Steps:
    """The results of some steps.

    Attributes:
        steps: How many were taken; fewer where the loss was no longer finite.
        first: The loss before the first.
        last: The mean loss of the last ones; not finite where it was no longer.
        state: The weights after the last.
    """

    steps: int
    first: float
    last: float
    state: Mapping[str, Array] = field(repr=False)


def first_steps(
    job: Job, stepper: Stepper, state: Mapping[str, Array], *, factor: float = 1.0
) -> Steps:
    """Take the first steps of a run, with its own optimizer, schedule, batches and penalties.

    Args:
        job: The run.
        stepper: What takes its steps.
        state: What it starts from.
        factor: What its learning rates are multiplied by.

    Raises:
        NetError: Data, network and recipe do not fit together.
    """
    stepper.restart(state)
    losses: list[float] = []
    for number, feeds in enumerate(islice(job.training.endless(), FIRST_STEPS)):
        rate, momentum = job.recipe.rates(number, steps_per_epoch=job.training.steps)
        given = {**feeds, **scalars(job.step.graph, number, factor * rate, momentum)}
        losses.append(float(stepper.advance(given)[LOSS]))
        if not np.isfinite(losses[-1]):
            return Steps(len(losses), losses[0], losses[-1], stepper.state)
    return Steps(len(losses), losses[0], float(np.mean(losses[-AVERAGED_STEPS:])), stepper.state)
