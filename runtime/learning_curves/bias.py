"""Curves of a run -> what the training loss says: whether it diverges, fits, or is stuck.

High bias is a training loss that stays high (Ng, Machine Learning Yearning, 2018, chapter 21).
"""

import numpy as np

from ..kerneldef import Array
from .findings import Finding, said
from .trends import (
    FEWEST_EPOCHS,
    SAME_PACE,
    Curves,
    ends,
    gain_at_end,
    jitter,
    last_fall,
    noise,
    pace,
    smooth,
    steady,
    swing,
    third,
)

LEARNED = 0.75  # of a guess's loss, below which something was learned
STUCK_ABOVE = (
    0.002  # of a guess's loss: a loss that stays further above it takes steps that are too large
)
HIGH = 0.5  # a training loss above this share of a guess's is high
CLOSE_BY = 0.15  # validation within this share of the guess's loss above training is close to it
GROWTH = 1.5  # a training loss that ends at this multiple of its start diverges
AT_GUESS = 0.05  # a training loss within this share of a guess's knows nothing
MOSTLY_WRONG = 0.5  # of a guess's wrong answers, below which a network does not underfit
JUMPY = 0.02  # a loss that moves by less than this share of its level moves smoothly
JITTER = 0.005  # moves above this share of the loss's level, at the end, may be the rate's
STILL = 0.02  # less than this share of the gain, in the last third, is a plateau
DONE = 0.05  # a training loss below this share of a guess's has nowhere to fall
SWING = 0.10  # moves by this share of the loss's level swing
TURNS = 0.5  # as many of the moves as reverse the one before
NO_FALL = 0.05  # of a guess's loss: a run in which a loss falls by less gets nowhere
TIMES = 10  # as long as a run, above which training longer is not advice

EVENLY = 0.5  # of the first third's fall, above which a loss falls as it did all the time
FADED = "let the learning rate fall later, or less: it was next to nothing from the middle on"
LOWER_THE_RATE = "the learning rate is too high: divide it by 3 to 10, or warm it up"


def broken(curves: Curves) -> Finding | None:
    """A training loss that is not a number."""
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


def constant(curves: Curves) -> Finding | None:
    """Targets that are all the same, which any network learns."""
    if not curves.known.constant:
        return None
    return Finding(
        "constant",
        "nothing to learn: all training targets are the same",
        "check how targets are read, and how the data are split",
        None,
        {"training": ends(curves)[0]},
    )


def diverged(curves: Curves) -> Finding | None:
    """A training loss that ends far above where it started, or jumps about far above a guess's."""
    start, end = float(curves.train[:3].max()), ends(curves)[0]
    if (end > GROWTH * abs(start) and end > start) or _forgotten(curves, end):
        return _rising(curves, start, end)
    above = curves.certain and end > GROWTH * curves.guess
    if not above or swing(curves.train) <= JUMPY or _comes_down(curves):
        return None
    return Finding(
        "diverged",
        f"diverged: the training loss jumps about at {said(end)},"
        f" {end / curves.guess:.3g} times the {said(curves.guess)} that guessing gives",
        LOWER_THE_RATE,
        int(curves.epochs[0]),
        {"last": end, "guess": curves.guess, "swing": swing(curves.train)},
    )


def _forgotten(curves: Curves, end: float) -> bool:
    """Whether a loss was well below a guess's, and is there again."""
    lowest = float(smooth(curves.train).min())
    back = end > (1 - AT_GUESS) * curves.guess
    return curves.certain and lowest < LEARNED * curves.guess and back


def _rising(curves: Curves, start: float, end: float) -> Finding:
    lowest = int(np.argmin(curves.train))
    since = int(curves.epochs[lowest])
    return Finding(
        "diverged",
        f"diverging since epoch {since}: the training loss rose from"
        f" {said(curves.train[lowest])} to {said(end)}",
        LOWER_THE_RATE,
        since,
        {"lowest": float(curves.train[lowest]), "first": start, "last": end},
    )


def _comes_down(curves: Curves) -> bool:
    """Whether a training loss continues falling, so that it only started high."""
    later = curves.train[1:]  # the first epoch may hold the steps in which a loss exploded
    return steady(curves.train) or ends(curves)[0] < HIGH * float(np.median(later[: third(later)]))


def not_learning(curves: Curves) -> Finding | None:
    """A training loss that ends where a guess's is, or above, without having been below."""
    end, lowest = ends(curves)[0], float(smooth(curves.train).min())
    if crawls(curves):
        return _too_slow(curves, end)
    if not curves.certain or curves.wrong < MOSTLY_WRONG:
        return None
    if lowest < (1 - AT_GUESS) * curves.guess:
        return None
    if steady(curves.train) and (pace(curves.train) > SAME_PACE or not _at_guess(curves, end)):
        return _too_slow(curves, end)
    return Finding(
        "not_learning",
        f"not learning: the training loss ends at {said(end)}; guessing gives {said(curves.guess)}",
        _find_out(curves, end)
        if curves.raisable or _settled(curves, end)
        else "lower the learning rate; if that does not help, `netc sanity` looks for the cause",
        None,
        {"training": end, "guess": curves.guess},
    )


def crawls(curves: Curves) -> bool:
    """Whether a loss falls evenly all the time, and next to nothing in all, from a high level."""
    fall = float(curves.train[0] - curves.train[-1])
    little = fall < NO_FALL * abs(curves.guess)
    high = curves.train[-1] > HIGH * curves.guess > 0
    wrong = not curves.wrong < MOSTLY_WRONG
    return curves.certain and little and high and wrong and _evenly(curves.train)


