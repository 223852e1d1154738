"""A job of training -> whether its network can memorize a handful of samples."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.passes.append_backward import trainable
from ...compiler.training.descent import Descent
from ...compiler.training.objective import LOSS
from ...compiler.training.optimizers import OPTIMIZERS
from ...compiler.training.train_step import TrainStep, train_step
from ..inspection.probes import without_chance
from ..kerneldef import Array
from ..training.job import Job
from ..training.stepper import Stepper, scalars
from ..weights.initialize import initialize
from .guessed_loss import least_loss

MEMORIZED = 20
STEPS_PER_RATE = 200  # for each rate
RATES = (0.001, 0.01, 0.1)  # of Adam, tried one after another
# With few weights a step costs next to nothing, and minima that are not global are frequent: these
# get a larger rate, for targets of large numbers, and new starts, by what is added to the seed.
FEW = 1000
MORE = ((1.0, 0), (0.1, 1), (0.1, 2), (0.1, 3))
NEAR_ZERO = 0.05  # of the first loss
ACCURACY = "accuracy"


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of learning a handful of samples.

    Attributes:
        samples: How many there were.
        learned: Whether the loss came close to the least, or every answer is right.
        rate: Adam's learning rate, the one that did it or the best one.
        steps: How many steps were taken with it.
        first, last: The loss before the first step and at the last.
        least: What the best answers cost: 0, or the entropy of targets that are probabilities.
        accuracy: The share of right answers at the end; None where there is none to measure.
        still: The trainable weights that no step moved.
    """

    samples: int
    learned: bool
    rate: float
    steps: int
    first: float
    last: float
    least: float
    accuracy: float | None
    still: tuple[str, ...]


def overfit(
    job: Job,
    graph: Graph,
    state: Mapping[str, Array],
    feeds: Mapping[str, Array],
    *,
    steps: int = STEPS_PER_RATE,
) -> Trial:
    """Train on one small batch, without penalties, augmentation or Dropout, by Adam.

    What outputs cost that have no target, such as a divergence, is a penalty, too.

    Args:
        job: What is to be trained; its loss is taken, its optimizer is not.
        graph: The network.
        state: Where it starts.
        feeds: The batch.
        steps: How many steps to take at most, with each of `RATES`; networks of no more than `FEW`
            parameters are given further tries.

    Raises:
        NetError: Data, network and loss do not fit together.
    """
    whole = job.objective
    compared = whole.comparing if whole.comparing.losses else whole
    objective = replace(compared, regularize=())
    step = train_step(
        without_chance(graph),
        objective,
        Descent(OPTIMIZERS.term("adam")),
        targets={output: target.type for output, target in job.wiring.targets.items()},
        seed=job.recipe.seed,
    )
    stepper = Stepper(step, state, engine=job.engine, device=job.device)
    names = list(trainable(graph))
    least = least_loss(graph, objective, job.wiring, feeds)
    best: Trial | None = None
    for rate, restart in _tries(graph):
        stepper.restart(initialize(graph, job.recipe.seed + restart) if restart else state)
        found = _attempt(job, stepper, feeds, rate=rate, steps=steps, names=names, least=least)
        if best is None or _better(found, best):
            best = found
        if found.learned:
            break
    assert best is not None
    return best


def _tries(graph: Graph) -> list[tuple[float, int]]:
    """Learning rates, and what is added to the seed of the weights; 0 for those that are given."""
    return [*((rate, 0) for rate in RATES), *(MORE if trained_numbers(graph) <= FEW else ())]


def trained_numbers(graph: Graph) -> int:
    """How many numbers training changes."""
    sizes = (value.type.size for value in trainable(graph).values())
    return sum(size for size in sizes if isinstance(size, int))


def _better(found: Trial, best: Trial) -> bool:
    return found.learned or found.last < best.last or not np.isfinite(best.last)


def _attempt(
    job: Job,
    stepper: Stepper,
    feeds: Mapping[str, Array],
    *,
    rate: float,
    steps: int,
    names: list[str],
    least: float,
) -> Trial:
    """Learn with one learning rate, until all is known or no step is left."""
    start = stepper.state
    losses: list[float] = []
    accuracy, learned = None, False
    for number in range(steps):
        results = stepper.advance(_fed(stepper.step, feeds, number, rate))
        losses.append(float(results[LOSS]))
        if not np.isfinite(losses[-1]):
            break
        accuracy = _accuracy(job, results, feeds)
        learned = _is_learned(losses[0] - least, losses[-1] - least, accuracy)
        if learned:
            break
    return Trial(
        samples=len(next(iter(feeds.values()))),
        learned=learned,
        rate=rate,
        steps=len(losses),
        first=losses[0],
        last=losses[-1],
        least=least,
        accuracy=accuracy,
        still=tuple(n for n in names if np.array_equal(stepper.state[n], start[n])),
    )


def _fed(step: TrainStep, feeds: Mapping[str, Array], number: int, rate: float) -> dict[str, Array]:
    given = scalars(step.graph, number, rate, momentum=0.0)
    return {**feeds, **{name: a for name, a in given.items() if name in step.graph.inputs}}


def _is_learned(first: float, last: float, accuracy: float | None) -> bool:
    """A loss close to the least, both above it, or all answers right and no longer by accident."""
    right = accuracy == 1.0 and last < first / 2
    return right or last <= NEAR_ZERO * first


def _accuracy(job: Job, results: Mapping[str, Array], feeds: Mapping[str, Array]) -> float | None:
    """The share of right answers over all outputs that have some."""
    metrics = job.evaluator.metrics
    metrics.reset()
    metrics.update(results, feeds)
    values = metrics.values()
    found = [values[name] for name in values if name.rpartition(".")[2] == ACCURACY]
    return min(found, default=None)
