"""The table of metrics: what is gathered from a run's answers -> one number by name.

Several metrics share an accumulator: accuracy, recall and IoU come from one confusion matrix.
A metric without anything to measure (no box, no class, no yes to be found) is NaN.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from ...compiler.training.lossdef import Task
from ...grammar.diagnostics import did_you_mean, error, listing
from ...grammar.source import place_of
from ..kerneldef import Array
from .accumulators import Accumulator, BoxOverlap, Confusion, Errors, Outcomes, Ranking, TopK
from .outputs import OutputForm
from .threshold_curves import precision_recall_curve, roc_curve

Better = Literal["lower", "higher"]
Measure = Callable[[Any], float]

VALIDATION = "val_"
TOP = re.compile(r"top_([1-9][0-9]{0,8})")
ANSWER_TASKS: tuple[Task, ...] = ("classes", "decisions")
NUMBER_TASKS: tuple[Task, ...] = ("numbers",)


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the table.

    Attributes:
        name: The metric's name.
        of: What makes the accumulator that it is computed from.
        value: What computes it.
        tasks: What outputs it takes.
        direction: Whether a higher or a lower value is better.
        undefined: Why it is NaN, where it is.
    """

    name: str
    of: Callable[[OutputForm], Accumulator]
    value: Measure
    tasks: tuple[Task, ...]
    direction: Better
    undefined: str = "no target is known"


METRICS: dict[str, Metric] = {}


def metric(
    of: Callable[[OutputForm], Accumulator],
    tasks: tuple[Task, ...] = ANSWER_TASKS,
    direction: Better = "higher",
    undefined: str = "no target is known",
) -> Callable[[Measure], Measure]:
    """Enter the decorated function of an accumulator into the table of metrics, under its name."""

    def register(value: Measure) -> Measure:
        name = value.__name__
        if name in METRICS:
            raise ValueError(f"metric {name} is defined twice")
        METRICS[name] = Metric(name, of, value, tasks, direction, undefined)
        return value

    return register


@metric(Confusion)
def accuracy(answers: Confusion) -> float:
    """The share of right answers: per sample, per pixel, or per label."""
    right = np.trace(answers.counts, axis1=1, axis2=2).sum()
    return share(float(right), float(answers.counts.sum()))


@metric(Confusion)
def balanced_accuracy(answers: Confusion) -> float:
    """The mean of the recalls of all classes that occur in the targets."""
    found = answers.counts.sum(axis=2)
    right = np.diagonal(answers.counts, axis1=1, axis2=2)
    return mean_share(right, found, found > 0)


@metric(Confusion)
def precision(answers: Confusion) -> float:
    """TP / (TP + FP), the mean over the classes that occur (macro); of one label its own."""
    return mean_share(*_precision(answers.outcomes()), answers.outcomes().present)


@metric(Confusion)
def recall(answers: Confusion) -> float:
    """TP / (TP + FN), the mean over the classes that occur (macro); of one label its own."""
    return mean_share(*_recall(answers.outcomes()), answers.outcomes().present)


@metric(Confusion)
def f1(answers: Confusion) -> float:
    """2 TP / (2 TP + FP + FN), the mean over the classes that occur (macro)."""
    return mean_share(*_f1(answers.outcomes()), answers.outcomes().present)


@metric(Confusion)
def precision_micro(answers: Confusion) -> float:
    """Precision of all classes' answers together; of single classes that is the accuracy."""
    return _together(*_precision(answers.outcomes()))


@metric(Confusion)
def recall_micro(answers: Confusion) -> float:
    """Recall of all classes' answers together; of single classes that is the accuracy."""
    return _together(*_recall(answers.outcomes()))


@metric(Confusion)
def f1_micro(answers: Confusion) -> float:
    """F1 of all classes' answers together; of single classes that is the accuracy."""
    return _together(*_f1(answers.outcomes()))


@metric(Confusion)
def iou(answers: Confusion) -> float:
    """TP / (TP + FP + FN), the mean over the classes that occur: mIoU."""
    return mean_share(*_iou(answers.outcomes()), answers.outcomes().present)


@metric(Ranking, undefined="all targets are of one class")
def roc_auc(ranking: Ranking) -> float:
    """The area under the ROC curve; of several classes the mean of each against the rest."""
    return _mean(roc_curve(*column).area for column in ranking.columns())


@metric(Ranking, undefined="no target is of the class that is looked for")
def average_precision(ranking: Ranking) -> float:
    """Average precision; of several classes the mean of each against the rest."""
    columns = ranking.columns()
    return _mean(precision_recall_curve(*column).average_precision for column in columns)


