"""Curves of losses -> the few numbers that tell their shape: ends, falls and noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kerneldef import Array

Losses = Sequence[float | None] | Array

FEWEST = 4  # epochs, below which curves say nothing
STEADY = 0.8  # of the epochs, in which a loss that falls steadily falls


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a run besides its losses.

    Attributes:
        guess: The loss of an answer that knows nothing; None where it is not known.
        chance: The accuracy of such an answer; None where there is none.
        usual_rate: The optimizer's default learning rate, above which a rate is not low.
    """

    guess: float | None = None
    chance: float | None = None
    usual_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Curves:
    """What is read.

    Attributes:
        epochs: The epochs' numbers, (E,).
        train: The training loss of each, (E,).
        validation: The validation loss of each, NaN where it was not measured, (E,).
        guess: The loss of an answer that knows nothing.
        certain: Whether that is known; else the first training loss stands for it.
        wrong: The share of wrong answers at the end, as a share of a guess's; NaN where there is
            none to count.
        raisable: Whether a higher learning rate may be what is missing.
    """

    epochs: Array
    train: Array
    validation: Array
    guess: float
    certain: bool = False
    wrong: float = float("nan")
    raisable: bool = True

    @property
    def validated(self) -> bool:
        """Whether there is a validation curve to read."""
        return int(np.isfinite(self.validation).sum()) >= FEWEST


def as_losses(values: Losses) -> Array:
    """Losses as an array, NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def first_finite(losses: Array) -> float:
    """The first loss that is a number; NaN where none is."""
    finite = losses[np.isfinite(losses)]
    return float(finite[0]) if finite.size else float("nan")


def smooth(values: Array) -> Array:
    """The median of each value and its two neighbours, which a single outlier does not move."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    middle: Array = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return middle


def ends(curves: Curves) -> tuple[float, float]:
    """Where both losses end: the median of the last three epochs."""
    known = curves.validation[np.isfinite(curves.validation)]
    validation = float(np.median(known[-3:])) if known.size else float("nan")
    return float(np.median(curves.train[-3:])), validation


def swing(losses: Array) -> float:
    """How far a loss moves from epoch to epoch, as a share of its level."""
    level = float(np.median(np.abs(losses)))
    return float(np.median(np.abs(np.diff(losses)))) / level if level else 0.0


def steady(losses: Array) -> bool:
    """Whether a loss falls in nearly every epoch."""
    moves = np.diff(losses)
    return bool(moves.size and np.mean(moves < 0) >= STEADY and losses[-1] < losses[0])


def gain_at_end(losses: Array) -> float:
    """How much of its whole fall a loss fell in the last third of its epochs."""
    smoothed = smooth(losses)
    third = max(len(losses) // 3, 2)
    whole = float(losses[0] - smoothed.min())
    return float(smoothed[-third - 1] - smoothed[-1]) / whole if whole > 0 else 0.0


def noise(losses: Array) -> float:
    """The share of the whole fall below which a fall may be chance.

    Second differences are those of the noise alone, as far as the loss falls steadily.
    """
    whole = float(losses[0] - smooth(losses).min())
    bends = np.abs(np.diff(losses, 2))
    return 3.0 * float(np.median(bends)) / whole if whole > 0 and bends.size else 0.0
