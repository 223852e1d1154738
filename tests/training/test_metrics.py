"""Metrics against examples worked by hand."""

from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.compiler.training.lossdef import Task
from netc.compiler.training.losses import LOSSES
from netc.grammar.diagnostics import NetError
from netc.runtime.metrics.accumulators import Confusion
from netc.runtime.metrics.box_overlap import box_iou
from netc.runtime.metrics.by_task import evaluation_metrics, training_metrics
from netc.runtime.metrics.definitions import (
    METRICS,
    Metrics,
    direction,
    find_metric,
    our_name,
    per_class,
)
from netc.runtime.metrics.outputs import OutputForm

CLASSES = OutputForm("classes")
DECISIONS = OutputForm("decisions")
NUMBERS = OutputForm("numbers")
NAN = float("nan")

# Right classes 0 0 0 1 1 2, answered 0 0 1 1 2 2: one of each kind of mistake.
RIGHT = np.array([0, 0, 0, 1, 1, 2])
SCORES = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2]]


def measured(name: str, form: OutputForm, output: Any, target: Any) -> float:
    """A metric of one batch."""
    metrics = Metrics([name], form)
    metrics.update(np.asarray(output), np.asarray(target))
    return metrics.values()[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", 4 / 6),
        ("balanced_accuracy", (2 / 3 + 1 / 2 + 1) / 3),
        ("precision", (1 + 1 / 2 + 1 / 2) / 3),
        ("recall", (2 / 3 + 1 / 2 + 1) / 3),
        ("f1", (4 / 5 + 2 / 4 + 2 / 3) / 3),
        ("precision_micro", 4 / 6),
        ("recall_micro", 4 / 6),
        ("f1_micro", 4 / 6),
        ("iou", (2 / 3 + 1 / 3 + 1 / 2) / 3),
        ("top_1", 4 / 6),
        ("top_3", 1.0),
    ],
)
def test_metrics_of_classes(name: str, value: float) -> None:
    """Six answers to three classes give what counting by hand gives."""
    assert measured(name, CLASSES, SCORES, RIGHT) == pytest.approx(value, abs=1e-15)


def test_confusion_matrix() -> None:
    """Rows are the right classes, columns the answers."""
    confusion = Confusion(CLASSES)
    confusion.update(SCORES, RIGHT)
    assert confusion.counts.tolist() == [[[2, 1, 0], [0, 1, 1], [0, 0, 1]]]


def test_each_class_has_its_row() -> None:
    """Shares per class are named, and a class that does not occur has none."""
    confusion = Confusion(OutputForm("classes", names=("a", "b", "c")))
    confusion.update(np.eye(3)[[0, 0, 1]], np.array([0, 1, 1]))
    first, second, third = per_class(confusion)
    assert first == {
        "class": "a",
        "precision": 0.5,
        "recall": 1.0,
        "f1": 2 / 3,
        "iou": 0.5,
        "support": 1,
    }
    assert (second["class"], second["precision"], second["recall"]) == ("b", 1.0, 0.5)
    assert np.isnan(third["f1"])
    assert third["support"] == 0


def test_absent_classes_do_not_count() -> None:
    """A class that is neither wanted nor answered is no part of a mean over the classes."""
    scores, right = np.eye(5)[[0, 0, 1]], np.array([0, 1, 1])
    assert measured("f1", CLASSES, scores, right) == pytest.approx(2 / 3)
    assert measured("iou", CLASSES, scores, right) == pytest.approx(0.5)
    assert measured("balanced_accuracy", CLASSES, scores, right) == pytest.approx(0.75)


@pytest.mark.parametrize("name", [*METRICS, "top_5"])
def test_nothing_measured_is_nan(name: str) -> None:
    """Without any sample, a metric is NaN and not a mistake."""
    form = OutputForm(find_metric(name).tasks[0])
    assert np.isnan(Metrics([name], form).values()[name])


def test_top_k_breaks_ties_by_order() -> None:
    """Of equal scores the first counts as the larger, so constant scores gain nothing."""
    constant = np.zeros((4, 4))
    assert measured("top_1", CLASSES, constant, np.arange(4)) == 0.25
    assert measured("top_2", CLASSES, constant, np.arange(4)) == 0.5
    assert measured("accuracy", CLASSES, constant, np.arange(4)) == 0.25


