"""A step that sums over ranks -> what takes it on this rank, together with all others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.passes.cut_at_sums import Part, cut_at_sums
from ...compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from ...compiler.passes.training_mode import NEXT
from ..kerneldef import Array
from ..ranks.buckets import Buckets
from ..ranks.shared_state import SharedState
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
        *earlier, last = cut.parts
        self._state = team.state(
            {n: v.type for n, v in last.graph.outputs.items() if n.endswith(NEXT)}
        )
        parts = [*earlier, last if self._state is None else _without(last, self._state)]
        types = [{name: p.graph.outputs[name].type for name in p.summed} for p in parts]
        self._legs = [
            _Leg(part, engine.open_step(part.graph, device=device), buckets)
            for part, buckets in zip(parts, team.buckets(types), strict=True)
        ]

    def __call__(
        self,
        feeds: Mapping[str, Any],
        spare: Mapping[str, Array],
        ready: Ready | None = None,
    ) -> dict[str, Array]:
        """See `StepRunner`; what the network yields is missing where there are no samples."""
        known = dict(feeds)
        if self._state is not None:
            spare = self._state.places()
        for leg in self._legs:
            found, sums = leg.go(known, spare)
            known |= found
            known |= {name: sums[term] for term, names in leg.part.summed.items() for name in names}
        if self._state is not None:
            known |= self._state.completed(known)
        results: dict[str, Array] = {}
        for name in self._outputs:
            held = self._sums.get(name, name)
            if held in known:  # sums lie in memory that the next step writes to
                results[name] = np.array(known[held]) if name in self._sums else known[held]
        return results

    def kept(self, state: Mapping[str, Array]) -> dict[str, Array]:
        """State that later steps do not write over: copies of what lies in shared memory."""
        if self._state is None:
            return dict(state)
        return {name: np.array(array) for name, array in state.items()}


def _without(part: Part, state: SharedState) -> Part:
    """The update without the state that other ranks compute."""
    others = {n for n in part.graph.outputs if n.endswith(NEXT)} - state.own
    own = {n: value for n, value in part.graph.outputs.items() if n not in others}
    return replace(part, graph=eliminate_dead_nodes(replace(part.graph, outputs=own)))
