"""The table of schedules: the learning rate, or the momentum, at each step or epoch of a run.

A schedule is one plain function of the value to start from, the number n of the step or epoch
(from 0), and how many there are; its keyword-only signature is its parameter list. Where PyTorch
has the schedule, the formula is PyTorch's.
"""

from dataclasses import KW_ONLY
from math import cos, exp, inf, pi
from typing import Literal

from ...grammar.records import record
from ..expressions.arguments import FactorList, Natural, Nonnegative, Positive, PositiveReal, Rate
from .terms import Term, TermDef, TermTable


@record
class ScheduleDef(TermDef):
    """A row of the table of schedules.

    Its function is `function(start, n, total, **arguments)`, or, where it looks at what epochs
    yielded, `function(start, followed, **arguments)`.

    Attributes:
        starts_itself: Whether the optimizer's value is ignored, as the arguments say all.
        follows: Whether it looks at the results of epochs.
    """

    _: KW_ONLY
    starts_itself: bool = False
    follows: bool = False


@record
class Followed:
    """The results of the epochs so far, for schedules that look at them.

    Attributes:
        values: The number that is monitored, of each epoch that has one.
        lower: Whether a lower one is better.
    """

    values: tuple[float, ...] = ()
    lower: bool = True


NOTHING_YET = Followed()


@record
class Position:
    """Where a run stands.

    Attributes:
        batch: The number of the batch, from 0, counted through all epochs.
        per_epoch: How many batches an epoch has.
        epochs: How many epochs the run has.
        accumulate: How many batches make a step.
        followed: The results of the epochs so far.
    """

    batch: int
    per_epoch: int
    epochs: int
    accumulate: int = 1
    followed: Followed = NOTHING_YET

    def counted(self, per: str) -> tuple[int, int]:
        """The number of the step or the epoch, and how many there are."""
        if per == "epoch":
            return self.batch // self.per_epoch, self.epochs
        return self.batch // self.accumulate, self.epochs * self.per_epoch // self.accumulate


def _of_all(*, warmup: Natural = 0, per: Literal["step", "epoch"] = "step") -> None:
    """What every schedule takes: a warm-up, and what n counts."""


LEAST_FALL = 1e-8  # PyTorch's: what falls by less stays

SCHEDULES = TermTable("schedule", "schedule", ScheduleDef, common=_of_all)
schedule = SCHEDULES.enter


@schedule("constant")
def constant(start: float, n: int, total: int) -> float:
    """The optimizer's value throughout."""
    return start


