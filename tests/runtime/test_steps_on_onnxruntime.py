"""Steps of training on onnxruntime: what they yield, and whose arrays they write to."""

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

import netc
from netc.compiler.training.descent import Descent
from netc.compiler.training.objective import Objective
from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.terms import Term
from netc.compiler.training.train_step import train_step
from netc.runtime.kerneldef import Array
from netc.runtime.training.stepper import Stepper, scalars

NETWORKS = [
    "INPUT(8) -> FC(16) -> BN -> TANH -> FC(3)",
    "INPUT(9x8x2) -> CONV(3x3, 4) -> RELU -> POOL -> DWCONV(3x3) -> CONV(1x1, 5) -> GAP -> FC(3)",
]
BATCHES = (6, 6, 4, 6, 6, 5, 6, 6)  # the first, and two that are smaller


class Run:
    """A network's steps on one engine, on the same random batches."""

    def __init__(self, program: str, engine: str) -> None:
        network = netc.compile(program)
        (output,) = network.graph.outputs
        objective = Objective({output: Term("loss", "cross_entropy", {})})
        optimizer = OPTIMIZERS.term("sgd", lr=0.1, momentum=0.9)
        step = train_step(network.graph, objective, Descent(optimizer))
        self.stepper = Stepper(step, network.initialize(0), engine=engine)
        (self.input,) = network.graph.inputs
        (self.target,) = step.targets
        self.shape = network.graph.inputs[self.input].shape[1:]

    def losses(self) -> Iterator[float]:
        """Take steps, and yield the loss before each."""
        random = np.random.default_rng(1)
        for number, batch in enumerate(BATCHES):
            shape = [batch, *(dim for dim in self.shape if isinstance(dim, int))]
            x = random.standard_normal(shape).astype(np.float32)
            feeds: dict[str, Array] = {self.input: x, self.target: random.integers(0, 3, batch)}
            yield float(
                self.stepper.advance(
                    {**feeds, **scalars(self.stepper.step.graph, number, 0.1, 0.9)}
                )["loss"]
            )


def _copied(state: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in state.items()}


@pytest.mark.parametrize("program", NETWORKS)
def test_losses_and_weights(program: str) -> None:
    """Batches of any size, one after the other, come to what NumPy computes."""
    ours, theirs = Run(program, "numpy"), Run(program, "onnxruntime")
    np.testing.assert_allclose(list(theirs.losses()), list(ours.losses()), rtol=1e-5)
    for name, array in ours.stepper.state.items():
        np.testing.assert_allclose(theirs.stepper.state[name], array, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("program", NETWORKS)
def test_state_may_be_kept(program: str, engine: str) -> None:
    """No later step changes the arrays of a state that somebody asked for."""
    run = Run(program, engine)
    kept = [(state := run.stepper.state, _copied(state))]
    for number, _ in enumerate(run.losses()):
        if number in (0, 1, 4):
            kept.append((state := run.stepper.state, _copied(state)))
    for state, copies in kept:
        assert all(np.array_equal(state[name], copies[name]) for name in copies)
    weight = next(iter(state))
    assert len({state[weight].tobytes() for state, _ in kept}) == len(kept)


def test_two_sets_of_arrays() -> None:
    """Where nobody asks for the state, each step writes to the arrays of the last but one."""
    run = Run(NETWORKS[0], "onnxruntime")
    places = []
    for _ in run.losses():
        places.append(run.stepper._state["fc1.weight"].ctypes.data)
    assert places[2:] == places[:2] * 3


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_undo(engine: str) -> None:
    """A step is taken back, and taken again to the same end."""
    run = Run(NETWORKS[0], engine)
    found = []
    for number, _ in enumerate(run.losses()):
        if number == 2:
            before = _copied(run.stepper.state)
        if number == 3:
            run.stepper.undo()
            found = [np.array_equal(a, before[n]) for n, a in run.stepper.state.items()]
    assert found
    assert all(found)
