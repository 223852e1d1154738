"""Losses and weights that are no longer finite: where that began, and what is left."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal
from support.training import Killed, KilledAfter, bits, go_on, job, run, some_digits

import netc
from netc.runtime.run_folder.checkpoint import load_checkpoint
from netc.runtime.run_folder.folder import CHECKPOINT
from netc.runtime.training.run import open_loop

HUGE = """\
INPUT(8x8) -> FC(16) -> RELU -> FC(10)

train {
  optimizer = sgd(lr=1e30)
  batch     = 16
  epochs    = 3
}
"""

DIVERGED = """\
error[E542]: the loss is not finite in step 2 of the run, in epoch 1
  --> program.net:1:33
   |
 1 | INPUT(8x8) -> FC(16) -> RELU -> FC(10)
   |                                 ^^
   |
   = note: the first number that is not finite appeared in `Gemm` of `fc2`
   = help: lower the learning rate, or normalize the inputs; `netc sanity` checks for more"""

SPOILT = """\
error[E542]: the weights are not finite after step 1 of the run
  --> program.net:1:15
   |
 1 | INPUT(8x8) -> FC(16) -> RELU -> FC(10)
   |               ^^
   |
   = note: infinite or NaN after the step: `fc1.weight`, `fc2.weight`
   = help: lower the learning rate, or normalize the inputs; `netc sanity` checks for more"""

LOGARITHM = """\
error[E542]: the loss is not finite in step 1 of the run, in epoch 1
  --> program.net:1:33
   |
 1 | INPUT(8x8) -> FC(10) -> RELU -> LOG
   |                                 ^^^
   |
   = note: the first number that is not finite appeared in `Log` of `log1`
   = help: a logarithm of 0: let the loss take logits, which is the stable form"""


def failure_of(program: str, **options: Any) -> str:
    """The error that a run ends with, as it is shown."""
    return refusal(lambda: run(job(program, **options)))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_rate_that_is_far_too_high(engine: str) -> None:
    """The error names the step, the layer that overflowed first, and what to do."""
    assert failure_of(HUGE, engine=engine) == DIVERGED


def test_the_last_checkpoint_is_intact(tmp_path: Path) -> None:
    """What was saved before the loss broke is finite, and training goes on from it."""
    calm = HUGE.replace("1e30", "0.1")
    with pytest.raises(Killed):
        run(job(calm, folder=tmp_path, every=0), KilledAfter(4))
    before = (tmp_path / CHECKPOINT).read_bytes()
    broken = open_loop(job(calm, folder=tmp_path, resume=True))
    spoilt = np.full_like(broken.stepper.state["fc1.weight"], 3e38)
    broken.stepper.state = {**broken.stepper.state, "fc1.weight": spoilt}
    with pytest.raises(netc.NetError, match="the loss is not finite in step 4"):
        broken.run()
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    state = load_checkpoint(str(tmp_path / CHECKPOINT)).state
    assert all(np.isfinite(array).all() for array in state.values())
    assert bits(go_on(job(calm, folder=tmp_path, resume=True))) == bits(run(job(calm)))


def test_weights_that_an_update_spoils(tmp_path: Path) -> None:
    """Weights that the last step of an epoch makes infinite are not saved."""
    program = HUGE.replace("1e30", "3e38").replace("batch     = 16", "batch = all")
    x, t = some_digits()
    assert failure_of(program, data=(100 * x, t), folder=tmp_path) == SPOILT
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_logarithm_of_nothing() -> None:
    """An operator that usually breaks in one way has its own advice."""
    program = "INPUT(8x8) -> FC(10) -> RELU -> LOG\ntrain { loss = mse }"
    x, _ = some_digits()
    assert failure_of(program, data=(x, np.ones((len(x), 10), np.float32))) == LOGARITHM


def test_masks_are_not_blamed() -> None:
    """Targets that are not known, NaN, are no cause: the layer that overflowed is found."""
    program = HUGE.replace("train {", "train {\n  loss = mse").replace("FC(10)", "FC(4)")
    x, _ = some_digits()
    boxes = np.random.default_rng(0).random((len(x), 4)).astype(np.float32)
    boxes[::2] = np.nan
    assert "`Gemm` of `fc2`" in failure_of(program, data=(x, boxes))
