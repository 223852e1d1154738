"""A job of training -> what its sanity checks look at, each computed once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ir.scalars import STEP, scalar_name
from ...compiler.ops.opdef import Role
from ...compiler.passes.append_backward import GRADIENT, append_backward, trainable
from ...compiler.passes.set_mode import set_mode
from ...compiler.training.objective import LOSS, Objective, add_loss
from ...compiler.training.terms import Term
from ...compiler.training.weights import roles
from ..inspection.probes import Probe, without_chance
from ..kerneldef import Array
from ..training.job import Job
from ..training.stepper import Stepper
from ..weights.initialize import initialize
from .overfitting import Trial, overfit, trained_numbers

SMALL = 0.01  # what weights are multiplied by, so that a network knows nothing


@dataclass(frozen=True)
class Subject:
    """What is looked at, and what several checks need of it."""

    job: Job
    samples: int
    steps: int

    @cached_property
    def feeds(self) -> dict[str, Array]:
        """Some samples of the training part, without augmentation."""
        return self.job.sample_feeds()

    @cached_property
    def few(self) -> dict[str, Array]:
        """The samples that are memorized: no more than there are weights for.

        Where the data have no more samples than that, they are all.
        """
        wanted = self.samples
        if len(self.job.split.train) > wanted:
            wanted = min(wanted, max(trained_numbers(self.job.graph), 2))
        return self.job.sample_feeds(wanted)

    @cached_property
    def state(self) -> dict[str, Array]:
        """The weights that training starts from."""
        given = self.job.weights
        drawn = initialize(self.job.graph, self.job.recipe.seed) if given is None else given
        return {name: drawn[name] for name in self.job.graph.parameters}

    @cached_property
    def small(self) -> dict[str, Array]:
        """Those weights, and biases, scaled down; normalizations keep their scales."""
        found = roles(self.job.graph)
        shrunk = (Role.WEIGHT, Role.BIAS)
        return {
            n: a * np.asarray(SMALL, a.dtype) if found[n] in shrunk else a
            for n, a in self.state.items()
        }

    @cached_property
    def graph(self) -> Graph:
        """The network with its losses, without penalties, in training without chance."""
        return self.with_loss(())

    @cached_property
    def comparing(self) -> Graph | None:
        """The same with the losses that compare outputs with targets; None where there are none."""
        objective = self.objective.comparing
        return self.with_loss((), objective) if objective.losses else None

    def with_loss(self, regularize: tuple[Term, ...], objective: Objective | None = None) -> Graph:
        """The network with its losses and some penalties, in training without chance."""
        objective = replace(objective or self.objective, regularize=regularize)
        types = {output: target.type for output, target in self.job.wiring.targets.items()}
        neutral = without_chance(self.job.graph)
        return set_mode(add_loss(neutral, objective, types), training=True)

    @property
    def objective(self) -> Objective:
        """What is minimised."""
        return self.job.objective

    @cached_property
    def gradients(self) -> dict[str, Array]:
        """The gradient of each trainable weight that has one."""
        backward = append_backward(self.graph)
        names = [n for n in trainable(backward) if f"{n}{GRADIENT}" in backward.outputs]
        if not names:
            return {}
        found = self.read(backward, [f"{n}{GRADIENT}" for n in names])
        return {name: found[f"{name}{GRADIENT}"] for name in names}

    @cached_property
    def stepper(self) -> Stepper:
        """What takes steps of the run, prepared once."""
        job = self.job
        return Stepper(job.step, self.state, engine=job.engine, device=job.device)

    @cached_property
    def trial(self) -> Trial:
        """How the few samples are learned."""
        return overfit(self.job, self.job.graph, self.state, self.few, steps=self.steps)

    def read(
        self,
        graph: Graph,
        names: list[str],
        state: Mapping[str, Array] | None = None,
        *,
        dtype: str | None = None,
    ) -> dict[str, Array]:
        """Values of a graph on the samples."""
        feeds = {**self.feeds, scalar_name(self.job.graph, STEP): np.asarray(0, np.int64)}
        return Probe.of(graph, names, dtype=dtype).read(feeds, state or self.state)

    def loss(self, graph: Graph, state: Mapping[str, Array], *, dtype: str | None = None) -> float:
        """The loss of a graph on the samples."""
        return float(self.read(graph, [LOSS], state, dtype=dtype)[LOSS])