@metric(Errors, NUMBER_TASKS, "lower")
def mae(errors: Errors) -> float:
    """The mean of |y - t| over all elements that have a target."""
    count, absolute, *_ = errors.moments
    return share(float(absolute.sum()), float(count.sum()))


@metric(Errors, NUMBER_TASKS, "lower")
def rmse(errors: Errors) -> float:
    """The root of the mean of (y - t)^2 over all elements that have a target."""
    count, _, squares, *_ = errors.moments
    return float(np.sqrt(share(float(squares.sum()), float(count.sum()))))


@metric(Errors, NUMBER_TASKS, undefined="all targets are the same")
def r2(errors: Errors) -> float:
    """1 - sum (y - t)^2 / sum (t - mean t)^2, the mean over the output's columns.

    Columns whose targets are all the same have no such share and are left out.
    """
    count, _, squares, _, spread = errors.moments
    varied = (count > 1) & (spread > 0)
    return 1.0 - mean_share(squares, spread, varied)


@metric(BoxOverlap, NUMBER_TASKS)
def box_iou(boxes: BoxOverlap) -> float:
    """The mean intersection over union of each box with its target."""
    return share(float(boxes.totals[0]), float(boxes.totals[2]))


@metric(BoxOverlap, NUMBER_TASKS)
def box_hits(boxes: BoxOverlap) -> float:
    """The share of boxes with an IoU of at least 1/2."""
    return share(float(boxes.totals[1]), float(boxes.totals[2]))


def top_k(k: int) -> Metric:
    """The share of positions whose right class is among the k with the largest scores."""
    return Metric(f"top_{k}", partial(TopK, k=k), _hits, ("classes",), "higher")


def _hits(hits: TopK) -> float:
    return share(float(hits.totals[0]), float(hits.totals[1]))


def share(part: float, whole: float) -> float:
    """part / whole; NaN of nothing."""
    return part / whole if whole else float("nan")


def shares(parts: Array, wholes: Array) -> Array:
    """Parts / wholes for each class, 0 where a class that occurs was never answered or wanted."""
    parts = parts.astype(np.float64)
    result: Array = np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes > 0)
    return result


def mean_share(parts: Array, wholes: Array, counted: Array) -> float:
    """The mean of the shares of the classes that count."""
    return float(shares(parts, wholes)[counted].mean()) if counted.any() else float("nan")


def _together(parts: Array, wholes: Array) -> float:
    return share(float(parts.sum()), float(wholes.sum()))