def _evenly(losses: Array) -> bool:
    return steady(losses) and pace(losses) > SAME_PACE


def _find_out(curves: Curves, end: float) -> str:
    reasons = ["a learning rate that is too low"] if curves.low else []
    large = not curves.raisable and end > (1 + STUCK_ABOVE) * curves.guess
    reasons += ["a learning rate that is too high"] if large else []
    reasons += ["a model that is too small for the task", "dead or saturated units"]
    reasons += ["a penalty that is too strong"] if curves.known.penalised else []
    listed = ", ".join(reasons)
    return f"find out why with `netc sanity`: {listed}, or targets that do not belong to the inputs"


def _at_guess(curves: Curves, end: float) -> bool:
    return end <= (1 + AT_GUESS) * curves.guess


def _settled(curves: Curves, end: float) -> bool:
    """Whether a loss has settled at that of a guess, which no learning rate fixes."""
    second = curves.train[len(curves.train) // 2 :]
    return swing(second) <= JUMPY and _at_guess(curves, end)


def _too_slow(curves: Curves, end: float) -> Finding:
    start = float(curves.train[0])
    guess = said(curves.guess)
    return Finding(
        "not_learning",
        f"too slow: in {len(curves.train)} epochs the training loss only falls"
        f" by {start - end:.2g}, to {said(end)}; guessing gives {guess}"
        if crawls(curves)
        else f"too slow: the training loss falls in nearly every epoch, from {said(start)} to"
        f" {said(end)}, but guessing gives {guess}",
        _faster(curves, end),
        None,
        {"first": start, "training": end, "guess": curves.guess},
    )


def _faster(curves: Curves, end: float) -> str:
    """What to do about a loss that falls too slowly, by how far it is from half of a guess's."""
    goal = HIGH * curves.guess
    fall = last_fall(curves.train) / third(curves.train)
    epochs = (end - goal) / max(fall, 1e-6 * end)
    if epochs <= TIMES * len(curves.train):
        how = "raise the learning rate, 3 to 10 times" if curves.raisable else _normalize(curves)
        return f"{how}, or train longer"
    how = "raise the learning rate a lot" if curves.raisable else ""
    how = how if curves.low else f"{how}{', or ' if how else ''}{_normalize(curves)}"
    return f"{how}: at this pace it takes about {_round(epochs):,} epochs to get to {said(goal)}"


def _normalize(curves: Curves) -> str:
    return f"normalize inputs{' and targets' if curves.known.numbers else ''}"


def _round(number: float) -> int:
    return int(float(f"{number:.1g}"))


def oscillating(curves: Curves) -> Finding | None:
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


def underfitting(curves: Curves) -> Finding | None:
    """A training loss that is still high, with validation, if any, close to it."""
    train, validation = ends(curves)
    near = not curves.validated or validation - train <= CLOSE_BY * curves.guess
    if train <= HIGH * curves.guess or not near or curves.wrong < MOSTLY_WRONG:
        return None
    close = f", and the validation loss, {said(validation)}, is close to it"
    return Finding(
        "underfitting",
        f"underfitting: the training loss is still {said(train)}, {train / curves.guess:.0%} of"
        f" the {said(curves.guess)} that guessing gives" + (close if curves.validated else ""),
        _more(curves, train),
        None,
        {
            "training": train,
            **({"validation": validation} if curves.validated else {}),
            "guess": curves.guess,
        },
    )


def _more(curves: Curves, train: float) -> str:
    """What to do about a training loss that is too high."""
    if curves.faded:
        return FADED
    if gain_at_end(curves.train) > max(STILL, noise(curves.train)):
        longer = "train longer, or raise the learning rate" if curves.raisable else "train longer"
        # In as many epochs again.
        soon = train - 3 * last_fall(curves.train) <= HIGH * curves.guess
        if soon or pace(curves.train) > EVENLY:
            return f"{longer}: the loss still falls"
        return f"use a larger model, or {longer}: the loss still falls, but slowly"
    rate = ["raise the learning rate"] if curves.raisable else []
    rate = ["lower the learning rate"] if not rate and _jitters(curves.train) else rate
    return _either(_wider(curves) + rate)


def _wider(curves: Curves) -> list[str]:
    """What makes a network fit better at any learning rate."""
    return ["use a larger model", *(["regularize less"] if curves.known.penalised else [])]


def _either(ways: list[str]) -> str:
    *others, last = ways
    return f"{', '.join(others)}{',' * (len(others) > 1)} or {last}" if others else last


def _jitters(losses: Array) -> bool:
    """Whether a loss still moves to and fro at its end, as a high learning rate makes it do."""
    return jitter(losses[-max(third(losses), FEWEST_EPOCHS) :]) > JITTER


def plateau(curves: Curves) -> Finding | None:
    """A training loss above 0 that gained next to nothing in the last third of the epochs."""
    last = third(curves.train)
    gain = gain_at_end(curves.train)
    end = ends(curves)[0]
    if len(curves.train) < 2 * FEWEST_EPOCHS or abs(gain) > STILL or end <= DONE * curves.guess:
        return None
    since = int(curves.epochs[-last])
    return Finding(
        "plateau",
        f"plateau since epoch {since}: the training loss stays at {said(end)}; the last"
        f" {last} epochs brought {max(gain, 0):.1%} of its whole fall",
        _onwards(curves),
        since,
        {"gain": gain, "training": end},
    )


def _onwards(curves: Curves) -> str:
    """What to do about a loss that has come to rest."""
    if curves.faded:
        return FADED
    if _jitters(curves.train):
        return "lower the learning rate now, or stop"
    return f"stop earlier; for a lower training loss, {_either(_wider(curves))}"
