"""What metrics are computed from, gathered batch by batch: counts, errors, hits, scores."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..kerneldef import Array
from .box_overlap import box_iou
from .outputs import OutputForm, positive_scores, predicted, table, unfit


class Accumulator(Protocol):
    """Something gathered batch by batch, for batches of any size."""

    def merge(self, other: Any) -> None:
        """Add what another of its kind has gathered."""
        ...

    def update(self, output: Array, target: Array) -> None:
        """Add a batch.

        Raises:
            NetError: E551, output and target do not fit.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How often each class or label was right and wrong, each of shape (C,)."""

    true_positives: Array
    false_positives: Array
    false_negatives: Array

    @property
    def present(self) -> Array:
        """Which classes occur at all, in a target or in an answer."""
        present: Array = self.true_positives + self.false_positives + self.false_negatives > 0
        return present


class Confusion:
    """How often each class was taken for each: `counts[label, right class, answered class]`.

    Classes have one matrix of (K, K); decisions have one of (2, 2) for each label.
    """

    def __init__(self, form: OutputForm) -> None:
        self.form = form
        self.counts: Array = np.zeros((0, 0, 0), np.int64)

    def update(self, output: Array, target: Array) -> None:
        """Add a batch."""
        scores, answers = table(self.form, output, target)
        chosen = predicted(self.form, scores)
        if self.form.task == "classes":
            self._add(pair_counts(answers, chosen, scores.shape[1])[None])
            return
        known = answers >= 0
        columns = range(scores.shape[1])
        pairs = [pair_counts(answers[known[:, c], c], chosen[known[:, c], c], 2) for c in columns]
        self._add(np.stack(pairs))

    def merge(self, other: "Confusion") -> None:
        """Add what another one has counted."""
        if other.counts.size:
            self._add(other.counts)

    def _add(self, counts: Array) -> None:
        if not self.counts.size:
            self.counts = counts
            return
        if counts.shape != self.counts.shape:
            raise unfit("the number of classes changed from batch to batch", "check the data")
        self.counts = self.counts + counts

    def outcomes(self) -> Outcomes:
        """Right and wrong answers for each class; for decisions, for the yes of each label."""
        counts = self.counts
        right = np.diagonal(counts, axis1=1, axis2=2)
        answered, wanted = counts.sum(axis=1), counts.sum(axis=2)
        parts = right, answered - right, wanted - right
        if self.form.task == "classes":
            return Outcomes(*(part[0] if len(part) else part.reshape(-1) for part in parts))
        return Outcomes(*(part[:, 1] if part.size else part.reshape(-1) for part in parts))


def pair_counts(right: Array, answered: Array, classes: int) -> Array:
    """How often each pair of indices below `classes` occurs, (classes, classes)."""
    pairs = np.bincount(right.astype(np.int64) * classes + answered, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


class TopK:
    """How often the right class was among the k with the largest scores.

    Of equal scores, the class that comes first counts as the larger one.
    """

    def __init__(self, form: OutputForm, k: int) -> None:
        self.form, self.k = form, k
        self.totals: Array = np.zeros(2, np.int64)  # hits, positions

    def update(self, output: Array, target: Array) -> None:
        """Add a batch."""
        scores, index = table(self.form, output, target)
        own = np.take_along_axis(scores, index[:, None], axis=1)
        before = np.arange(scores.shape[1]) < index[:, None]
        ahead = (scores > own).sum(axis=1) + ((scores == own) & before).sum(axis=1)
        self.totals = self.totals + np.array([(ahead < self.k).sum(), len(index)])

    def merge(self, other: "TopK") -> None:
        """Add what another one has counted."""
        self.totals = self.totals + other.totals


class Ranking:
    """Every score with its answer, which thresholds are then tried on: 9 bytes for each score."""

    def __init__(self, form: OutputForm) -> None:
        self.form = form
        self._scores: list[Array] = []
        self._answers: list[Array] = []

    def update(self, output: Array, target: Array) -> None:
        """Add a batch."""
        scores, answers = table(self.form, output, target)
        scores = positive_scores(self.form, scores)
        if self.form.task == "classes":
            answers = (answers[:, None] == np.arange(scores.shape[1])).astype(np.int8)
        self._scores.append(scores)
        self._answers.append(answers)

    def merge(self, other: "Ranking") -> None:
        """Add the scores of another one."""
        self._scores += other._scores
        self._answers += other._answers

    def columns(self) -> list[tuple[Array, Array]]:
        """For each class or label: whether it was the answer, and its scores.

        Of two classes, and of one label, there is one column: that of the second, or of yes.
        """
        scores, answers = self._joined()
        first = 1 if self.form.task == "classes" and scores.shape[1] == 2 else 0
        found = []
        for column in range(first, scores.shape[1]):
            known = answers[:, column] >= 0
            found.append((answers[known, column] == 1, scores[known, column]))
        return found

    def names(self) -> list[str]:
        """The name of each of the columns, its number where it has none."""
        total = self._scores[0].shape[1] if self._scores else 0
        first = 1 if self.form.task == "classes" and total == 2 else 0
        named = self.form.names if len(self.form.names) == total else tuple(map(str, range(total)))
        return list(named[first:])

    def _joined(self) -> tuple[Array, Array]:
        """All scores and answers; from now on they are kept as one batch."""
        if not self._scores:
            return np.zeros((0, 0)), np.zeros((0, 0), np.int8)
        scores, answers = np.concatenate(self._scores), np.concatenate(self._answers)
        self._scores, self._answers = [scores], [answers]
        return scores, answers


class Errors:
    """Moments of errors and targets for each column of the output; NaN in a target is left out.

    The spread of the targets is merged batch by batch about its mean (Chan et al. 1979), which
    loses nothing where the targets are far from 0.
    """

    def __init__(self, form: OutputForm) -> None:
        self.form = form
        # By column: count, sum |e|, sum e^2, mean of t, sum (t - mean)^2.
        self.moments: Array = np.zeros((5, 0))

    def update(self, output: Array, target: Array) -> None:
        """Add a batch; a single channel's axis may be left out in the target."""
        output, target = np.asarray(output), np.asarray(target)
        if target.shape != output.shape:
            if target.size != output.size or 1 not in output.shape[1:]:
                raise unfit(
                    f"an output of shape {output.shape} cannot be compared with a target of"
                    f" shape {target.shape}",
                    "give a number for each output",
                )
            target = target.reshape(output.shape)
        if output.size == 0:
            return
        y = output.reshape(len(output), -1).astype(np.float64)
        t = target.reshape(len(output), -1).astype(np.float64)
        self._merge(_moments(y, t))

    def merge(self, other: "Errors") -> None:
        """Add the moments of another one."""
        if other.moments.size:
            self._merge(other.moments)

    def _merge(self, batch: Array) -> None:
        if not self.moments.size:
            self.moments = batch
            return
        if batch.shape != self.moments.shape:
            raise unfit("the size of the output changed from batch to batch", "check the data")
        (n, *_, mean, spread), (m, *_, other, more) = self.moments, batch
        total = np.maximum(n + m, 1)
        moved = other - mean
        merged = self.moments + batch
        merged[3] = mean + moved * m / total
        merged[4] = spread + more + moved * moved * n * m / total
        self.moments = merged


