"""A step that sums over ranks -> what takes it on this rank, together with all others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.passes.cut_at_sums import Part, cut_at_sums
from ..kerneldef import Array
from ..ranks.buckets import Buckets
from ..ranks.team import Team
from .engine import Engine, StepRunner
from .executor import Ready


@dataclass(frozen=True, slots=True)
class _Leg:
    """A part of the step: what computes it, and the sums behind it."""

    part: Part
    run: StepRunner
    buckets: Buckets

    def go(
        self, known: Mapping[str, Any], spare: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """What the part yields, and the sums by the names of its terms.

        A sum starts as soon as its terms are there. A part that lacks what it is to be computed
        from, as on a rank without samples, adds nothing to them.
        """
        inputs = self.part.graph.inputs
        if not all(name in known for name in inputs):
            self.buckets.offer_nothing()
            return {}, self.buckets.collect()
        waiting = set(self.part.summed)

        def offer(name: str, array: Array) -> None:
            if name in waiting:
                waiting.remove(name)
                self.buckets.offer(name, array)

        own = {name: array for name, array in spare.items() if name in self.part.graph.outputs}
        into = {**own, **self.buckets.places}
        found = self.run({name: known[name] for name in inputs}, into, offer)
        for name in self.part.summed:
            offer(name, found[name])
        return found, self.buckets.collect()


class OnRanks:
    """Takes steps of training on one of several ranks; it is a `StepRunner`.

    Args:
        graph: The step, without parameters, for shards.
        engine: What computes its parts.
        device: Where.
        team: The ranks.

    Raises:
        NetError: The engine or the device is not available (E502).
    """

    def __init__(self, graph: Graph, engine: Engine, device: str, team: Team) -> None:
        cut = cut_at_sums(graph)
        self._outputs, self._sums = tuple(graph.outputs), cut.sums
        types = [{name: p.graph.outputs[name].type for name in p.summed} for p in cut.parts]
        self._legs = [
            _Leg(part, engine.open_step(part.graph, device=device), buckets)
            for part, buckets in zip(cut.parts, team.buckets(types), strict=True)
        ]

    def __call__(
        self,
        feeds: Mapping[str, Any],
        spare: Mapping[str, Array],
        ready: Ready | None = None,
    ) -> dict[str, Array]:
        """See `StepRunner`; what the network yields is missing where there are no samples."""
        known = dict(feeds)
        for leg in self._legs:
            found, sums = leg.go(known, spare)
            known |= found
            known |= {name: sums[term] for term, names in leg.part.summed.items() for name in names}
        results: dict[str, Array] = {}
        for name in self._outputs:
            held = self._sums.get(name, name)
            if held in known:  # sums lie in memory that the next step writes to
                results[name] = np.array(known[held]) if name in self._sums else known[held]
        return results
