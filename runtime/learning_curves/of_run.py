"""A run -> what its curves say, where the few samples of its validation part suffice."""

from dataclasses import replace
from math import ceil, inf, sqrt

import numpy as np

from ...grammar.diagnostics import NetError
from ..kerneldef import Array
from ..training.run import Run
from .baseline import known_of
from .diagnosis import read_history
from .findings import Finding

LOSS_GROUPS = 64  # of validation samples, whose losses give the standard error of the mean
ON_SAMPLES = ("overfitting", "high_variance")  # findings that chance among samples may make


def read_run(run: Run) -> tuple[Finding, ...]:
    """What a run's curves say, by all that its task and its validation samples show.

    Where the curves alone say that the network does worse on validation samples, the losses of
    these are compared, with the weights of the best epoch and the last: a rise that few of them
    decide has a standard error as large as itself.
    """
    known = known_of(run.job)
    found = read_history(run.history, known)
    if not any(finding.kind in ON_SAMPLES for finding in found):
        return found
    try:
        rise, end = _errors(run)
    except NetError:  # of data that are gone, or damaged
        return found
    return read_history(run.history, replace(known, rise_error=rise, end_error=end))


def _errors(run: Run) -> tuple[float, float]:
    """The standard errors of the rise of the validation loss since its best epoch, and of its end.

    Where epochs were compared by something else, the weights of that epoch are gone, and the error
    at the end stands for that of the rise.
    """
    part = run.job.part("validation")
    size = ceil(len(part) / LOSS_GROUPS)
    counts = np.array([min(size, len(part) - start) for start in range(0, len(part), size)])
    last = run.job.evaluator.losses(run.last, part.still(size))
    end = standard_error(last, counts)
    best = run.history.best("val_loss")
    if best is None or best.epoch != run.best_epoch:
        return end, end
    return standard_error(last - run.job.evaluator.losses(run.state, part.still(size)), counts), end


def standard_error(values: Array, counts: Array) -> float:
    """The standard error of the mean of groups of samples, by each group's mean and size."""
    if len(values) < 2:
        return inf
    shares = counts / counts.sum()
    squares = (shares * (values - shares @ values)) ** 2
    return sqrt(float(squares.sum()) * len(values) / (len(values) - 1))
