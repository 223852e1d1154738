"""Losses and metrics of a network in inference mode, over a part of a data set."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ops.opdef import Yields
from ...compiler.training.lossdef import Scores, Task
from ...compiler.training.losses import LOSSES
from ...compiler.training.objective import LOSS, Objective, add_loss
from ...compiler.training.output_fit import fit
from ...grammar.source import PlacedText, place_of
from ..engines.engine import engine_named
from ..feeding.targets import TargetFeed
from ..feeding.wiring import Wiring
from ..kerneldef import Array
from ..metrics.by_task import evaluation_metrics, training_metrics
from ..metrics.definitions import Metrics, find_metric
from ..metrics.of_outputs import OutputMetrics
from ..metrics.outputs import OutputForm
from ..ranks.team import ALONE, Team

MEASURED_AT_ONCE = 256  # samples that are measured at once

# What an output holds by what its last operator yields.
SCORES: Mapping[Yields, Scores] = {
    Yields.LOG_PROBABILITIES: "log_probabilities",
    Yields.PROBABILITY: "probabilities",
    Yields.PROBABILITIES: "probabilities",
}


class Evaluator:
    """Measures a network with its current weights.

    Attributes:
        metrics: What was measured last.

    Args:
        graph: The network, mode-neutral.
        objective: What training minimises.
        wiring: Which targets there are.
        names: Metrics to compute, for every output that they suit, or for one as `output.metric`;
            those that suit each loss where it is None.
        deep: Whether these are all that suit a loss, not only those that training shows.
        more: Further metrics, for those outputs that have a score for each class or decision.
        also: Further metrics, as `names`.
        losses: Whether the loss of each of several outputs is measured, too; by default where
            no metrics are named.
        threshold: The probability at or above which a sample counts as positive.
        engine, device: What computes.

    Raises:
        NetError: A metric does not suit any output (E551), or the engine is not available (E502).
    """

    def __init__(
        self,
        graph: Graph,
        objective: Objective,
        wiring: Wiring,
        *,
        names: Sequence[str] | None = None,
        deep: bool = False,
        more: Sequence[str] = (),
        also: Sequence[str] = (),
        losses: bool | None = None,
        threshold: float | None = None,
        engine: str = "numpy",
        device: str = "cpu",
    ) -> None:
        types = {output: target.type for output, target in wiring.targets.items()}
        measured = add_loss(graph, objective, types)
        self.state = frozenset(graph.parameters)
        self._run = engine_named(engine).open(measured, device=device)
        forms = {
            output: form_of(
                graph,
                objective,
                output,
                indexed=bool(target.classes),
                names=target.names,
                threshold=threshold,
            )
            for output, target in wiring.targets.items()
        }
        suited: Mapping[str, Sequence[str]] = {
            output: _names(forms[output].task, target, deep=deep, more=more)
            for output, target in wiring.targets.items()
        }
        chosen = dict(suited if names is None else _asked(names, forms))
        for output, further in (_asked(also, forms) if also else {}).items():
            chosen[output] = tuple(dict.fromkeys([*chosen[output], *further]))
        if losses is None:
            losses = names is None
        self.metrics = OutputMetrics(
            {output: Metrics(chosen[output], forms[output]) for output in forms},
            {output: target.name for output, target in wiring.targets.items()},
            objective.loss_names() if losses and len(objective.losses) > 1 else {},
        )

    def measure(
        self,
        state: Mapping[str, Array],
        batches: Iterable[Mapping[str, Array]],
        team: Team = ALONE,
    ) -> dict[str, float]:
        """The mean loss, and the metrics by name, of several outputs as `output.metric`.

        Of several ranks each measures its own batches, and has the result of all.

        Raises:
            NetError: Data or weights do not fit, or the outputs hold NaN (E551).
        """
        weights = {name: state[name] for name in self.state}
        self.metrics.reset()
        total, samples = 0.0, 0
        for feeds in batches:
            results = self._run(feeds, weights)
            count = len(next(iter(feeds.values())))
            total += float(results[LOSS]) * count
            samples += count
            if np.isfinite(results[LOSS]):
                self.metrics.update(results, feeds)
        total, samples = map(sum, zip(*team.gather((total, samples)), strict=True))
        self.metrics.pool(team)
        return {LOSS: total / max(samples, 1), **self.metrics.values()}

    def losses(self, state: Mapping[str, Array], batches: Iterable[Mapping[str, Array]]) -> Array:
        """The loss of each batch, (B,); metrics stay as they are.

        Raises:
            NetError: Data or weights do not fit.
        """
        weights = {name: state[name] for name in self.state}
        return np.array([float(self._run(feeds, weights)[LOSS]) for feeds in batches])


def form_of(
    graph: Graph,
    objective: Objective,
    output: str,
    *,
    indexed: bool,
    names: tuple[str, ...] = (),
    threshold: float | None = None,
) -> OutputForm:
    """How an output is read: where its classes lie, and whether it holds probabilities.

    Args:
        graph: The network.
        objective: Its losses.
        output: An output that has one.
        indexed: Whether its targets are indices of classes.
        names: The names of the classes.
        threshold: The probability at or above which a sample counts as positive.
    """
    term = objective.losses[output]
    found, row = fit(graph, graph.outputs[output], term, name=output), LOSSES[term.name]
    return OutputForm(
        task=row.targets.task_of(indexed=indexed),
        axis=found.axis,
        scores=SCORES.get(found.ending.kind, row.scores),
        threshold=threshold,
        ignore_index=term.arguments.get("ignore_index"),
        names=names,
    )


def _names(task: Task, target: TargetFeed, *, deep: bool, more: Sequence[str]) -> tuple[str, ...]:
    positions = target.type.rank > 1 and bool(target.classes)
    found = training_metrics(task, positions=positions)
    if deep:
        found = evaluation_metrics(task, classes=target.classes, positions=positions)
    scored = task != "numbers" and not positions
    return tuple(dict.fromkeys([*found, *(more if scored else ())]))


def _asked(names: Sequence[str], forms: Mapping[str, OutputForm]) -> Mapping[str, Sequence[str]]:
    """The metrics of each output that somebody asked for.

    Raises:
        NetError: E551, one is not known, or suits no output.
    """
    found: dict[str, list[str]] = {output: [] for output in forms}
    for name in names:
        output, _, own = name.rpartition(".")
        if output in forms:
            found[output].append(PlacedText.at(own, place_of(name)))
            continue
        row = find_metric(name)
        suited = [output for output, form in forms.items() if form.task in row.tasks]
        for output in suited or forms:  # what suits none is refused where it is used
            found[output].append(name)
    return found
