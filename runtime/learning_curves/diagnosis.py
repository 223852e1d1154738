"""A run's curves -> what they say about bias and variance, and what to do about it.

Every finding names the numbers that it rests on.
"""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

import numpy as np

from ..kerneldef import Array
from ..run_folder.history import History
from .bias import broken, constant, diverged, not_learning, oscillating, plateau, underfitting
from .findings import Finding, FindingKind, said
from .trends import FEWEST_EPOCHS, Curves, Losses, RunContext, as_losses, first_finite
from .variance import high_variance, improving, overfitting, uncertain

UNKNOWN = RunContext()
NEXT_TO_NOTHING = 0.01  # of the highest learning rate, below which one is next to nothing
LOW = 0.1  # of an optimizer's default, below which a learning rate is low


def read_history(history: History, known: RunContext = UNKNOWN) -> tuple[Finding, ...]:
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
    known: RunContext = UNKNOWN,
    accuracy: Losses = (),
    rates: Losses = (),
) -> tuple[Finding, ...]:
    """What curves of losses say.

    Args:
        train: The training loss of each epoch.
        validation: The validation loss of each epoch, None where it was not measured; or nothing.
        epochs: The numbers of the epochs; from 1 where they are left out.
        known: What the task says of a guess, of learning rates, and of the validation part.
        accuracy: The validation accuracy of each epoch, None where it was not measured.
        rates: The learning rate at the end of each epoch.
    """
    losses = as_losses(train)
    curves = Curves(
        epochs=np.arange(1, len(losses) + 1) if epochs is None else np.asarray(epochs),
        train=losses,
        validation=as_losses(validation) if len(validation) else np.full(len(losses), np.nan),
        guess=known.guess if known.guess is not None else first_finite(losses),
        known=known,
        wrong=_wrong(as_losses(accuracy), known),
        raisable=_below(as_losses(rates), known.usual_rate),
        low=_below(as_losses(rates), known.usual_rate, share=LOW, unknown=False),
        faded=_faded(as_losses(rates)),
    )
    if (lost := broken(curves)) is not None:
        return (lost,)
    if len(losses) < FEWEST_EPOCHS:
        return ()
    found = [finding for read in READINGS if (finding := read(curves)) is not None]
    kinds = {finding.kind for finding in found}
    kept = [f for f in found if not any(graver in kinds for graver in _INSTEAD.get(f.kind, ()))]
    return tuple(kept) or (_fine(curves),)


def _wrong(accuracy: Array, known: RunContext) -> float:
    """The share of wrong answers in the last epochs, as a share of a guess's.

    A binomial standard error is added, so that a few lucky answers do not count.
    """
    measured = accuracy[np.isfinite(accuracy)]
    if known.chance is None or known.chance >= 1 or not measured.size:
        return float("nan")
    right = float(np.median(measured[-3:]))
    error = sqrt(right * (1 - right) / known.samples) if known.samples else 0.0
    return (1 - right + error) / (1 - known.chance)


def _below(rates: Array, usual: float | None, *, share: float = 1.0, unknown: bool = True) -> bool:
    """Whether no learning rate was above a share of the optimizer's default."""
    used = rates[np.isfinite(rates)]
    return float(used.max()) <= share * usual if usual is not None and used.size else unknown


def _faded(rates: Array) -> bool:
    """Whether the learning rate was next to nothing from the middle of the run on."""
    used = rates[np.isfinite(rates)]
    return bool(used.size) and float(used[used.size // 2]) < NEXT_TO_NOTHING * float(used.max())


# What is left unsaid where something graver was found.
_INSTEAD: Mapping[FindingKind, tuple[FindingKind, ...]] = {
    "oscillating": ("diverged", "not_learning"),
    "overfitting": ("diverged", "not_learning", "constant"),
    "uncertain": ("diverged", "not_learning", "constant", "high_variance"),
    "high_variance": ("overfitting", "diverged", "constant"),
    "not_learning": ("diverged", "constant"),
    "underfitting": ("diverged", "oscillating", "not_learning", "constant"),
    "plateau": (
        "constant",
        "diverged",
        "oscillating",
        "not_learning",
        "underfitting",
        "overfitting",
        "high_variance",
        "uncertain",
    ),
    "improving": (
        "constant",
        "overfitting",
        "diverged",
        "oscillating",
        "plateau",
        "not_learning",
        "underfitting",
    ),
}


def _fine(curves: Curves) -> Finding:
    train = float(curves.train[-1])
    numbers = {"training": train}
    text = f"the training loss ends at {said(train)}"
    if curves.validated:
        validation = float(curves.validation[np.isfinite(curves.validation)][-1])
        text += f", the validation loss at {said(validation)}"
        numbers["validation"] = validation
    return Finding("fine", f"nothing to note: {text}", "", None, numbers)


Reading = Callable[[Curves], Finding | None]
READINGS: tuple[Reading, ...] = (
    constant,
    diverged,
    oscillating,
    overfitting,
    high_variance,
    not_learning,
    underfitting,
    uncertain,
    plateau,
    improving,
)
