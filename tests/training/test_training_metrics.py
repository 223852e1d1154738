"""Metrics of the training batches, measured while they are trained on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of
from support.training import Killed, KilledAfter, go_on, run, told

from netc.runtime.run_folder.checkpoint import load_checkpoint
from netc.runtime.training.loop import Callback, Feeds, Progress

CLASSES = """
INPUT(6) -> FC(8) -> RELU -> DROPOUT(0.2) -> FC(3)
train { epochs = 3, batch = 7, split = (0.8, 0.2), optimizer = sgd(lr=0.1) }
"""
NUMBERS = """
INPUT(6) -> FC(8) -> TANH -> FC(2)
train { loss = mse, epochs = 3, batch = 7, split = (0.8, 0.2), optimizer = sgd(lr=0.1) }
"""


def data(program: str) -> Any:
    """Fifty samples with classes or numbers."""
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 6)).astype(np.float32)
    return x, np.arange(50) % 3 if program is CLASSES else x[:, :2] ** 2


class Kept(Callback):
    """Keeps the outputs and the targets of each step, by epoch."""

    def __init__(self) -> None:
        self.epochs: dict[int, list[tuple[Any, Any]]] = {}

    def on_step(self, progress: Progress, feeds: Feeds, results: Feeds) -> None:
        """Keep a step's."""
        pair = np.array(results["output"]), np.array(feeds["target"])
        self.epochs.setdefault(progress.epoch, []).append(pair)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(("program", "metric"), [(CLASSES, "accuracy"), (NUMBERS, "mae")])
def test_they_are_those_of_the_batches(program: str, metric: str, engine: str) -> None:
    """A row has the metric of all outputs of its epoch's steps, beside that of validation."""
    kept = Kept()
    found = run(job_of(program, data(program), engine=engine), kept)
    for row, steps in zip(found.history.rows, kept.epochs.values(), strict=True):
        outputs, targets = (np.concatenate(arrays) for arrays in zip(*steps, strict=True))
        assert len(outputs) == 40
        right = outputs.argmax(axis=1) == targets if metric == "accuracy" else None
        expected = np.abs(outputs - targets).mean() if right is None else right.mean()
        assert row.metrics[metric] == pytest.approx(expected, rel=1e-6)
        assert list(row.metrics) == [metric, f"val_{metric}"]


@pytest.mark.parametrize("program", [CLASSES, NUMBERS])
@pytest.mark.parametrize("step", [2, 4, 7, 9])
def test_they_go_on_where_a_run_was_killed(program: str, step: int, tmp_path: Path) -> None:
    """Resumed within an epoch, a run has the same history, to the last bit."""
    options: dict[str, Any] = {"folder": str(tmp_path), "every": 0}
    with pytest.raises(Killed):
        run(job_of(program, data(program), **options), KilledAfter(step))
    saved = load_checkpoint(str(tmp_path / "checkpoint.safetensors"))
    assert bool(saved.measured) == bool(saved.progress["batch"])
    found = go_on(job_of(program, data(program), **options))
    expected = run(job_of(program, data(program)))
    assert told(found) == told(expected)
    for row, other in zip(found.history.rows, expected.history.rows, strict=True):
        assert row.metrics == other.metrics


def test_they_can_decide_which_epoch_is_best() -> None:
    """A run is compared by a training metric where it is asked for, with no validation, too."""
    program = CLASSES.replace("(0.8, 0.2)", "(1, 0)")
    found = run(job_of(program, data(CLASSES), monitor="accuracy"))
    accuracies = [row.metrics["accuracy"] for row in found.history.rows]
    assert found.stopping.best_epoch == 1 + int(np.argmax(np.array(accuracies, float)))