def test_metrics_of_decisions() -> None:
    """Of five logits, three answered with yes, two of these are right: TP 2, FP 1, FN 1, TN 1."""
    logits, target = np.array([[2.0], [1.0], [0.0], [-1.0], [-3.0]]), np.array([1, 0, 1, 1, 0])
    found = Metrics(["accuracy", "precision", "recall", "f1", "iou"], DECISIONS)
    found.update(logits, target)
    expected = {"accuracy": 3 / 5, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "iou": 1 / 2}
    assert found.values() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("threshold", "recall", "precision"), [(0.3, 1.0, 2 / 3), (0.5, 0.5, 1 / 2), (0.7, 0.5, 1.0)]
)
def test_threshold_decides(threshold: float, recall: float, precision: float) -> None:
    """A higher threshold finds less and errs less, on probabilities and on their logits."""
    chances, target = np.array([0.9, 0.6, 0.4, 0.1]), np.array([1.0, 0.0, 1.0, 0.0])
    chosen = OutputForm("decisions", scores="probabilities", threshold=threshold)
    logits = OutputForm("decisions", scores="logits", threshold=threshold)
    pair = OutputForm("classes", scores="probabilities", threshold=threshold)
    both = np.stack([1 - chances, chances], axis=1)
    assert measured("recall", chosen, chances, target) == recall
    assert measured("precision", chosen, chances, target) == precision
    assert measured("recall", logits, np.log(chances / (1 - chances)), target) == recall
    confusion = Confusion(pair)
    confusion.update(both, target.astype(int))
    assert per_class(confusion)[1]["recall"] == recall


def test_several_labels_count_each_for_itself() -> None:
    """The mean over labels weighs them equally; unknown targets are left out."""
    scores = np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    target = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, NAN]])
    found = Metrics(["accuracy", "precision", "precision_micro"], DECISIONS)
    found.update(scores, target)
    expected = {"accuracy": 4 / 5, "precision": (1 / 2 + 1) / 2, "precision_micro": 2 / 3}
    assert found.values() == pytest.approx(expected)


def test_margins_are_decided_at_zero() -> None:
    """A binary hinge's targets are 1 and -1 or 1 and 0, and its scores are not probabilities."""
    form = OutputForm("decisions", scores=LOSSES["hinge"].scores)
    scores = np.array([[0.3], [-0.1], [0.2]])
    assert measured("accuracy", form, scores, np.array([[1.0], [-1.0], [-1.0]])) == 2 / 3
    assert measured("accuracy", form, scores, np.array([[1.0], [0.0], [0.0]])) == 2 / 3


def test_pixels_are_counted_one_by_one() -> None:
    """Mean IoU over (N, K, H, W), without the pixels of the ignored index."""
    target = np.array([[[0, 0], [1, 255]]])
    answers = np.array([[[0, 1], [1, 0]]])
    scores = np.moveaxis(np.eye(2)[answers], -1, 1)
    form = OutputForm("classes", ignore_index=255)
    assert measured("iou", form, scores, target) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert measured("accuracy", form, scores, target) == pytest.approx(2 / 3)


def test_one_hot_targets_name_their_class() -> None:
    """Targets of probabilities count as their likeliest class, pixels too."""
    assert measured("accuracy", CLASSES, SCORES, np.eye(3)[RIGHT]) == pytest.approx(4 / 6)
    sequence = OutputForm("classes", axis=2)
    scores, right = SCORES.reshape(2, 3, 3), RIGHT.reshape(2, 3)
    assert measured("accuracy", sequence, scores, right) == pytest.approx(4 / 6)


def test_errors_of_numbers() -> None:
    """Mean absolute error, root mean square error and R2 of two columns, one target missing."""
    output = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    target = np.array([[1.0, 12.0], [4.0, 20.0], [4.0, NAN]])
    found = Metrics(["mae", "rmse", "r2"], NUMBERS)
    found.update(output, target)
    # Columns: 1 - (0 + 4 + 1) / (4 + 1 + 1), and 1 - 4 / (16 + 16).
    expected = {"mae": 5 / 5, "rmse": (9 / 5) ** 0.5, "r2": ((1 - 5 / 6) + (1 - 4 / 32)) / 2}
    assert found.values() == pytest.approx(expected)


