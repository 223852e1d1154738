"""Scores of yes and no -> what every threshold on them gives: ROC and precision-recall curves.

Equal scores are one threshold, as in scikit-learn, so the order of the samples does not matter.
"""

from dataclasses import dataclass

import numpy as np

from ..kerneldef import Array
from .outputs import unfit


@dataclass(frozen=True, slots=True)
class RocCurve:
    """The receiver operating characteristic, from no yes at all to nothing but yes.

    Attributes:
        false_positive_rate: The share of noes that are answered with yes, ascending.
        true_positive_rate: The share of yeses that are.
        thresholds: The score from which on the answer is yes, descending from infinity.
        area: The area under the curve by trapezoids: how likely a yes has a larger score than a
            no, ties counting half. NaN where there is no yes, or no no.
    """

    false_positive_rate: Array
    true_positive_rate: Array
    thresholds: Array
    area: float


@dataclass(frozen=True, slots=True)
class PrecisionRecallCurve:
    """Precision and recall, from the highest threshold to the lowest.

    Attributes:
        precision: The share of right answers among those with yes; 1 where there is none.
        recall: The share of yeses that are found, ascending from 0.
        thresholds: The score from which on the answer is yes, descending from infinity.
        average_precision: sum (R[n] - R[n-1]) P[n], not interpolated. NaN where there is no yes.
        share: How many of all are yes: the precision of guessing.
    """

    precision: Array
    recall: Array
    thresholds: Array
    average_precision: float
    share: float

    def best(self) -> tuple[float, float]:
        """The threshold with the largest F1, and that F1; of equal ones the highest threshold."""
        if len(self.thresholds) < 2:
            return float("nan"), float("nan")
        total = self.precision + self.recall
        f1 = np.divide(
            2 * self.precision * self.recall, total, out=np.zeros_like(total), where=total > 0
        )
        place = int(np.argmax(f1[1:])) + 1  # the first point answers nothing with yes
        return float(self.thresholds[place]), float(f1[place])


def roc_curve(positive: Array, scores: Array) -> RocCurve:
    """The ROC curve.

    Args:
        positive: For each sample whether the answer is yes, (N,).
        scores: The larger, the more likely it is said to be, (N,).

    Raises:
        NetError: E551, the shapes differ or scores are NaN.
    """
    thresholds, hits, alarms = _counts(positive, scores)
    found, raised = _shares(hits), _shares(alarms)
    heights = (found[1:] + found[:-1]) / 2
    area = float(np.sum(np.diff(raised) * heights)) if len(found) > 1 else float("nan")
    return RocCurve(raised, found, thresholds, area)


def precision_recall_curve(positive: Array, scores: Array) -> PrecisionRecallCurve:
    """The precision-recall curve.

    Args:
        positive: For each sample whether the answer is yes, (N,).
        scores: The larger, the more likely it is said to be, (N,).

    Raises:
        NetError: E551, the shapes differ or scores are NaN.
    """
    thresholds, hits, alarms = _counts(positive, scores)
    answered = hits + alarms
    precision = np.divide(hits, answered, out=np.ones(len(hits)), where=answered > 0)
    recall = _shares(hits)
    average = float(np.sum(np.diff(recall) * precision[1:])) if hits[-1] else float("nan")
    share = float(hits[-1] / answered[-1]) if answered[-1] else float("nan")
    return PrecisionRecallCurve(precision, recall, thresholds, average, share)


def _counts(positive: Array, scores: Array) -> tuple[Array, Array, Array]:
    """Thresholds downwards from infinity, and how many yeses and noes are at or above each."""
    positive, scores = np.asarray(positive, bool), np.asarray(scores)
    if positive.ndim != 1 or positive.shape != scores.shape:
        raise unfit(
            f"labels of shape {positive.shape} do not rank with scores of shape {scores.shape}",
            "give a score for each answer",
        )
    if np.isnan(scores).any():
        raise unfit("scores that are not numbers have no order", "leave such samples out")
    order = np.argsort(-scores, kind="stable")
    positive, scores = positive[order], scores[order]
    last = np.flatnonzero(np.append(np.diff(scores) != 0, [True] * bool(len(scores))))
    hits = np.cumsum(positive)[last]
    alarms = last + 1 - hits
    start = np.zeros(1, np.int64)
    thresholds = np.concatenate([[np.inf], scores[last]])
    return thresholds, np.concatenate([start, hits]), np.concatenate([start, alarms])


def _shares(counts: Array) -> Array:
    """Counts divided by the last of them; NaN where that is 0."""
    shares: Array = counts / counts[-1] if counts[-1] else np.full(len(counts), np.nan)
    return shares
