"""Numbers below the least normal one: zeros in a step of training, and as they are elsewhere."""

import platform
import sys
import threading
from typing import Literal

import numpy as np
import pytest

import netc
from netc.runtime.benchmarking.work import random_work
from netc.runtime.kernels.underflow import zeros_for_denormals
from netc.runtime.kernels.workers import arithmetic, spread
from netc.runtime.training.stepper import Stepper, scalars
from netc.training import recipe_of

LEAST = np.float32(1.1754944e-38)  # the least normal number of float32
KNOWN = sys.platform == "linux" and platform.machine() == "x86_64"


def _half() -> float:
    return float((np.full(4, LEAST) * np.float32(0.5))[0])


@pytest.mark.skipif(not KNOWN, reason="nobody knows how to tell this processor")
def test_denormals_are_zeros_where_they_are_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """On all threads that compute, and on none afterwards."""
    monkeypatch.setenv("NETC_NUM_THREADS", "2")
    meet = threading.Barrier(2, timeout=60)
    found: list[float] = []

    def compute(_: int) -> None:
        meet.wait()
        found.append(_half())

    for wanted in (False, True, False):
        found.clear()
        if wanted:
            with zeros_for_denormals(), arithmetic():
                spread(compute, range(2), 2**30)
        else:
            with arithmetic():
                spread(compute, range(2), 2**30)
        assert [each == 0 for each in found] == [wanted] * 2
        assert _half() > 0


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.skipif(not KNOWN, reason="nobody knows how to tell this processor")
def test_a_run_keeps_them_and_a_step_of_training_does_not(
    engine: Literal["numpy", "onnxruntime"],
) -> None:
    """What a network yields is as it is; a gradient that small is zero."""
    network = netc.compile("INPUT(1) -> FC(1, bias=no)")
    recipe = recipe_of(network.model, {"loss": "mse", "optimizer": "sgd(momentum=0.9)"})
    work = random_work(network.graph, recipe, batch=1, step=True)
    state = {name: np.full_like(array, 0.5) for name, array in work.state.items()}
    x, target = np.full((1, 1), LEAST), np.full((1, 1), -0.25, np.float32)
    assert network.run(x, state, engine=engine) == LEAST / 2

    stepper = Stepper(work.train_step(), state, engine=engine)
    feeds = dict(zip(work.feeds, (x, target), strict=True))
    stepper.advance({**feeds, **scalars(stepper.step.graph, 0, 0.1, 0.9)})
    moved = {name: array for name, array in stepper.state.items() if name not in state}
    assert moved
    assert all((array == 0).all() for array in moved.values())
    assert _half() > 0
    assert network.run(x, state, engine=engine) == LEAST / 2
