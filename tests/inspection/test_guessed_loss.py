"""The loss of the best constant answer, and how sure a mean over few samples is."""

from math import inf, log
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of

from netc.runtime.learning_curves.baseline import known_of
from netc.runtime.learning_curves.of_run import standard_error

X = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
FIFTH = np.arange(100) % 5 == 0
NUMBERS = np.where(FIFTH, 10.0, 0.0).astype(np.float32)[:, None]
H = -(0.2 * log(0.2) + 0.8 * log(0.8))
HALF = np.arange(100) % 2
SPLIT = np.where(np.stack([HALF, 1 - HALF], axis=1), 0.2, 0.8).astype(np.float32)
Q = 0.9 * np.array([0.2, 0.8]) + 0.05

CASES: list[tuple[str, str, Any, float]] = [
    ("FC(2)", "cross_entropy", FIFTH.astype(int), H),
    ("FC(2) -> SOFTMAX", "cross_entropy", FIFTH.astype(int), H),
    ("FC(4)", "cross_entropy", np.arange(100) % 4, log(4)),
    ("FC(4)", "cross_entropy", np.eye(4, dtype=np.float32)[np.arange(100) % 4], log(4)),
    (
        "FC(2)",
        "cross_entropy(label_smoothing=0.1)",
        FIFTH.astype(int),
        float(-(Q * np.log(Q)).sum()),
    ),
    (
        "FC(2)",
        "cross_entropy(label_smoothing=0.1)",
        np.stack([~FIFTH, FIFTH], axis=1).astype(np.float32),
        float(-(Q * np.log(Q)).sum()),
    ),
    ("FC(2) -> SOFTMAX", "kl_divergence", SPLIT, log(2) - H),
    ("FC(2) -> LOGSOFTMAX", "nll", FIFTH.astype(int), H),
    ("FC(1)", "binary_cross_entropy", FIFTH.astype(np.float32), H),
    (
        "FC(2)",
        "binary_cross_entropy",
        np.stack([FIFTH, np.arange(100) % 2], axis=1).astype(np.float32),
        (H + log(2)) / 2,
    ),
    ("FC(1)", "hinge", FIFTH.astype(np.float32), 0.4),
    ("FC(4)", "hinge(margin=2)", np.where(FIFTH, 1, 0), 0.4),
    ("FC(1)", "mse", NUMBERS, 16.0),
    ("FC(1)", "mae", NUMBERS, 2.0),
]


@pytest.mark.parametrize(("end", "loss", "target", "value"), CASES)
def test_the_best_constant_answer(end: str, loss: str, target: Any, value: float) -> None:
    """Of classes it costs the entropy of their frequencies, of numbers what mean or median do."""
    program = f"INPUT(3) -> {end}\ntrain {{ loss = {loss}, split = (1, 0, 0) }}"
    known = known_of(job_of(program, (X, target)))
    assert known.guess == pytest.approx(value, rel=1e-6)
    assert not known.constant


@pytest.mark.parametrize(
    ("end", "loss", "target"),
    [
        ("FC(4)", "cross_entropy", np.full(100, 2)),
        ("FC(1)", "mse", np.full((100, 1), 0.1, np.float32)),
        ("FC(2)", "binary_cross_entropy", np.tile(np.array([0.0, 1.0], np.float32), (100, 1))),
    ],
)
def test_constant_targets_are_known(end: str, loss: str, target: Any) -> None:
    """Targets that are the same for all samples are found in classes, numbers and decisions."""
    program = f"INPUT(3) -> {end}\ntrain {{ loss = {loss} }}"
    assert known_of(job_of(program, (X, target))).constant


def test_the_standard_error_of_a_mean() -> None:
    """It is the deviation over the root of n; a value that alone differs is as large as its error.

    Groups weigh by their samples, and a single one tells nothing.
    """
    values = np.random.default_rng(0).normal(size=50)
    ones = np.ones(50)
    assert standard_error(values, ones) == pytest.approx(values.std(ddof=1) / 50**0.5)
    alone = np.where(np.arange(15) == 3, 6.0, 0.0)
    assert standard_error(alone, ones[:15]) == pytest.approx(alone.mean())
    assert standard_error(values, 7 * ones) == pytest.approx(standard_error(values, ones))
    assert standard_error(values[:1], ones[:1]) == inf
