"""The metrics of all outputs of a network, gathered batch by batch."""

from collections.abc import Mapping
from typing import TypeVar

from ..kerneldef import Array
from .accumulators import Accumulator
from .definitions import Metrics

Gathered = TypeVar("Gathered", bound=Accumulator)


class OutputMetrics:
    """Metrics by output; of several outputs a metric is called `output.metric`.

    Attributes:
        metrics: Those of each output.

    Args:
        metrics: See above.
        targets: What the target of each output is called among the feeds.
    """

    def __init__(self, metrics: Mapping[str, Metrics], targets: Mapping[str, str]) -> None:
        self.metrics = metrics
        self.targets = targets

    def again(self) -> "OutputMetrics":
        """The same metrics, of which nothing is gathered yet."""
        fresh = {output: Metrics(each.metrics, each.form) for output, each in self.metrics.items()}
        return OutputMetrics(fresh, self.targets)

    @property
    def names(self) -> list[str]:
        """What is measured."""
        return [
            self._named(output, name)
            for output, metrics in self.metrics.items()
            for name in metrics.metrics
        ]

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

    def update(self, results: Mapping[str, Array], feeds: Mapping[str, Array]) -> None:
        """Add a batch: a network's outputs by name, and what it and its losses were fed with.

        Raises:
            NetError: E551, output and target do not fit, or the output holds NaN.
        """
        for output, metrics in self.metrics.items():
            metrics.update(results[output], feeds[self.targets[output]])

    def values(self) -> dict[str, float]:
        """Each metric of all batches so far."""
        return {
            self._named(output, name): value
            for output, metrics in self.metrics.items()
            for name, value in metrics.values().items()
        }

    def state(self) -> dict[str, Array]:
        """What was gathered so far, for a checkpoint."""
        return {
            f"{output}/{name}": array
            for output, metrics in self.metrics.items()
            for name, array in metrics.state().items()
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` gave."""
        for output, metrics in self.metrics.items():
            start = f"{output}/"
            own = {n.removeprefix(start): a for n, a in state.items() if n.startswith(start)}
            metrics.restore(own)

    def _named(self, output: str, name: str) -> str:
        return f"{output}.{name}" if len(self.metrics) > 1 else name