def _moments(y: Array, t: Array) -> Array:
    """The moments of one batch, (5, columns)."""
    known = ~np.isnan(t)
    error = np.where(known, y - np.where(known, t, 0.0), 0.0)
    count = known.sum(axis=0)
    mean = np.where(known, t, 0.0).sum(axis=0) / np.maximum(count, 1)
    spread = (np.where(known, t - mean, 0.0) ** 2).sum(axis=0)
    return np.stack([count, np.abs(error).sum(axis=0), (error**2).sum(axis=0), mean, spread])


class BoxOverlap:
    """How well boxes (N, 4) or (N, M, 4) overlap with their targets; NaN is not a box."""

    def __init__(self, form: OutputForm) -> None:
        self.form = form
        self.totals: Array = np.zeros(3)  # sum of IoU, IoU of at least 1/2, boxes

    def update(self, output: Array, target: Array) -> None:
        """Add a batch."""
        output, target = np.asarray(output), np.asarray(target)
        if target.shape != output.shape or output.shape[-1:] != (4,):
            raise unfit(
                f"boxes have four numbers: an output of shape {output.shape} and a target of"
                f" shape {target.shape} are none",
                "choose another metric, such as `mae`",
            )
        known = ~np.isnan(target).any(axis=-1)
        overlap = box_iou(output[known], target[known], boxes=self.form.boxes)
        self.totals = self.totals + np.array([overlap.sum(), (overlap >= 0.5).sum(), overlap.size])

    def merge(self, other: "BoxOverlap") -> None:
        """Add what another one has counted."""
        self.totals = self.totals + other.totals
