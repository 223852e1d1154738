"""The metrics and the losses of all outputs of a network, gathered batch by batch."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from ...compiler.training.objective import LOSS
from ..kerneldef import Array
from ..ranks.team import Team
from .accumulators import Accumulator
from .definitions import Metrics

Gathered = TypeVar("Gathered", bound=Accumulator)


class OutputMetrics:
    """Metrics by output; of several outputs a metric is called `output.metric`.

    Of several losses each is measured, too, as `output.loss`, without its weight.

    Attributes:
        metrics: Those of each output.

    Args:
        metrics: See above.
        targets: What the target of each output is called among the feeds.
        losses: What the loss of each output is called among the results, where there are several.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metrics],
        targets: Mapping[str, str],
        losses: Mapping[str, str] | None = None,
    ) -> None:
        self.metrics = metrics
        self.targets = targets
        self.losses = losses or {}
        self._sums: dict[str, Array] = {}
        self._forget()

    def again(self) -> "OutputMetrics":
        """The same metrics, of which nothing is gathered yet."""
        fresh = {output: Metrics(each.metrics, each.form) for output, each in self.metrics.items()}
        return OutputMetrics(fresh, self.targets, self.losses)

    @property
    def names(self) -> list[str]:
        """What is measured."""
        named = [
            self._named(output, name)
            for output, metrics in self.metrics.items()
            for name in metrics.metrics
        ]
        return [*named, *map(_loss_of, self.losses)]

    def accumulators(self, kind: type[Gathered]) -> dict[str, Gathered]:
        """What was gathered of a kind, such as confusion matrices, by the output's name."""
        return {
            output: accumulator
            for output, metrics in self.metrics.items()
            for name in metrics.metrics
            if isinstance(accumulator := metrics.accumulator(name), kind)
        }

    def reset(self) -> None:
        """Forget all batches."""
        for metrics in self.metrics.values():
            metrics.reset()
        self._forget()

    def update(self, results: Mapping[str, Array], feeds: Mapping[str, Array]) -> None:
        """Add a batch: a network's outputs by name, and what it and its losses were fed with.

        Raises:
            NetError: E551, output and target do not fit, or the output holds NaN.
        """
        for output, metrics in self.metrics.items():
            metrics.update(results[output], feeds[self.targets[output]])
        samples = len(next(iter(feeds.values())))
        for output, name in self.losses.items():
            if name in results:  # which a step of fewer losses lacks
                self._sums[output] += (float(results[name]) * samples, samples)

    def values(self) -> dict[str, float]:
        """Each metric of all batches so far."""
        found = {
            self._named(output, name): value
            for output, metrics in self.metrics.items()
            for name, value in metrics.values().items()
        }
        means = {_loss_of(name): total / max(n, 1) for name, (total, n) in self._sums.items()}
        return {**found, **{name: float(mean) for name, mean in means.items()}}

    def pool(self, team: Team) -> None:
        """Gather the batches of all ranks on each of them."""
        if team.size == 1:
            return
        states = team.gather(self.state())
        self.reset()
        for state in states:
            other = self.again()
            other.restore(state)
            for output, metrics in self.metrics.items():
                metrics.merge(other.metrics[output])
            for output in self.losses:
                self._sums[output] = self._sums[output] + other._sums[output]

    def state(self) -> dict[str, Array]:
        """What was gathered so far, for a checkpoint."""
        found = {
            f"{output}/{name}": array
            for output, metrics in self.metrics.items()
            for name, array in metrics.state().items()
        }
        return {**found, **{f"{LOSS}/{output}": sums for output, sums in self._sums.items()}}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` gave."""
        for output, metrics in self.metrics.items():
            start = f"{output}/"
            own = {n.removeprefix(start): a for n, a in state.items() if n.startswith(start)}
            metrics.restore(own)
        for output in self.losses:
            if f"{LOSS}/{output}" in state:
                self._sums[output] = np.array(state[f"{LOSS}/{output}"])

    def _forget(self) -> None:
        self._sums = {output: np.zeros(2) for output in self.losses}

    def _named(self, output: str, name: str) -> str:
        return f"{output}.{name}" if len(self.metrics) > 1 or self.losses else name


def _loss_of(output: str) -> str:
    """What the loss of one of several outputs is called."""
    return f"{output}.{LOSS}"