def test_spread_survives_a_far_mean() -> None:
    """R2 of targets around 1e8 is that of the same targets around 0."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=(500, 1))
    output = target + 0.1 * rng.normal(size=(500, 1))
    near, far = Metrics(["r2"], NUMBERS), Metrics(["r2"], NUMBERS)
    for start in range(0, 500, 7):
        part = slice(start, start + 7)
        near.update(output[part], target[part])
        far.update(output[part] + 1e8, target[part] + 1e8)
    expected = 1 - ((output - target) ** 2).sum() / ((target - target.mean()) ** 2).sum()
    assert near.values()["r2"] == pytest.approx(expected, rel=1e-12)
    assert far.values()["r2"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("boxes", "first", "second"),
    [
        ("corners", [0, 0, 2, 2], [1, 1, 3, 3]),
        ("size", [0, 0, 2, 2], [1, 1, 2, 2]),
        ("center", [1, 1, 2, 2], [2, 2, 2, 2]),
    ],
)
def test_overlap_of_boxes(boxes: Any, first: list[int], second: list[int]) -> None:
    """Two squares of area 4 that share 1 have IoU 1/7, however they are written."""
    assert box_iou(np.array([first]), np.array([second]), boxes=boxes) == pytest.approx([1 / 7])


def test_boxes_at_the_edges() -> None:
    """Equal boxes share all, touching and empty ones nothing; missing targets are left out."""
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]], float)
    others = np.array([[0, 0, 1, 1], [1, 0, 2, 1], [1, 1, 0, 0], [NAN] * 4])
    assert box_iou(boxes[:3], others[:3]).tolist() == [1.0, 0.0, 0.0]
    assert measured("box_iou", NUMBERS, boxes, others) == pytest.approx(1 / 3)
    assert measured("box_hits", NUMBERS, boxes, others) == pytest.approx(1 / 3)


def test_every_loss_has_its_metrics() -> None:
    """What suits a loss can be measured on its output."""
    for row in LOSSES.values():
        task = row.targets.task
        for positions in (False, True):
            form = OutputForm(task, scores=row.scores)
            assert Metrics(training_metrics(task, positions=positions), form).values()
            assert Metrics(evaluation_metrics(task, classes=2, positions=positions), form).values()


@pytest.mark.parametrize(
    ("task", "positions", "names"),
    [
        ("classes", False, ("accuracy",)),
        ("classes", True, ("iou", "accuracy")),
        ("decisions", False, ("accuracy",)),
        ("numbers", False, ("mae",)),
    ],
)
def test_metrics_that_suit(task: Task, positions: bool, names: tuple[str, ...]) -> None:
    """Classes are followed by accuracy, pixels by mean IoU, numbers by mean absolute error."""
    assert training_metrics(task, positions=positions) == names


def test_evaluations_ask_more() -> None:
    """Ten classes are ranked, two are tried at thresholds, pixels at none."""
    assert "top_5" in evaluation_metrics("classes", classes=10)
    assert "roc_auc" in evaluation_metrics("classes", classes=2)
    assert "roc_auc" not in evaluation_metrics("decisions", positions=True)


@pytest.mark.parametrize(
    ("column", "better"),
    [
        ("val_loss", "lower"),
        ("accuracy", "higher"),
        ("val_top_5", "higher"),
        ("val_mae", "lower"),
        ("val_box.box_iou", "higher"),
    ],
)
def test_direction_of_a_column(column: str, better: str) -> None:
    """Losses and errors are better when lower, shares when higher."""
    assert direction(column) == better


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("acuracy", CLASSES, "unknown metric `acuracy`\n  = help: did you mean `accuracy`?"),
        ("top_0", CLASSES, "unknown metric `top_0`"),
        ("top_²", CLASSES, "unknown metric `top_²`"),
        ("mae", CLASSES, "`mae` is not a metric for classes"),
        ("accuracy", NUMBERS, "`accuracy` is not a metric for numbers"),
        ("top_5", DECISIONS, "`top_5` is not a metric for decisions"),
    ],
)
def test_metrics_that_are_not(name: str, form: OutputForm, message: str) -> None:
    """A misspelled or unsuitable metric is an error that says which there are."""
    raised = refusal(Metrics, [name], form)
    assert message in raised
    assert "= help: " in raised


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("acc", "accuracy"),
        ("val_acc", "val_accuracy"),
        ("f1_score", "f1"),
        ("F1-score", "f1"),
        ("mIoU", "iou"),
        ("val_mean_iou", "val_iou"),
        ("auc", "roc_auc"),
        ("root_mean_squared_error", "rmse"),
        ("r2_score", "r2"),
        ("sensitivity", "recall"),
        ("top_k_categorical_accuracy", "top_5"),
    ],
)
def test_metrics_of_other_frameworks_are_known_by_our_name(written: str, meant: str) -> None:
    """The name is ours, `val_` kept, and there is such a metric."""
    assert our_name(written) == meant
    assert find_metric(meant.removeprefix("val_")).name == meant.removeprefix("val_")
    with pytest.raises(NetError, match=f"write `{meant}`"):
        find_metric(written)
