"""ROC and precision-recall curves: examples by hand, ties, and their definitions tried out."""

import numpy as np
import pytest

from netc.grammar.diagnostics import NetError
from netc.runtime.metrics.definitions import Metrics
from netc.runtime.metrics.outputs import OutputForm, sigmoid, softmax
from netc.runtime.metrics.threshold_curves import precision_recall_curve, roc_curve

INF = float("inf")
POSITIVE = np.array([False, False, True, True])
SCORES = np.array([0.1, 0.4, 0.35, 0.8])


def test_roc_by_hand() -> None:
    """Four samples of which one pair stands in the wrong order: 3 of 4 pairs are right."""
    curve = roc_curve(POSITIVE, SCORES)
    assert curve.thresholds.tolist() == [INF, 0.8, 0.4, 0.35, 0.1]
    assert curve.true_positive_rate.tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve.false_positive_rate.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.area == 0.75


def test_precision_and_recall_by_hand() -> None:
    """The same four: recall rises by a half at precision 1, and by a half at 2/3."""
    curve = precision_recall_curve(POSITIVE, SCORES)
    assert curve.precision.tolist() == [1, 1, 1 / 2, 2 / 3, 1 / 2]
    assert curve.recall.tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert curve.share == 0.5
    assert curve.best() == pytest.approx((0.35, 0.8))


def test_ties_are_one_threshold() -> None:
    """Equal scores are taken together, so the order of samples changes nothing."""
    positive = np.array([True, False, True, False, True])
    scores = np.array([0.5, 0.5, 0.5, 0.2, 0.2])
    curve = roc_curve(positive, scores)
    assert curve.thresholds.tolist() == [INF, 0.5, 0.2]
    # Pairs: yes above no 2 times, equal 2 + 1 times a half, of 6 pairs.
    assert curve.area == pytest.approx((2 + 3 / 2) / 6)
    rng = np.random.default_rng(0)
    for _ in range(10):
        order = rng.permutation(5)
        assert roc_curve(positive[order], scores[order]).area == curve.area
    constant = roc_curve(positive, np.zeros(5))
    assert (constant.area, len(constant.thresholds)) == (0.5, 2)
    found = precision_recall_curve(positive, np.zeros(5))
    assert found.average_precision == pytest.approx(3 / 5)


def test_area_is_the_share_of_ordered_pairs() -> None:
    """The area counts pairs in the right order, ties by half, on coarse random scores."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        positive = rng.random(60) < 0.3
        scores = np.round(rng.normal(size=60) + positive, 1)
        difference = scores[positive][:, None] - scores[~positive]
        pairs = np.mean((difference > 0) + 0.5 * (difference == 0))
        assert roc_curve(positive, scores).area == pytest.approx(pairs, rel=1e-12)


def test_points_are_what_thresholds_give() -> None:
    """At each threshold, rates are those of the answers `score >= threshold`."""
    rng = np.random.default_rng(3)
    positive, scores = rng.random(40) < 0.4, np.round(rng.normal(size=40), 1)
    roc, recalls = roc_curve(positive, scores), precision_recall_curve(positive, scores)
    for i, threshold in enumerate(roc.thresholds[1:], start=1):
        yes = scores >= threshold
        assert roc.true_positive_rate[i] == pytest.approx(yes[positive].mean())
        assert roc.false_positive_rate[i] == pytest.approx(yes[~positive].mean())
        assert recalls.precision[i] == pytest.approx(positive[yes].mean())


@pytest.mark.parametrize(("positive", "size"), [(True, 3), (False, 3), (False, 0)])
def test_one_sided_targets_have_no_area(positive: bool, size: int) -> None:
    """Without a yes, or without a no, the area under ROC is NaN."""
    answers = np.full(size, positive)
    assert np.isnan(roc_curve(answers, np.arange(float(size))).area)
    found = precision_recall_curve(answers, np.arange(float(size)))
    assert np.isnan(found.average_precision) != positive


def test_ranking_of_classes() -> None:
    """Two classes are ranked by the second; of more, each against the rest, the mean."""
    rng = np.random.default_rng(4)
    target, logits = rng.integers(0, 2, 30), rng.normal(size=(30, 2))
    metrics = Metrics(["roc_auc", "average_precision"], OutputForm("classes"))
    metrics.update(logits, target)
    difference = sigmoid(logits[:, 1] - logits[:, 0])
    assert metrics.values() == pytest.approx(
        {
            "roc_auc": roc_curve(target == 1, difference).area,
            "average_precision": precision_recall_curve(target == 1, difference).average_precision,
        }
    )
    target, logits = rng.integers(0, 3, 30), rng.normal(size=(30, 3))
    shares = softmax(logits)
    metrics.reset()
    metrics.update(logits, target)
    areas = [roc_curve(target == k, shares[:, k]).area for k in range(3)]
    assert metrics.values()["roc_auc"] == pytest.approx(np.mean(areas))


@pytest.mark.parametrize("scores", ["logits", "log_probabilities", "probabilities"])
def test_all_scores_rank_alike(scores: str) -> None:
    """Logits, their logarithms of softmax and their softmax give the same curves."""
    rng = np.random.default_rng(5)
    target, logits = rng.integers(0, 3, 50), rng.normal(size=(50, 3))
    given = {
        "logits": logits,
        "log_probabilities": np.log(softmax(logits)),
        "probabilities": softmax(logits),
    }
    metrics = Metrics(["roc_auc"], OutputForm("classes", scores=scores))  # type: ignore[arg-type]  # by name
    metrics.update(given[scores], target)
    areas = [roc_curve(target == k, softmax(logits)[:, k]).area for k in range(3)]
    assert metrics.values()["roc_auc"] == pytest.approx(np.mean(areas), rel=1e-12)


def test_large_logits_do_not_overflow() -> None:
    """Scores of a thousand are probabilities of 0 and 1, without a warning."""
    with np.errstate(all="raise", under="ignore"):
        assert sigmoid(np.array([-1e3, 0.0, 1e3])).tolist() == [0.0, 0.5, 1.0]
        assert softmax(np.array([[1e3, -1e3]])).tolist() == [[1.0, 0.0]]


def test_scores_without_order_are_refused() -> None:
    """NaN has no place in a ranking, and each answer needs a score."""
    with pytest.raises(NetError, match="no order"):
        roc_curve(POSITIVE, np.array([0.1, float("nan"), 0.2, 0.3]))
    with pytest.raises(NetError, match="do not rank"):
        roc_curve(POSITIVE, SCORES[:3])
