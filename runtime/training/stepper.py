"""A step of training, run again and again, the state staying with it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...compiler.passes.training_mode import NEXT
from ...compiler.training.train_step import SCALARS, TrainStep
from ..engines.engine import Runner, engine_named
from ..kerneldef import Array


class Stepper:
    """Takes steps of training.

    Attributes:
        state: Parameters, buffers and the optimizer's tensors by name; a step replaces arrays,
            and changes none.

    Args:
        step: The step.
        state: What to start from; the optimizer's tensors are zeros where they are left out.
        engine: `numpy` or `onnxruntime`.
        device: `cpu`, or `cuda` on onnxruntime.

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
    ) -> None:
        self.state = initial_state(step, state)
        self._run: Runner = engine_named(engine).open(step.graph, device=device)

    def advance(self, feeds: Mapping[str, Any]) -> dict[str, Array]:
        """Take one step, and return the loss and the network's outputs.

        Raises:
            NetError: The batch does not fit the network.
        """
        results = self._run({**feeds, **self.state}, {})
        moved = {name: results.pop(name + NEXT) for name in self.state if name + NEXT in results}
        self.state = {**self.state, **moved}
        return results


def scalars(step: int, lr: float, momentum: float) -> dict[str, Array]:
    """What a step is fed besides its batch: its number from 0, and what is scheduled."""
    given = zip(SCALARS.items(), (step, lr, momentum), strict=True)
    return {name: np.asarray(value, dtype.value) for (name, dtype), value in given}


def initial_state(step: TrainStep, state: Mapping[str, Array]) -> dict[str, Array]:
    """Copies of the given arrays by name, and zeros for the optimizer's tensors without one."""
    found: dict[str, Array] = {}
    for name, type in step.state.items():
        if name in step.slots and name not in state:
            found[name] = np.zeros(np.array(type.shape, np.int64), type.dtype.value)
        else:
            found[name] = np.array(state[name])
    return found