def _mean(values: Iterable[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _precision(of: Outcomes) -> tuple[Array, Array]:
    return of.true_positives, of.true_positives + of.false_positives


def _recall(of: Outcomes) -> tuple[Array, Array]:
    return of.true_positives, of.true_positives + of.false_negatives


def _f1(of: Outcomes) -> tuple[Array, Array]:
    wrong = of.false_positives + of.false_negatives
    return 2 * of.true_positives, 2 * of.true_positives + wrong


def _iou(of: Outcomes) -> tuple[Array, Array]:
    return of.true_positives, of.true_positives + of.false_positives + of.false_negatives


# What a table of classes shows for each: part and whole.
PER_CLASS = {"precision": _precision, "recall": _recall, "f1": _f1, "iou": _iou}


def per_class(answers: Confusion) -> list[dict[str, Any]]:
    """A row for each class or label: `class`, `precision`, `recall`, `f1`, `iou`, `support`.

    `support` counts its targets; shares of a class that does not occur at all are NaN.
    """
    outcomes = answers.outcomes()
    count = len(outcomes.true_positives)
    named = len(answers.form.names) == count
    names = answers.form.names if named else tuple(map(str, range(count)))
    columns = {
        name: np.where(outcomes.present, shares(*parts(outcomes)), np.nan)
        for name, parts in PER_CLASS.items()
    }
    support = outcomes.true_positives + outcomes.false_negatives
    return [
        {
            "class": names[i],
            **{name: float(column[i]) for name, column in columns.items()},
            "support": int(support[i]),
        }
        for i in range(count)
    ]


# Metrics by the names of PyTorch, Keras and papers, in lower case, without `_`, `-` and `score`.
FOREIGN: Mapping[str, str] = {
    "acc": "accuracy", "top1": "accuracy", "categoricalaccuracy": "accuracy",
    "sparsecategoricalaccuracy": "accuracy", "binaryaccuracy": "accuracy",
    "multiclassaccuracy": "accuracy", "f1": "f1", "f": "f1", "f1macro": "f1",
    "macrof1": "f1", "microf1": "f1_micro", "dice": "f1", "miou": "iou", "meaniou": "iou",
    "jaccard": "iou", "jaccardindex": "iou", "auc": "roc_auc", "auroc": "roc_auc",
    "rocauc": "roc_auc", "ap": "average_precision", "prauc": "average_precision",
    "meanabsoluteerror": "mae", "l1": "mae", "rootmeansquarederror": "rmse",
    "r2": "r2", "rsquared": "r2",
    "sensitivity": "recall", "tpr": "recall", "ppv": "precision",
    "topkcategoricalaccuracy": "top_5", "top5accuracy": "top_5", "top5": "top_5",
}  # fmt: skip


def our_name(name: str) -> str | None:
    """What a metric of another framework is called here, `val_` kept, or None where unknown."""
    prefix = VALIDATION if name.startswith(VALIDATION) else ""
    folded = re.sub("[_-]|score$", "", name.removeprefix(VALIDATION).casefold())
    ours = FOREIGN.get(folded)
    return None if ours is None else f"{prefix}{ours}"


def find_metric(name: str) -> Metric:
    """A metric by name; `top_5` and similar ones are made on demand.

    Raises:
        NetError: E551, there is none.
    """
    if name in METRICS:
        return METRICS[name]
    if found := TOP.fullmatch(name):
        return top_k(int(found[1]))
    known = listing((*METRICS, "top_5"))
    ours = our_name(name)
    help = f"write `{ours}`" if ours else did_you_mean(name, METRICS) or f"the metrics are {known}"
    raise error("E551", f"unknown metric `{name}`", place_of(name), help=help)


def metric_of(column: str) -> str | None:
    """The metric in a column such as `val_f1`, its output in front; None where it is none."""
    name = column.removeprefix(VALIDATION)
    own = name.rpartition(".")[2]
    return name if own in METRICS or TOP.fullmatch(own) else None


def direction(column: str) -> Better:
    """Whether lower or higher is better in a column such as `val_loss` or `val_box.iou`."""
    name = column.removeprefix(VALIDATION).rpartition(".")[2]
    known = name in METRICS or TOP.fullmatch(name)
    return find_metric(name).direction if known else "lower"


class Metrics:
    """Some metrics of one output, gathered batch by batch.

    Args:
        names: Their names.
        form: How the output and its targets are read.

    Raises:
        NetError: E551, a name is not known, or the metric is not for such an output.
    """

    def __init__(self, names: Iterable[str], form: OutputForm) -> None:
        self.form = form
        self.metrics = {name: find_metric(name) for name in names}
        for name, found in self.metrics.items():
            if form.task not in found.tasks:
                fitting = listing(m.name for m in METRICS.values() if form.task in m.tasks)
                message = f"`{name}` is not a metric for {form.task}"
                raise error("E551", message, place_of(name), help=f"such metrics are {fitting}")
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        makers = dict.fromkeys(found.of for found in self.metrics.values())
        self._accumulators = {make: make(self.form) for make in makers}

    def update(self, output: Array, target: Array) -> None:
        """Add a batch.

        Raises:
            NetError: E551, output and target do not fit.
        """
        for accumulator in self._accumulators.values():
            accumulator.update(output, target)

    def merge(self, other: "Metrics") -> None:
        """Add the batches of others of the same names."""
        pairs = zip(self._accumulators.values(), other._accumulators.values(), strict=True)
        for own, theirs in pairs:
            own.merge(theirs)

    def values(self) -> dict[str, float]:
        """Each metric of all batches so far."""
        return {
            name: float(found.value(self._accumulators[found.of]))
            for name, found in self.metrics.items()
        }

    def state(self) -> dict[str, Array]:
        """What was gathered so far: the arrays of each accumulator."""
        return {
            f"{place}.{name}": array
            for place, accumulator in enumerate(self._accumulators.values())
            for name, array in vars(accumulator).items()
            if isinstance(array, np.ndarray)
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` gave."""
        accumulators = list(self._accumulators.values())
        for full, array in state.items():
            place, _, name = full.partition(".")
            setattr(accumulators[int(place)], name, array)

    def accumulator(self, name: str) -> Accumulator:
        """What a metric is computed from, such as the confusion matrix behind `accuracy`."""
        return self._accumulators[self.metrics[name].of]
