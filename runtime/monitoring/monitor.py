"""What each layer does while a network is trained: activations, gradients, updates by epoch."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from math import sqrt

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ops.opdef import Activation, definition
from ...compiler.passes.append_backward import GRADIENT
from ...compiler.passes.training_mode import NEXT
from ...compiler.training.train_step import TrainStep
from ..inspection.probes import Probe, Statistics, layer_names
from ..kerneldef import Array
from ..run_folder.history import Epoch
from ..training.job import PROBED_SAMPLES, Job
from ..training.loop import Callback, Feeds, Loop, Progress
from ..training.stepper import scalars
from .records import FILE, Change, Records, Signal
from .symptoms import symptoms

NEARLY_FLAT = 0.05  # of an activation's steepest slope


class Monitor(Callback):
    """Looks at every layer after each epoch, on a batch that stays the same.

    The step's own graph is computed once more, with the epoch's last learning rate, and its
    results are not used: training goes on as without a monitor.

    Args:
        loop: The run.
        step: Its step.
        feeds: The batch: inputs and targets by name.
        folder: Where `monitor.csv` and `monitor.json` go; none are written where it is None.
        say: Called with each new symptom.

    Attributes:
        records: What was recorded.
    """

    def __init__(
        self,
        loop: Loop,
        step: TrainStep,
        feeds: Feeds,
        *,
        folder: str | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.loop = loop
        self.feeds = dict(feeds)
        self.folder = folder
        self.say = say
        self.records = _before(loop, folder)
        self._look = Look(step.graph, len(next(iter(feeds.values()))))

    def on_epoch(self, progress: Progress, row: Epoch, best: bool) -> None:
        """Record every layer and parameter, and what is wrong with them."""
        rates = row.lr or 0.0, row.momentum or 0.0
        graph = self.loop.stepper.step.graph
        given = {**self.feeds, **scalars(graph, progress.step, *rates)}
        records = self.records
        records.truncate(row.epoch - 1)
        signals, changes = self._look.at(given, self.loop.stepper.state, row.epoch)
        records.signals += signals
        records.changes += changes
        known = {(found.kind, found.name) for found in records.symptoms}
        for found in symptoms(signals, changes):
            records.symptoms.append(found)
            if self.say is not None and (found.kind, found.name) not in known:
                self.say(str(found))
        if self.folder is not None:
            records.save(self.folder)


def watch(
    loop: Loop,
    job: Job,
    *,
    folder: str | None = None,
    say: Callable[[str], None] | None = None,
    samples: int = PROBED_SAMPLES,
) -> Monitor:
    """Let a monitor look at a run, on some samples of its training part.

    Args:
        loop: The run, before it starts.
        job: What is trained.
        folder: Where the monitor's files go.
        say: Called with each new symptom.
        samples: How many samples it looks at.

    Raises:
        NetError: E561, the folder holds another monitor's file and the run is resumed.
    """
    monitor = Monitor(loop, job.step, job.sample_feeds(samples), folder=folder, say=say)
    loop.callbacks = [*loop.callbacks, monitor]
    return monitor


class Look:
    """Computes what is recorded of a step's graph.

    Args:
        graph: The step of training.
        samples: How many samples the batch has.
    """

    def __init__(self, graph: Graph, samples: int) -> None:
        self.samples = samples
        self.activations = {name: _activation(graph, name) for name in layer_names(graph)}
        self.weights = [
            name.removesuffix(NEXT)
            for name in graph.outputs
            if name.endswith(NEXT) and name.removesuffix(NEXT) + GRADIENT in graph.labels
        ]
        names = [*self.activations, *(w + GRADIENT for w in self.weights)]
        self._probe = Probe.of(graph, [*names, *(w + NEXT for w in self.weights)])

    def at(
        self, given: Feeds, state: Mapping[str, Array], epoch: int
    ) -> tuple[list[Signal], list[Change]]:
        """What layers and parameters look like with some weights.

        Raises:
            NetError: Inputs or weights do not fit.
        """
        found = self._probe.read({**given, **state})
        signals = [self._signal(name, found[name], epoch) for name in self.activations]
        changes = [
            _change(name, state[name], found[name + GRADIENT], found[name + NEXT], epoch)
            for name in self.weights
        ]
        return signals, changes

    def _signal(self, name: str, array: Array, epoch: int) -> Signal:
        seen, activation = Statistics.of(array), self.activations[name]
        slope = activation.slope if activation else None
        per_sample = replace(seen, norm=seen.norm / sqrt(self.samples))
        return Signal(
            epoch,
            name,
            **asdict(per_sample),
            dead=dead_units(array) if activation and activation.dies else None,
            saturated=None if slope is None else float((slope(array) < NEARLY_FLAT).mean()),
        )


def dead_units(array: Array) -> float:
    """The share of units, (N, units) or (N, L, units), or channels, (N, C, ...), that are all 0."""
    axis = 2 if array.ndim == 3 else min(1, array.ndim - 1)
    others = tuple(place for place in range(array.ndim) if place != axis)
    return float((array == 0).all(axis=others).mean())


def _before(loop: Loop, folder: str | None) -> Records:
    """What was recorded of the epochs before, where a run is resumed."""
    done = loop.progress.epoch
    if folder is None or not done or not os.path.exists(os.path.join(folder, f"{FILE}.json")):
        return Records()
    records = Records.read(folder)
    records.truncate(done)
    return records


def _activation(graph: Graph, name: str) -> Activation | None:
    row = definition(graph.producer(graph.labels[name]))
    return row.activation if row else None


def _change(name: str, weight: Array, gradient: Array, moved: Array, epoch: int) -> Change:
    seen = Statistics.of(gradient)
    size = Statistics.of(weight).norm
    update = Statistics.of(moved.astype(np.float64) - weight).norm
    share = update / size if size > 0 else float("nan")
    return Change(epoch, name, **asdict(seen), weight=size, update=share)
