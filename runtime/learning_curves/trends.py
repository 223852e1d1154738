"""Curves of losses -> the few numbers that describe their shape: ends, falls and noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kerneldef import Array

Losses = Sequence[float | None] | Array

FEWEST_EPOCHS = 4  # epochs, below which curves say nothing
STEADY = 0.8  # of the epochs, in which a loss that falls steadily falls
SAME_PACE = 0.2  # of the first third's fall, above which a loss continues falling in the last


@dataclass(frozen=True, slots=True)
class RunContext:
    """What is known of a run besides its losses.

    Attributes:
        guess: The loss of an answer that knows nothing; None where it is not known.
        chance: The accuracy of such an answer; None where there is none.
        usual_rate: The optimizer's default learning rate, above which a rate is not low.
        constant: Whether all training targets are the same.
        penalised: Whether the loss holds a penalty on weights.
        numbers: Whether the targets are numbers, not classes or decisions.
        samples: How many samples the validation part has; 0 where it is not known.
        rise_error: The standard error of how far the validation loss is above its best at the end.
        end_error: The standard error of the validation loss at the end. Both are 0 where they are
            not known.
    """

    guess: float | None = None
    chance: float | None = None
    usual_rate: float | None = None
    constant: bool = False
    penalised: bool = False
    numbers: bool = False
    samples: int = 0
    rise_error: float = 0.0
    end_error: float = 0.0


@dataclass(frozen=True, slots=True)
class Curves:
    """What is read.

    Attributes:
        epochs: The epochs' numbers, (E,).
        train: The training loss of each, (E,).
        validation: The validation loss of each, NaN where it was not measured, (E,).
        guess: The loss of an answer that knows nothing.
        known: What else is known.
        wrong: The share of wrong answers at the end, as a share of a guess's; NaN where there is
            none to count.
        raisable: Whether a higher learning rate may be what is missing.
        low: Whether the learning rate is far below the optimizer's default.
        faded: Whether it was next to nothing from the middle of the run on.
    """

    epochs: Array
    train: Array
    validation: Array
    guess: float
    known: RunContext
    wrong: float = float("nan")
    raisable: bool = True
    low: bool = False
    faded: bool = False

    @property
    def certain(self) -> bool:
        """Whether a guess's loss is known; else the first training loss stands for it."""
        return self.known.guess is not None and self.guess > 0

    @property
    def validated(self) -> bool:
        """Whether there is a validation curve to read."""
        return int(np.isfinite(self.validation).sum()) >= FEWEST_EPOCHS


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
    """Where both losses end."""
    known = curves.validation[np.isfinite(curves.validation)]
    return level_at_end(curves.train), level_at_end(known) if known.size else float("nan")


def level_at_end(losses: Array) -> float:
    """The last of three losses that rise or fall in turn; else their median, whatever jumps."""
    moves = np.diff(losses[-3:])
    in_turn = bool((moves <= 0).all() or (moves >= 0).all())
    return float(losses[-1] if in_turn else np.median(losses[-3:]))


def swing(losses: Array) -> float:
    """How far a loss moves from epoch to epoch, as a share of its level."""
    level = float(np.median(np.abs(losses)))
    return float(np.median(np.abs(np.diff(losses)))) / level if level else 0.0


def steady(losses: Array) -> bool:
    """Whether a loss falls in nearly every epoch."""
    moves = np.diff(losses)
    return bool(moves.size and np.mean(moves < 0) >= STEADY and losses[-1] < losses[0])


def third(losses: Array) -> int:
    """A third of the epochs, and two at least."""
    return max(len(losses) // 3, 2)


def last_fall(losses: Array) -> float:
    """How far a loss fell in the last third of its epochs."""
    smoothed = smooth(losses)
    return float(smoothed[-third(losses) - 1] - smoothed[-1])


def pace(losses: Array) -> float:
    """How far a loss fell in the last third of its epochs, as a share of its fall in the first.

    A loss that approaches some value exponentially has covered nine tenths of the way where this is
    `SAME_PACE`, and half of it where it is 0.6.
    """
    smoothed = smooth(losses)
    first = float(smoothed[0] - smoothed[min(third(losses), len(losses) - 1)])
    return last_fall(losses) / first if first > 0 else 0.0


def gain_at_end(losses: Array) -> float:
    """How much of its whole fall a loss fell in the last third of its epochs."""
    whole = float(losses[0] - smooth(losses).min())
    return last_fall(losses) / whole if whole > 0 else 0.0


def jitter(losses: Array) -> float:
    """How far a loss moves to and fro, as a share of its level; a steady fall is not jitter."""
    level = float(np.median(np.abs(losses)))
    return float(np.median(np.abs(np.diff(losses, 2)))) / level if level else 0.0


def noise(losses: Array) -> float:
    """The share of the whole fall below which a fall may be chance.

    Second differences are those of the noise alone, as far as the loss falls steadily.
    """
    whole = float(losses[0] - smooth(losses).min())
    bends = np.abs(np.diff(losses, 2))
    return 3.0 * float(np.median(bends)) / whole if whole > 0 and bends.size else 0.0
