"""A run's curves -> what they say about bias and variance, and what to do about it.

High bias is a training loss that stays high; high variance is a validation loss that stays far
above it, or rises while it falls (Ng, Machine Learning Yearning, 2018, chapters 20 to 32). Every
finding names the numbers that it rests on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

import numpy as np

from ..kerneldef import Array
from .history import History
from .trends import (
    FEWEST,
    Curves,
    Known,
    Losses,
    as_losses,
    ends,
    first_finite,
    gain_at_end,
    noise,
    smooth,
    steady,
    swing,
)

Kind = Literal[
    "diverged",
    "oscillating",
    "overfitting",
    "high_variance",
    "not_learning",
    "underfitting",
    "plateau",
    "improving",
    "fine",
]

HIGH = 0.5  # a training loss above this share of a guess's is high
CLOSE = 0.15  # validation within this share of the guess's loss above training is close to it
RISE = 0.05  # a validation loss that rises by this share of its best value overfits
FALL = 0.05  # a training loss that falls by this share meanwhile still falls
GROWTH = 1.5  # a training loss that ends at this multiple of its start diverges
AT_GUESS = 0.05  # a training loss within this share of a guess's knows nothing
MOSTLY_WRONG = 0.5  # of a guess's wrong answers, below which a network does not underfit
JUMPY = 0.02  # a loss that moves by less than this share of its level moves smoothly
STILL = 0.02  # less than this share of the gain, in the last third, is a plateau
DONE = 0.05  # a training loss below this share of a guess's has nowhere to fall
SWING = 0.10  # moves by this share of the loss's level swing
TURNS = 0.5  # as many of the moves as reverse the one before


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the curves say.

    Attributes:
        kind: What it is.
        message: What is seen, with its numbers.
        advice: What to try, or nothing.
        since: The epoch from which on it is seen, where there is one.
        numbers: What it rests on, by name.
    """

    kind: Kind
    message: str
    advice: str
    since: int | None
    numbers: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.message}; {self.advice}" if self.advice else self.message

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON has it; numbers that are not finite are texts."""
        numbers = {k: v if isfinite(v) else repr(v) for k, v in self.numbers.items()}
        own = {"kind": self.kind, "message": self.message, "advice": self.advice}
        return {**own, "since": self.since, "numbers": numbers}


UNKNOWN = Known()


def read_history(history: History, known: Known = UNKNOWN) -> tuple[Finding, ...]:
    """What a run's losses say.

    Args:
        history: Its epochs.
        known: What the task says; without a guess's loss, that of the first epoch stands for it.

    Returns:
        The findings, the gravest first; `fine` alone where there is nothing to say; nothing for
        fewer than `FEWEST` epochs that are finite.
    """
    return read_curves(
        history.column("loss"),
        history.column("val_loss"),
        epochs=[row.epoch for row in history.rows],
        known=known,
        accuracy=history.column("val_accuracy") if "val_accuracy" in history.columns else (),
        rates=history.column("lr"),
    )


def read_curves(
    train: Losses,
    validation: Losses = (),
    *,
    epochs: Sequence[int] | None = None,
    known: Known = UNKNOWN,
    accuracy: Losses = (),
    rates: Losses = (),
) -> tuple[Finding, ...]:
    """What curves of losses say.

    Args:
        train: The training loss of each epoch.
        validation: The validation loss of each epoch, None where it was not measured; or nothing.
        epochs: The numbers of the epochs; from 1 where they are left out.
        known: What the task says of a guess, and of learning rates.
        accuracy: The validation accuracy of each epoch, None where it was not measured.
        rates: The learning rate at the end of each epoch.
    """
    losses = as_losses(train)
    curves = Curves(
        epochs=np.arange(1, len(losses) + 1) if epochs is None else np.asarray(epochs),
        train=losses,
        validation=as_losses(validation) if len(validation) else np.full(len(losses), np.nan),
        guess=known.guess if known.guess is not None else first_finite(losses),
        certain=known.guess is not None,
        wrong=_wrong(as_losses(accuracy), known.chance),
        raisable=_raisable(as_losses(rates), known.usual_rate),
    )
    if (broken := _broken(curves)) is not None:
        return (broken,)
    if len(losses) < FEWEST:
        return ()
    found = [finding for read in READINGS if (finding := read(curves)) is not None]
    kinds = {finding.kind for finding in found}
    kept = [f for f in found if not any(graver in kinds for graver in _INSTEAD.get(f.kind, ()))]
    return tuple(kept) or (_fine(curves),)


def _wrong(accuracy: Array, chance: float | None) -> float:
    """The share of wrong answers in the last epochs, as a share of a guess's."""
    measured = accuracy[np.isfinite(accuracy)]
    if chance is None or chance >= 1 or not measured.size:
        return float("nan")
    return (1 - float(np.median(measured[-3:]))) / (1 - chance)


