"""Metrics over many batches: their size does not matter, nor does a pause; wrong ones are named."""

from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.grammar.diagnostics import NetError
from netc.runtime.metrics.definitions import METRICS, Metrics
from netc.runtime.metrics.outputs import OutputForm

NAN = float("nan")


def data(task: str) -> tuple[OutputForm, Any, Any, list[str]]:
    """A form, outputs, targets and the metrics of a task."""
    rng = np.random.default_rng(1)
    names = [name for name, metric in METRICS.items() if task in metric.tasks]
    if task == "classes":
        return (
            OutputForm("classes"),
            rng.normal(size=(50, 4)),
            rng.integers(0, 4, 50),
            [
                *names,
                "top_2",
            ],
        )
    if task == "decisions":
        target = np.where(rng.random((50, 3)) < 0.1, NAN, rng.integers(0, 2, (50, 3)))
        return OutputForm("decisions"), rng.normal(size=(50, 3)), target, names
    output = np.sort(rng.normal(size=(50, 4)))
    target = np.where(rng.random((50, 4)) < 0.1, NAN, output + 0.1 * rng.normal(size=(50, 4)))
    return OutputForm("numbers"), output, target, names


@pytest.mark.parametrize("task", ["classes", "decisions", "numbers"])
@pytest.mark.parametrize("size", [1, 7, 49])
def test_batches_add_up(task: str, size: int) -> None:
    """Batches of any size give what the whole gives, the last and short one included."""
    form, output, target, names = data(task)
    whole, parts = Metrics(names, form), Metrics(names, form)
    whole.update(output, target)
    for start in range(0, 50, size):
        parts.update(output[start : start + size], target[start : start + size])
    assert parts.values() == pytest.approx(whole.values(), rel=1e-12)
    assert np.isfinite(list(whole.values().values())).all()


@pytest.mark.parametrize("task", ["classes", "decisions", "numbers"])
def test_reset_forgets_all_batches(task: str) -> None:
    """After it nothing is known, and what comes then counts alone."""
    form, output, target, names = data(task)
    reused, fresh = Metrics(names, form), Metrics(names, form)
    reused.update(output[:20], target[:20])
    reused.reset()
    assert np.isnan(list(reused.values().values())).all()
    for metrics in (reused, fresh):
        metrics.update(output[20:], target[20:])
    assert reused.values() == fresh.values()


def test_one_matrix_serves_many_metrics() -> None:
    """Accuracy and recall look at the same confusion matrix."""
    metrics = Metrics(["accuracy", "recall", "roc_auc"], OutputForm("classes"))
    assert metrics.accumulator("accuracy") is metrics.accumulator("recall")
    assert metrics.accumulator("accuracy") is not metrics.accumulator("roc_auc")


@pytest.mark.parametrize(
    ("name", "form", "output", "target", "message"),
    [
        (
            "accuracy",
            OutputForm("classes"),
            np.zeros((2, 3)),
            [0, 3],
            "the target holds class 3, and the output has 3 classes",
        ),
        (
            "accuracy",
            OutputForm("classes"),
            np.zeros((2, 3)),
            [0, -1],
            "the target holds class -1, and the output has 3 classes",
        ),
        (
            "accuracy",
            OutputForm("classes"),
            np.zeros((2, 3)),
            [0.0, NAN],
            "the target holds classes that are not integers",
        ),
        (
            "accuracy",
            OutputForm("classes"),
            np.zeros((2, 3)),
            [0, 1, 2],
            "an output of shape (2, 3) cannot be compared with a target of shape (3,)",
        ),
        (
            "accuracy",
            OutputForm("classes"),
            np.full((2, 3), NAN),
            [0, 1],
            "6 of 6 scores are not numbers",
        ),
        (
            "accuracy",
            OutputForm("classes"),
            np.zeros(3),
            [0, 1, 1],
            "an output of shape (3,) has no axis of classes",
        ),
        (
            "accuracy",
            OutputForm("classes", threshold=0.5),
            np.zeros((2, 3)),
            [0, 1],
            "a threshold decides between two classes, but there are 3",
        ),
        (
            "accuracy",
            OutputForm("decisions"),
            np.zeros((2, 3)),
            [0, 1],
            "an output of shape (2, 3) cannot be compared with a target of shape (2,)",
        ),
        (
            "mae",
            OutputForm("numbers"),
            np.zeros((2, 3)),
            [0, 1],
            "an output of shape (2, 3) cannot be compared with a target of shape (2,)",
        ),
        (
            "box_iou",
            OutputForm("numbers"),
            np.zeros((2, 3)),
            np.zeros((2, 3)),
            "boxes have four numbers",
        ),
    ],
)
def test_what_does_not_fit(
    name: str, form: OutputForm, output: Any, target: Any, message: str
) -> None:
    """Outputs and targets that cannot be compared are an error that says why."""
    metrics = Metrics([name], form)
    assert refusal(metrics.update, output, np.asarray(target)).startswith(f"error[E551]: {message}")


def test_the_size_may_not_change() -> None:
    """A batch with more classes, or more numbers, than the one before is an error."""
    metrics = Metrics(["accuracy"], OutputForm("classes"))
    metrics.update(np.zeros((1, 3)), np.array([0]))
    with pytest.raises(NetError, match="the number of classes changed"):
        metrics.update(np.zeros((1, 4)), np.array([0]))
    errors = Metrics(["mae"], OutputForm("numbers"))
    errors.update(np.zeros((1, 3)), np.zeros((1, 3)))
    with pytest.raises(NetError, match="the size of the output changed"):
        errors.update(np.zeros((1, 4)), np.zeros((1, 4)))


def test_a_single_channel_may_be_left_out() -> None:
    """Targets (N, H, W) of outputs (N, 1, H, W), and (N,) of (N, 1)."""
    decided = Metrics(["accuracy"], OutputForm("decisions"))
    decided.update(np.ones((2, 1, 3, 3)), np.ones((2, 3, 3)))
    assert decided.values() == {"accuracy": 1.0}
    errors = Metrics(["mae"], OutputForm("numbers"))
    errors.update(np.ones((2, 1)), np.array([1.0, 3.0]))
    assert errors.values() == {"mae": 1.0}
