"""Curves of a run -> what the validation loss says beside the training loss.

High variance is a validation loss that stays far above the training loss, or rises while that falls
(Ng, Machine Learning Yearning, 2018, chapters 20 to 32). What chance explains, by the standard
errors of the validation part, is not a finding.
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from .bias import CLOSE_BY, HIGH, STILL
from .findings import Finding, said
from .trends import Curves, ends, gain_at_end, noise, smooth, third

RISE = 0.05  # a validation loss that rises by this share of its best value overfits
FALL = 0.05  # a training loss that falls by this share meanwhile still falls
HARDLY_CHANCE = 2.0  # standard errors, beyond which a difference is hardly chance

MORE_DATA = "regularize (l2, DROPOUT), augment or gather more data"


@dataclass(frozen=True, slots=True)
class _Rise:
    """A validation loss that rises while the training loss falls.

    Attributes:
        since: The epoch of the best validation loss.
        best, last: The validation loss there, and at the end.
        train, now: The training loss there, and at the end.
    """

    since: int
    best: float
    last: float
    train: float
    now: float


def _rise(curves: Curves) -> _Rise | None:
    """The rise of the validation loss from its best epoch on, where there is one."""
    if not curves.validated:
        return None
    known = np.isfinite(curves.validation)
    losses, train = smooth(curves.validation[known]), smooth(curves.train)[known]
    at = int(np.argmin(losses))
    after = losses[at:]
    if len(after) < 3:
        return None
    best, last = float(losses[at]), float(np.median(after[-3:]))
    now, then = float(np.median(train[-3:])), float(train[at])
    scatter = 2.0 * float(np.median(np.abs(np.diff(curves.validation[known]))))
    if last - best <= max(RISE * abs(best), scatter) or then - now < FALL * abs(then):
        return None
    return _Rise(int(curves.epochs[known][at]), best, last, then, now)


def overfitting(curves: Curves) -> Finding | None:
    """A validation loss that rises after its best epoch while the training loss falls."""
    rise = _rise(curves)
    if rise is None or rise.last - rise.best <= HARDLY_CHANCE * curves.known.rise_error:
        return None
    return Finding(
        "overfitting",
        f"overfitting since epoch {rise.since}: the validation loss rises from {said(rise.best)} to"
        f" {said(rise.last)} while the training loss falls from {said(rise.train)} to"
        f" {said(rise.now)}",
        f"{MORE_DATA}, or stop early",
        rise.since,
        {
            "best_validation": rise.best,
            "last_validation": rise.last,
            "training_then": rise.train,
            "training_now": rise.now,
        },
    )


def high_variance(curves: Curves) -> Finding | None:
    """A training loss that is low, and a validation loss that stays far above it."""
    if not curves.validated:
        return None
    train, validation = ends(curves)
    gap = validation - train
    if train > HIGH * curves.guess or gap <= CLOSE_BY * curves.guess or validation < 2 * train:
        return None
    if gap <= HARDLY_CHANCE * curves.known.end_error:
        return None
    return Finding(
        "high_variance",
        f"high variance: the training loss is {said(train)}, the validation loss"
        f" {said(validation)}",
        f"{MORE_DATA}, or use a smaller model; check that both parts come from the same source",
        None,
        {"training": train, "validation": validation, "guess": curves.guess},
    )


def uncertain(curves: Curves) -> Finding | None:
    """A validation loss that rises by no more than the few samples of its part explain."""
    rise, error = _rise(curves), curves.known.rise_error
    if rise is None or rise.last - rise.best > HARDLY_CHANCE * error:
        return None
    return Finding(
        "uncertain",
        f"no clear overfitting: the validation loss rises from {said(rise.best)} in epoch"
        f" {rise.since} to {said(rise.last)}, but with {_samples(curves.known.samples)} this"
        + (f" has a standard error of {said(error)}" if isfinite(error) else " may be chance"),
        "validate on more samples to be sure",
        rise.since,
        {"best_validation": rise.best, "last_validation": rise.last, "standard_error": error},
    )


def _samples(count: int) -> str:
    return f"{count} validation sample{'s' * (count != 1)}"


def improving(curves: Curves) -> Finding | None:
    """A validation loss (without any, a training loss) that was still falling at the end."""
    losses = curves.validation[np.isfinite(curves.validation)]
    losses = losses if curves.validated else curves.train
    gain = gain_at_end(losses)
    if gain < max(2.5 * STILL, noise(losses)) or int(np.argmin(smooth(losses))) < len(losses) - 2:
        return None
    what = "validation" if curves.validated else "training"
    return Finding(
        "improving",
        f"still improving: the last {third(losses)} epochs brought {gain:.0%} of the whole fall of"
        f" the {what} loss",
        "train longer",
        None,
        {"gain": gain, "last": float(losses[-1])},
    )