def _raisable(rates: Array, usual: float | None) -> bool:
    """Whether no learning rate was above the optimizer's default."""
    used = rates[np.isfinite(rates)]
    return usual is None or not used.size or float(used.max()) <= usual


# What is left unsaid where something graver was found.
_INSTEAD: Mapping[Kind, tuple[Kind, ...]] = {
    "high_variance": ("overfitting", "diverged"),
    "improving": ("overfitting", "diverged", "oscillating", "plateau", "not_learning"),
    "overfitting": ("diverged", "not_learning"),
    "plateau": (
        "diverged",
        "oscillating",
        "not_learning",
        "underfitting",
        "overfitting",
        "high_variance",
    ),
    "not_learning": ("diverged",),
    "underfitting": ("diverged", "oscillating", "not_learning"),
    "oscillating": ("diverged", "not_learning"),
}


def _broken(curves: Curves) -> Finding | None:
    """A training loss that is no number."""
    lost = ~np.isfinite(curves.train)
    if not lost.any():
        return None
    since = int(curves.epochs[np.argmax(lost)])
    return Finding(
        "diverged",
        f"diverged in epoch {since}: the training loss is not a finite number",
        "lower the learning rate, warm it up, or clip what the data holds",
        since,
        {"loss": float(curves.train[np.argmax(lost)])},
    )


def _diverged(curves: Curves) -> Finding | None:
    """A training loss that ends far above where it started, or jumps about far above a guess's."""
    start, end = float(curves.train[:3].max()), float(np.median(curves.train[-3:]))
    above = curves.certain and curves.guess > 0 and end > GROWTH * curves.guess
    if above and swing(curves.train) > JUMPY and not _falls(curves):
        return _above_a_guess(curves, end)
    if not end > GROWTH * abs(start) or end <= start:
        return None
    lowest = int(np.argmin(curves.train))
    since = int(curves.epochs[lowest])
    return Finding(
        "diverged",
        f"diverging since epoch {since}: the training loss rose from"
        f" {_said(curves.train[lowest])} to {_said(end)}",
        "the learning rate is too high: divide it by 3 to 10, or warm it up",
        since,
        {"lowest": float(curves.train[lowest]), "first": start, "last": end},
    )


def _falls(curves: Curves) -> bool:
    """Whether a training loss comes down, so that it only started high."""
    return steady(curves.train) or float(np.median(curves.train[-3:])) < HIGH * curves.train[0]


def _above_a_guess(curves: Curves, end: float) -> Finding:
    return Finding(
        "diverged",
        f"diverged: the training loss jumps about at {_said(end)},"
        f" {end / curves.guess:.3g} times a guess's {_said(curves.guess)}",
        "the learning rate is too high: divide it by 3 to 10, or warm it up",
        int(curves.epochs[0]),
        {"last": end, "guess": curves.guess, "swing": swing(curves.train)},
    )


