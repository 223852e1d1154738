"""A graph and names of values -> what computes them, and what an array of numbers looks like."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.passes.inference_mode import INFERENCE_RULES
from ...compiler.passes.pipeline import settle
from ...compiler.passes.rewrite import rewrite
from ..engines.executor import run
from ..engines.plan import Plan, plan, resolve_fetches
from ..kerneldef import Array

Arrays = Mapping[str, Array]

# Of what training draws, what is left out for a look without chance.
_CHANCE = {name: INFERENCE_RULES[name] for name in ("Dropout", "Mul", "netc.Noise")}


@dataclass(frozen=True, slots=True)
class Probe:
    """Computes values of a graph that need not be its outputs.

    Attributes:
        plan: What is computed.
        names: The values' names.
    """

    plan: Plan
    names: tuple[str, ...]

    @classmethod
    def of(cls, graph: Graph, names: Iterable[str], *, dtype: str | None = None) -> "Probe":
        """A probe of labels or outputs of a graph, in inference mode where it is in none.

        Raises:
            NetError: E101, a name is not known.
        """
        names = tuple(dict.fromkeys(names))
        watched = rewrite(graph, {})
        watched.outputs = resolve_fetches(watched, names)
        return cls(plan(settle(watched), dtype=dtype), names)

    def read(self, feeds: Arrays, state: Arrays | None = None) -> dict[str, Array]:
        """The values by name; what the graph does not take of the feeds is left out.

        Raises:
            NetError: Inputs or weights do not fit.
        """
        fed = {name: array for name, array in feeds.items() if name in self.plan.inputs}
        return run(self.plan, fed, state or {})


def without_chance(graph: Graph) -> Graph:
    """A mode-neutral network whose Dropout passes everything on in training, too."""
    return rewrite(graph, _CHANCE)


def layer_names(graph: Graph) -> list[str]:
    """The layers whose outputs hold real numbers, in order; inputs are not among them."""
    return [
        path
        for path, layer in graph.layers.items()
        if path in graph.labels and path not in graph.inputs
        if layer.kind != "INPUT" and graph.labels[path].dtype.is_float
    ]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an array of numbers looks like.

    Attributes:
        mean, deviation: Of all its numbers.
        zeros: Which share of them is 0.
        norm: The root of the sum of their squares.
    """

    mean: float
    deviation: float
    zeros: float
    norm: float

    @classmethod
    def of(cls, array: Array) -> "Statistics":
        """The statistics of an array, computed in double precision; NaN of an empty one."""
        wide = np.asarray(array, np.float64)
        if not wide.size:
            return cls(*[float("nan")] * 4)
        with np.errstate(all="ignore"):
            mean, deviation = float(wide.mean()), float(wide.std())
            norm = sqrt(float(np.vdot(wide, wide)))
        return cls(mean, deviation, float((wide == 0).mean()), norm)


def spread_over_samples(array: Array) -> float:
    """How far an activation (N, ...) separates samples: sqrt of the mean variance over them."""
    with np.errstate(all="ignore"):
        return sqrt(float(np.asarray(array, np.float64).var(axis=0).mean()))
