"""The loss of the best constant answer, and how sure a mean over few samples is."""

from math import inf, log
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of

from netc.runtime.learning_curves.baseline import known_of
from netc.runtime.learning_curves.of_run import standard_error
from netc.runtime.sanity.expected_loss import constant_loss
from netc.runtime.sanity.guessed_loss import least_loss

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


ONE_HOT = np.eye(2, dtype=np.float32)[FIFTH.astype(int)]
GRAY = np.where(FIFTH, 0.9, 0.25).astype(np.float32)
SHARES = np.linspace(0.001, 0.999, 999)
WEIGHED = [
    ("cross_entropy(class_weights=[1, 3])", FIFTH.astype(int)),
    ("cross_entropy(class_weights=[1, 3], label_smoothing=0.2)", FIFTH.astype(int)),
    ("cross_entropy(class_weights=balanced, label_smoothing=0.2)", FIFTH.astype(int)),
    ("cross_entropy(class_weights=[1, 3])", ONE_HOT),
    ("cross_entropy(class_weights=[1, 3], label_smoothing=0.2)", ONE_HOT),
    ("cross_entropy(class_weights=[1, 3], label_smoothing=0.2)", SPLIT),
    ("binary_cross_entropy", GRAY),
    ("binary_cross_entropy(pos_weight=3)", GRAY),
]


@pytest.mark.parametrize(("loss", "target"), WEIGHED)
def test_no_constant_answer_costs_less(loss: str, target: Any) -> None:
    """With weights, smoothing and probabilities, too, a guess costs what the best of many does."""
    binary = loss.startswith("binary")
    program = f"INPUT(3) -> FC({1 if binary else 2})\ntrain {{ loss = {loss}, split = (1, 0, 0) }}"
    job = job_of(program, (X, target))
    ((output, term),) = job.objective.losses.items()
    feed, given = job.wiring.targets[output], job.sample_feeds(100)["target"]
    costs = [
        constant_loss(
            job.graph.outputs[output].type,
            term,
            feed,
            given,
            float(np.log(q / (1 - q))) if binary else np.log([1 - q, q]),
        )
        for q in SHARES
    ]
    guess = known_of(job).guess
    assert guess is not None
    assert guess <= min(costs) + 1e-12
    assert guess == pytest.approx(min(costs), rel=1e-5)


def _entropy(*shares: float) -> float:
    return float(-np.sum(np.array(shares) * np.log(shares)))


GRAYS = 0.2 * _entropy(0.9, 0.1) + 0.8 * _entropy(0.25, 0.75)


@pytest.mark.parametrize(
    ("end", "loss", "target", "value"),
    [
        ("FC(1)", "binary_cross_entropy", FIFTH.astype(np.float32), 0.0),
        ("FC(1)", "binary_cross_entropy", GRAY, GRAYS),
        (
            "FC(1)",
            "binary_cross_entropy",
            np.where(FIFTH, np.nan, GRAY).astype(np.float32),
            _entropy(0.25, 0.75),
        ),
        (
            "FC(2)",
            "binary_cross_entropy(pos_weight=[1, 3])",
            np.stack([GRAY, np.full(100, 0.25)], axis=1).astype(np.float32),
            (GRAYS + 1.5 * _entropy(0.5, 0.5)) / 2,  # 0.75 and 0.75 after weighing
        ),
        ("FC(2)", "cross_entropy", FIFTH.astype(int), 0.0),
        ("FC(2)", "cross_entropy(label_smoothing=0.1)", FIFTH.astype(int), _entropy(0.95, 0.05)),
        ("FC(2)", "cross_entropy", SPLIT, _entropy(0.8, 0.2)),
        (
            "FC(2)",
            "cross_entropy(class_weights=[1, 3], label_smoothing=0.5)",
            np.ones(100, int),  # 0.25 and 2.25 of 2.5, divided by 3
            2.5 / 3 * _entropy(0.1, 0.9),
        ),
        ("FC(2) -> SOFTMAX", "kl_divergence", SPLIT, 0.0),
        ("FC(2)", "hinge", FIFTH.astype(int), 0.0),
        ("FC(1)", "mse", NUMBERS, 0.0),
    ],
)
def test_the_best_answers(end: str, loss: str, target: Any, value: float) -> None:
    """Right answers cost nothing but the entropy of probabilities and smoothed labels."""
    job = job_of(f"INPUT(3) -> {end}\ntrain {{ loss = {loss}, split = (1, 0, 0) }}", (X, target))
    found = least_loss(job.graph, job.objective, job.wiring, job.sample_feeds(100))
    assert found == pytest.approx(value, rel=1e-6, abs=1e-7)


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