def _not_learning(curves: Curves) -> Finding | None:
    """A training loss that ends where a guess's is, or above, without having been below."""
    end, lowest = float(np.median(curves.train[-3:])), float(smooth(curves.train).min())
    known = curves.certain and curves.guess > 0
    if not known or lowest < (1 - AT_GUESS) * curves.guess or curves.wrong < MOSTLY_WRONG:
        return None
    if steady(curves.train):
        return _too_slow(curves, end)
    return Finding(
        "not_learning",
        f"not learning: the training loss ends at {_said(end)}, and a guess's is"
        f" {_said(curves.guess)}",
        "find out why with `netc sanity`: a model that is too small for the task, dead units, or"
        " targets that do not belong to the inputs"
        if curves.raisable or _settled(curves, end)
        else "lower the learning rate; if that does not help, `netc sanity` looks for the cause",
        None,
        {"training": end, "guess": curves.guess},
    )


def _settled(curves: Curves, end: float) -> bool:
    """Whether a loss came to rest at a guess's, which no learning rate mends."""
    second = curves.train[len(curves.train) // 2 :]
    return swing(second) <= JUMPY and end <= (1 + AT_GUESS) * curves.guess


def _too_slow(curves: Curves, end: float) -> Finding:
    return Finding(
        "not_learning",
        f"too slow: the training loss falls in nearly every epoch, but is still {_said(end)}, and a"
        f" guess's is {_said(curves.guess)}",
        "raise the learning rate, 3 to 10 times, or train longer"
        if curves.raisable
        else "train longer, or normalize inputs and targets",
        None,
        {"training": end, "guess": curves.guess},
    )


def _oscillating(curves: Curves) -> Finding | None:
    """A training loss whose moves mostly reverse each other, and are large for its level."""
    second = curves.train[len(curves.train) // 2 :] if len(curves.train) >= 8 else curves.train
    moves = np.diff(second)
    level = float(np.median(np.abs(second)))
    moved = swing(second)
    turns = float(np.mean(moves[1:] * moves[:-1] < 0)) if len(moves) > 1 else 0.0
    # Small losses near 0 swing by large shares of themselves, which does no harm.
    if turns < TURNS or moved < SWING or level * moved < 0.01 * abs(curves.guess):
        return None
    since = int(curves.epochs[-len(second)])
    return Finding(
        "oscillating",
        f"oscillating: since epoch {since} the training loss moves by {moved:.0%} of itself from"
        f" epoch to epoch, and {turns:.0%} of the moves reverse the one before",
        "the learning rate is too high: lower it, decay it, or use larger batches",
        since,
        {"swing": moved, "turns": turns, "level": level},
    )


def _overfitting(curves: Curves) -> Finding | None:
    """A validation loss that rises after its best epoch while the training loss falls."""
    if not curves.validated:
        return None
    known = np.isfinite(curves.validation)
    epochs, losses = curves.epochs[known], smooth(curves.validation[known])
    train = smooth(curves.train)[known]
    at = int(np.argmin(losses))
    after = losses[at:]
    if len(after) < 3:
        return None
    best, last = float(losses[at]), float(np.median(after[-3:]))
    scatter = 2.0 * float(np.median(np.abs(np.diff(curves.validation[known]))))
    fallen = float(train[at] - np.median(train[-3:]))
    rises = last - best > max(RISE * abs(best), scatter)
    if not rises or fallen < FALL * abs(float(train[at])):
        return None
    since = int(epochs[at])
    return Finding(
        "overfitting",
        f"overfitting since epoch {since}: the validation loss rises from {_said(best)} to"
        f" {_said(last)} while the training loss falls from {_said(train[at])} to"
        f" {_said(train[at] - fallen)}",
        "regularize (l2, DROPOUT), augment or gather more data, or stop early",
        since,
        {
            "best_validation": best,
            "last_validation": last,
            "training_then": float(train[at]),
            "training_now": float(train[at]) - fallen,
        },
    )


def _high_variance(curves: Curves) -> Finding | None:
    """A training loss that is low, and a validation loss that stays far above it."""
    if not curves.validated:
        return None
    train, validation = ends(curves)
    gap = validation - train
    if train > HIGH * curves.guess or gap <= 2 * CLOSE * curves.guess or validation < 2 * train:
        return None
    return Finding(
        "high_variance",
        f"high variance: the training loss is {_said(train)}, the validation loss"
        f" {_said(validation)}",
        "regularize (l2, DROPOUT), augment or gather more data, or use a smaller model; check"
        " that both parts come from the same source",
        None,
        {"training": train, "validation": validation, "guess": curves.guess},
    )


def _underfitting(curves: Curves) -> Finding | None:
    """A training loss that is still high, with validation, if any, close to it."""
    train, validation = ends(curves)
    near = not curves.validated or validation - train <= CLOSE * curves.guess
    if train <= HIGH * curves.guess or not near or curves.wrong < MOSTLY_WRONG:
        return None
    falling = gain_at_end(curves.train) > max(STILL, noise(curves.train))
    close = f" and the validation loss, {_said(validation)}, is close to it"
    return Finding(
        "underfitting",
        f"underfitting: the training loss is still {_said(train)}, {train / curves.guess:.0%} of"
        f" a guess's {_said(curves.guess)}" + (close if curves.validated else ""),
        _more(falling=falling, raisable=curves.raisable),
        None,
        {
            "training": train,
            **({"validation": validation} if curves.validated else {}),
            "guess": curves.guess,
        },
    )


def _more(*, falling: bool, raisable: bool) -> str:
    """What to do about a training loss that is too high."""
    if falling:
        longer = "train longer, or raise the learning rate" if raisable else "train longer"
        return f"{longer}: the loss still falls"
    rate = "raise" if raisable else "lower"
    return f"use a larger model, {rate} the learning rate, or regularize less"


def _plateau(curves: Curves) -> Finding | None:
    """A training loss above 0 that gained next to nothing in the last third of the epochs."""
    third = max(len(curves.train) // 3, 2)
    gain = gain_at_end(curves.train)
    end = ends(curves)[0]
    if len(curves.train) < 2 * FEWEST or abs(gain) > STILL or end <= DONE * curves.guess:
        return None
    since = int(curves.epochs[-third])
    return Finding(
        "plateau",
        f"plateau since epoch {since}: the training loss stays at {_said(end)}; the last"
        f" {third} epochs brought {max(gain, 0):.1%} of its whole fall",
        "lower the learning rate now, or stop",
        since,
        {"gain": gain, "training": end},
    )


def _improving(curves: Curves) -> Finding | None:
    """A validation loss (without any, a training loss) that was still falling at the end."""
    losses = curves.validation[np.isfinite(curves.validation)]
    losses = losses if curves.validated else curves.train
    gain = gain_at_end(losses)
    if gain < max(2.5 * STILL, noise(losses)) or int(np.argmin(smooth(losses))) < len(losses) - 2:
        return None
    third = max(len(losses) // 3, 2)
    what = "validation" if curves.validated else "training"
    return Finding(
        "improving",
        f"still improving: the last {third} epochs brought {gain:.0%} of the whole fall of the"
        f" {what} loss",
        "train longer",
        None,
        {"gain": gain, "last": float(losses[-1])},
    )


def _fine(curves: Curves) -> Finding:
    train, validation = ends(curves)
    numbers = {"training": train}
    said = f"the training loss ends at {_said(train)}"
    if curves.validated:
        said += f", the validation loss at {_said(validation)}"
        numbers["validation"] = validation
    return Finding("fine", f"nothing to note: {said}", "", None, numbers)


Reading = Callable[[Curves], Finding | None]
READINGS: tuple[Reading, ...] = (
    _diverged,
    _oscillating,
    _overfitting,
    _high_variance,
    _not_learning,
    _underfitting,
    _plateau,
    _improving,
)


def _said(number: float) -> str:
    return f"{float(number):.4g}"
