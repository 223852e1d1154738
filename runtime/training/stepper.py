"""A step of training, run again and again, the state staying with it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ir.scalars import SCALARS, scalar_name
from ...compiler.passes.training_mode import NEXT
from ...compiler.training.train_step import TrainStep
from ..engines.engine import StepRunner, engine_named
from ..engines.on_ranks import OnRanks
from ..kerneldef import Array
from ..ranks.team import ALONE, Team


class Stepper:
    """Takes steps of training.

    An engine that can writes the new state over that before the last step, unless somebody has
    asked for that: what `state` gives may be kept. Weights that the loss does not depend on are
    part of the state, and stay as they are.

    Args:
        step: The step.
        state: What to start from; the optimizer's tensors are zeros where they are left out.
        engine: `numpy` or `onnxruntime`.
        device: `cpu`, or `cuda` on onnxruntime.
        team: The ranks that take it together; of several, the step is for shards.

    Raises:
        NetError: The engine or the device is not available (E502).
    """

    def __init__(
        self,
        step: TrainStep,
        state: Mapping[str, Array],
        *,
        engine: str = "numpy",
        device: str = "cpu",
        team: Team = ALONE,
    ) -> None:
        self.step = step
        found = engine_named(engine)
        self._run: StepRunner = (
            found.open_step(step.graph, device=device)
            if team.size == 1
            else OnRanks(step.graph, found, device, team)
        )
        self.restart(state)

    def restart(self, state: Mapping[str, Array]) -> None:
        """Start from another state, as a new stepper would."""
        idle = {name: np.array(state[name]) for name in state if name not in self.step.state}
        self._set({**idle, **initial_state(self.step, state)})

    def _set(self, state: dict[str, Array], *, lent: bool = True) -> None:
        """Start again from a state."""
        self._state, self._lent = state, lent
        self._before: tuple[dict[str, Array], bool] = (state, True)

    @property
    def state(self) -> dict[str, Array]:
        """Parameters, buffers and the optimizer's tensors by name; no step changes these arrays."""
        if not self._lent:
            self._state, self._lent = self._kept(self._state), True
        return self._state

    @state.setter
    def state(self, state: Mapping[str, Array]) -> None:
        self._set(dict(state))

    def _kept(self, state: dict[str, Array]) -> dict[str, Array]:
        """A state that no step writes over."""
        return self._run.kept(state) if isinstance(self._run, OnRanks) else state

    def advance(self, feeds: Mapping[str, Any]) -> dict[str, Array]:
        """Take one step, and return the loss and the network's outputs.

        Raises:
            NetError: The batch does not fit the network.
        """
        before, lent = self._before
        spare = {} if lent else {f"{name}{NEXT}": array for name, array in before.items()}
        self._before = (self._state, True)  # until the step is taken, nothing is to spare
        own = {name: self._state[name] for name in self.step.state}
        results = self._run({**feeds, **own}, spare)
        moved = {name: results.pop(name + NEXT) for name in own if name + NEXT in results}
        self._before = (self._state, self._lent)
        self._state, self._lent = {**self._state, **moved}, False
        return results

    def undo(self) -> None:
        """Go back to the state before the last step."""
        self._set(self._kept(self._before[0]))


def scalars(graph: Graph, step: int, lr: float, momentum: float) -> dict[str, Array]:
    """What a step's graph is fed besides its batch: its number from 0, and what is scheduled."""
    given = zip(SCALARS.items(), (step, lr, momentum), strict=True)
    return {scalar_name(graph, s): np.asarray(value, type.value) for (s, type), value in given}


def initial_state(step: TrainStep, state: Mapping[str, Array]) -> dict[str, Array]:
    """Copies of the given arrays by name, and zeros for the optimizer's tensors without one."""
    found: dict[str, Array] = {}
    for name, type in step.state.items():
        if name in step.slots and name not in state:
            found[name] = np.zeros(np.array(type.shape, np.int64), type.dtype.value)
        else:
            found[name] = np.array(state[name])
    return found
