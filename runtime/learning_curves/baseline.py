"""A job of training -> what its task says of a guess, which its curves are measured by."""

import numpy as np

from ...compiler.training.optimizers import OPTIMIZERS
from ...grammar.diagnostics import NetError
from ..kerneldef import Array
from ..sanity.guessed_loss import guessed_loss
from ..training.job import Job
from .trends import RunContext

ENOUGH_SAMPLES = 1000  # which say well enough how targets scatter


def known_of(job: Job) -> RunContext:
    """The loss and the accuracy of an answer that knows nothing, and the optimizer's own rate."""
    objective, wiring = job.objective, job.wiring
    try:
        feeds = job.sample_feeds(ENOUGH_SAMPLES)
        guess = guessed_loss(job.graph, objective, wiring, feeds)
    except NetError:  # of data that are gone, or damaged
        feeds, guess = {}, float("nan")
    targets = [feeds[target.name] for target in wiring.targets.values() if feeds]
    defaults = OPTIMIZERS[job.recipe.optimizer.name].defaults
    return RunContext(
        guess=guess if np.isfinite(guess) and guess > 0 else None,
        chance=_chance(job),
        usual_rate=defaults["lr"],
        constant=_are_constant(job, targets),
        penalised=bool(objective.regularize),
        numbers=objective.is_of_numbers,
        samples=len(job.part("validation")),
    )


def _chance(job: Job) -> float | None:
    """How often the most frequent class is right; None without classes of samples."""
    labels = job.labels
    if labels is None or not len(job.split.train):
        return None
    _, counts = np.unique(labels[job.split.train], return_counts=True)
    return float(counts.max() / counts.sum())


def _are_constant(job: Job, targets: list[Array]) -> bool:
    """Whether the targets of all training samples, of which these are all or some, are the same."""
    labels, train = job.labels, job.split.train
    if labels is not None:
        return len(np.unique(labels[train])) == 1
    known = 1 < len(train) <= ENOUGH_SAMPLES
    return known and bool(targets) and all(bool((t == t[:1]).all()) for t in targets)
