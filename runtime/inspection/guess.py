"""A job of training -> what its task says of a guess, which its curves are measured by."""

import numpy as np

from ...compiler.training.optimizers import OPTIMIZERS
from ...grammar.diagnostics import NetError
from ..training.job import Job
from ..training.trends import Known
from .expected_loss import guessed_loss
from .samples import some

SAMPLES = 1000  # which say well enough how targets scatter


def known_of(job: Job) -> Known:
    """The loss and the accuracy of an answer that knows nothing, and the optimizer's own rate."""
    objective, wiring = job.recipe.objective, job.wiring
    try:
        guess = guessed_loss(job.graph, objective, wiring, some(job, SAMPLES))
    except NetError:  # of data that are gone, or damaged
        guess = float("nan")
    defaults = OPTIMIZERS[job.recipe.optimizer.name].signature.defaults
    return Known(
        guess=guess if np.isfinite(guess) and guess > 0 else None,
        chance=_chance(job),
        usual_rate=defaults["lr"],
    )


def _chance(job: Job) -> float | None:
    """How often the most frequent class is right; None without classes of samples."""
    labels = job.data.labels()
    if labels is None or not len(job.split.train):
        return None
    _, counts = np.unique(labels[job.split.train], return_counts=True)
    return float(counts.max() / counts.sum())