@schedule("step", numbers=("every", "factor"))
def step(start: float, n: int, total: int, *, every: Positive, factor: PositiveReal = 0.1) -> float:
    """Start factor^floor(n / every): PyTorch's `StepLR`."""
    return float(start * factor ** (n // every))


@schedule("inverse", numbers=("k",))
def inverse(start: float, n: int, total: int, *, k: PositiveReal = 1.0) -> float:
    """Start / (n + k), as the lectures have it: the first value is start / k."""
    return start / (n + k)


@schedule("exponential", numbers=("k",))
def exponential(start: float, n: int, total: int, *, k: Nonnegative) -> float:
    """Start e^(-k n), as the lectures have it: PyTorch's `ExponentialLR` with gamma = e^-k."""
    return start * exp(-k * n)


@schedule("cosine", numbers=("end",))
def cosine(start: float, n: int, total: int, *, end: Nonnegative = 0.0) -> float:
    """End + (start - end) (1 + cos(pi n / total)) / 2: PyTorch's `CosineAnnealingLR`.

    Half a period over the run, `end` being reached just after the last step (Loshchilov and
    Hutter 2017, section 3).
    """
    return end + (start - end) * (1 + cos(pi * n / max(total, 1))) / 2


@schedule("linear", numbers=("start", "end"), starts_itself=True)
def linear(_: float, n: int, total: int, *, start: Nonnegative, end: Nonnegative) -> float:
    """Start + (end - start) n / (total - 1): from the first number to the second, both included.

    The lectures' ramp, which is PyTorch's `LinearLR` over total - 1 steps.
    """
    return start + (end - start) * min(n / max(total - 1, 1), 1.0)


@schedule("polynomial", numbers=("power", "end"))
def polynomial(
    start: float, n: int, total: int, *, power: PositiveReal = 1.0, end: Nonnegative = 0.0
) -> float:
    """End + (start - end) (1 - n / total)^power: with `end` 0 PyTorch's `PolynomialLR`."""
    return float(end + (start - end) * (1 - min(n / max(total, 1), 1.0)) ** power)


@schedule("multistep", size="at", numbers=("factor",))
def multistep(
    start: float, n: int, total: int, *, at: FactorList, factor: PositiveReal = 0.1
) -> float:
    """Start factor^k, k the numbers in `at` that are n or less: PyTorch's `MultiStepLR`."""
    return float(start * factor ** sum(n >= number for number in at))


@schedule("restarts", numbers=("every", "factor"))
def restarts(
    start: float,
    n: int,
    total: int,
    *,
    every: Positive,
    factor: Positive = 1,
    end: Nonnegative = 0.0,
) -> float:
    """Half a period of a cosine again and again, each `factor` times as long as the one before.

    PyTorch's `CosineAnnealingWarmRestarts` (Loshchilov and Hutter 2017).
    """
    while n >= every:
        n, every = n - every, every * factor
    return end + (start - end) * (1 + cos(pi * n / every)) / 2


@schedule("one_cycle", numbers=("rise",))
def one_cycle(
    start: float,
    n: int,
    total: int,
    *,
    rise: Rate = 0.3,
    below: PositiveReal = 25.0,
    fall: PositiveReal = 1e4,
) -> float:
    """From start / below up to start in the first share of a run, and down to start / below / fall.

    Both along half a cosine (Smith and Topin 2019): PyTorch's `OneCycleLR`, with `rise` its
    `pct_start`, `below` its `div_factor` and `fall` its `final_div_factor`. The momentum stays.
    """
    first, top, last = start / below, start, start / below / fall
    peak = rise * total - 1
    if n <= peak and peak > 0:
        return _between(first, top, n / peak)
    if total == 1:
        return top
    return _between(top, last, min((n - peak) / (total - 1 - peak), 1.0))


def _between(first: float, last: float, share: float) -> float:
    """From one number to another along half a cosine."""
    return last + (first - last) * (1 + cos(pi * share)) / 2


@schedule("plateau", numbers=("factor", "patience"), follows=True)
def plateau(
    start: float,
    followed: Followed,
    *,
    factor: Rate = 0.1,
    patience: Natural = 10,
    threshold: Nonnegative = 1e-4,
    cooldown: Natural = 0,
    end: Nonnegative = 0.0,
) -> float:
    """Times `factor` where more than `patience` epochs in a row were no better than the best one.

    Better by at least the share `threshold`; `cooldown` epochs after that count for nothing, and
    `end` is the least: PyTorch's `ReduceLROnPlateau`.
    """
    rate, waited, cooling = start, 0, 0
    sign = 1 if followed.lower else -1
    best, margin = sign * inf, 1 - sign * threshold
    for value in followed.values:
        if sign * value < sign * best * margin:
            best, waited = value, 0
        else:
            waited += 1
        if cooling:
            cooling, waited = cooling - 1, 0
        if waited > patience:
            lower = max(rate * factor, end)
            rate = lower if rate - lower > LEAST_FALL else rate
            cooling, waited = cooldown, 0
    return rate


def value_at(term: Term, start: float, at: Position) -> float:
    """What a schedule gives for a step.

    In a warm-up of w steps the n-th takes (n + 1) / (w + 1) of the schedule's first value:
    PyTorch's `LinearLR(start_factor=1 / (w + 1), total_iters=w)`. The schedule itself begins after
    it, and its run is shorter by as much (`SequentialLR`).

    Args:
        term: The schedule.
        start: The optimizer's own value.
        at: Where the run stands.
    """
    arguments = dict(term.arguments)
    warmup, per = arguments.pop("warmup"), arguments.pop("per")
    n, total = at.counted(per)
    row = SCHEDULES[term.name]
    if row.follows:
        value: float = row.function(start, at.followed, **arguments)
    else:
        value = row.function(start, max(n - warmup, 0), max(total - warmup, 1), **arguments)
    return value if n >= warmup else value * (n + 1) / (warmup + 1)
