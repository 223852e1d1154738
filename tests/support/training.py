"""Small runs of training, and what stops them."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import netc
from netc.compiler.model import Model
from netc.runtime.data import digits
from netc.runtime.kerneldef import Array
from netc.runtime.training.job import Job
from netc.runtime.training.loop import Callback, Feeds, Loop, Progress
from netc.runtime.training.run import open_loop, resumed
from netc.training import job_of

# All that could make a resumed run differ: noise, running statistics, moments, order, rates.
EVERYTHING = """\
net Everything

INPUT(8x8) -> CONV(3x3, 3) -> BN -> RELU -> POOL -> DROPOUT(0.3) -> FC(10)

train {
  split      = (0.7, 0.2, 0.1)
  preprocess = standardize
  augment    = [rotate(10), translate(1), noise(0.05)]
  regularize = l1(1e-4)
  optimizer  = adam(lr=0.01)
  schedule   = cosine(warmup=2)
  batch      = 16
  epochs     = 2
}
"""
SAMPLES = 60
STEPS = 6  # of EVERYTHING on that many samples


def some_digits(count: int = SAMPLES) -> tuple[Array, Array]:
    """Pictures (N, 1, 8, 8) and labels (N,)."""
    batch = digits.digits().take(np.arange(count))
    return batch.inputs["input"], batch.targets["target"]


def job(program: str = EVERYTHING, *, data: Any = None, **options: Any) -> Job:
    """A job on some digits, or on other data."""
    options = {key: str(v) if isinstance(v, Path) else v for key, v in options.items()}
    chosen = some_digits() if data is None else data
    return job_of(compiled(program), data=chosen, **options)


@cache
def compiled(program: str) -> Model:
    """A program, compiled once."""
    return netc.compile(program, name="program.net").model


class Killed(Exception):
    """What stands for the end of a process."""


class KilledAfter(Callback):
    """Ends a run in the middle of a step, after a number of them; nothing is saved any more."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step(self, progress: Progress, feeds: Feeds, results: Feeds) -> None:
        """Stop here."""
        if progress.step == self.steps:
            raise Killed


def run(of: Job, *callbacks: Callback) -> Loop:
    """Train as far as it goes, from the job's checkpoint where it has one."""
    loop = open_loop(of, callbacks=callbacks)
    loop.run()
    return loop


def go_on(of: Job, *callbacks: Callback) -> Loop:
    """Train on from the checkpoint in the job's folder."""
    return run(resumed(of), *callbacks)


def bits(loop: Loop) -> dict[str, bytes]:
    """All state of a run, and its best weights, to the last bit."""
    best = {f"best {name}": array for name, array in loop.best.items()}
    return {name: array.tobytes() for name, array in {**loop.stepper.state, **best}.items()}


def told(loop: Loop) -> list[dict[str, float | None]]:
    """The history without what a clock says."""
    rows = [row.values() for row in loop.history.rows]
    return [{name: v for name, v in row.items() if name != "seconds"} for row in rows]
