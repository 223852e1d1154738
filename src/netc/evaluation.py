"""A trained network on a part of its data -> losses, metrics, confusion matrices, plots."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from os import PathLike
from typing import Any

from .compiler.model import Model
from .grammar.diagnostics import error
from .grammar.files import make_folder
from .runtime.inference.evaluator import MEASURED_AT_ONCE, Evaluator
from .runtime.inference.predictions import YES_OR_NO
from .runtime.metrics.accumulators import Confusion, Ranking
from .runtime.metrics.definitions import METRICS, per_class
from .runtime.metrics.threshold_curves import precision_recall_curve, roc_curve
from .runtime.plots.canvas import PictureFile
from .runtime.plots.confusion_matrix import draw_confusion
from .runtime.plots.threshold_curves import draw_precision_recall, draw_roc
from .runtime.run_folder.trained import Trained
from .runtime.training.job import ALL
from .runtime.weights.files import check_weights
from .tables import GAP, hanging, table
from .training import job_as_trained

CURVE_METRICS = ("roc_auc", "average_precision")  # the metrics that a picture of thresholds needs
MOST_CLASSES = 50  # in the table
SHOWN_METRICS = 3  # in a line
MOST_LABELS = 12  # that get a confusion matrix each


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a trained network is worth on a part of a data set.

    Attributes:
        part: The part: `train`, `validation`, `test` or `all`.
        data: The name of the data set.
        samples: How many samples the part has.
        metrics: The mean loss and the metrics by name, of several outputs as `output.metric`.
        confusions: What was counted of classes and decisions, by output.
        rankings: Scores and targets that curves are drawn from, by output.
        outputs: How many outputs are measured.
        threshold: The probability at or above which a sample counts as positive.
    """

    part: str
    data: str
    samples: int
    metrics: Mapping[str, float]
    confusions: Mapping[str, Confusion] = field(repr=False)
    rankings: Mapping[str, Ranking] = field(repr=False)
    outputs: int = 1
    threshold: float | None = None

    def __repr__(self) -> str:
        measured = [f"{name} {value:.4g}" for name, value in self.metrics.items()]
        more = ", ..." * (len(measured) > SHOWN_METRICS)
        shown = ", ".join(measured[:SHOWN_METRICS])
        return f"<Evaluation of {self.samples:,} samples, {self.part}: {shown}{more}>"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, *, room: int | None = None) -> str:
        """The metrics, and of classes a table; `room` is how many characters a line holds."""
        part = self.part if self.part == ALL else f"{self.part} part"
        what = hanging("", f"{self.samples} samples of {self.data}, {part}", room)
        return "\n".join([*what, *_lines(self.metrics, self.confusions, room)])

    def to_dict(self) -> dict[str, Any]:
        """The results as JSON: what is not defined is null, and infinity a text."""
        return {
            "part": self.part,
            "samples": self.samples,
            "metrics": {name: _plain(value) for name, value in self.metrics.items()},
            "classes": {
                output: [{n: _plain(value) for n, value in row.items()} for row in per_class(each)]
                for output, each in self.confusions.items()
            },
            "confusion": {output: each.counts.tolist() for output, each in self.confusions.items()},
        }

    def draw(self, folder: str | PathLike[str]) -> list[str]:
        """Draw confusion matrices, and curves over all thresholds; returns the files' paths.

        Raises:
            NetError: matplotlib is not installed, or a file cannot be written.
        """
        paths: list[str] = []

        def file(output: str, name: str) -> PictureFile:
            make_folder(os.fspath(folder))
            own = f"{output}.{name}.svg" if self.outputs > 1 else f"{name}.svg"
            paths.append(os.path.join(folder, own))
            return PictureFile(paths[-1])

        for output, confusion in self.confusions.items():
            for label, counts in enumerate(confusion.counts[:MOST_LABELS]):
                several = len(confusion.counts) > 1
                name = f"confusion.{_label(confusion, label)}" if several else "confusion"
                draw_confusion(counts, file(output, name), names=sides(confusion))
        for output, ranking in self.rankings.items():
            if mixed := _curves(ranking):
                roc = [(name, roc_curve(*column)) for name, column in mixed]
                draw_roc(roc, file(output, "roc"), threshold=self.threshold)
                recall = [(name, precision_recall_curve(*column)) for name, column in mixed]
                below = file(output, "precision_recall")
                draw_precision_recall(recall, below, threshold=self.threshold)
        return paths


def evaluate(
    model: Model,
    trained: Trained,
    *,
    part: str,
    metrics: Sequence[str] | None,
    threshold: float | None,
    curves: bool,
    settings: Mapping[str, Any],
    data: Any = None,
    engine: str,
    device: str,
) -> Evaluation:
    """Measure a trained network on a part of its data; see `Network.evaluate`."""
    _check_threshold(threshold)
    check_weights(model.graph, trained.weights)
    job = job_as_trained(model, trained, settings, data=data)
    samples, where = job.part(part), job.data.about.name
    if not len(samples):
        help = "choose another part (`--part`), or another `split`"
        raise error("E531", f"the {part} part of {where} is empty", help=help)
    evaluator = Evaluator(
        *(job.graph, job.objective, job.wiring),
        names=[metrics] if isinstance(metrics, str) else metrics or None,
        deep=True,
        more=CURVE_METRICS if curves else (),
        threshold=threshold,
        engine=engine,
        device=device,
    )
    found = evaluator.measure(trained.weights, samples.still(MEASURED_AT_ONCE))
    return Evaluation(
        *(part, where, len(samples), found),
        *(
            evaluator.metrics.accumulators(Confusion),
            evaluator.metrics.accumulators(Ranking),
            len(evaluator.metrics.metrics),
        ),
        threshold,
    )


def _check_threshold(threshold: Any) -> None:
    """Refuse a threshold from Python that is no number.

    Raises:
        NetError: E551.
    """
    if threshold is not None and not (isinstance(threshold, Real) and threshold == threshold):
        raise error("E551", f"the threshold must be a number, not `{threshold}`")


def _plain(value: Any) -> Any:
    """A value as JSON: what nothing was there for is null, and infinity a text."""
    if not isinstance(value, float) or isfinite(value):
        return value
    return None if value != value else repr(value)


def _lines(
    metrics: Mapping[str, float], confusions: Mapping[str, Confusion], room: int | None
) -> list[str]:
    """The metrics, and of classes a table."""
    longest = max(map(len, metrics))
    lines = [
        line
        for name, value in metrics.items()
        for line in hanging(f"{GAP}{name:<{longest}}{GAP}", _value(name, value), room)
    ]
    for output, matrix in confusions.items():
        rows = per_class(matrix)
        if 1 < len(rows) <= MOST_CLASSES:
            cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
            inner = None if room is None else room - len(GAP)
            lines += ["", *([output] if len(confusions) > 1 else [])]
            lines += [GAP + line for line in table(cells, room=inner)]
    return lines


def _value(name: str, value: float) -> str:
    """A number, or why there is none."""
    known = METRICS.get(name.rpartition(".")[2])
    if value == value or known is None:
        return f"{value:.4f}"
    return f"not defined: {known.undefined}"


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if value != value else f"{value:.4f}"


def _curves(ranking: Ranking) -> list[tuple[str, tuple[Any, Any]]]:
    """The labels that have samples of both kinds, with their scores: a curve needs both."""
    columns = ranking.columns()
    names = ranking.names() if len(columns) > 1 else [""]
    named = zip(names, columns, strict=True)
    return [(name, column) for name, column in named if 0 < column[0].sum() < len(column[0])]


def sides(confusion: Confusion) -> tuple[str, ...]:
    """The names of rows and columns; of several labels each is a yes or a no."""
    form, labels = confusion.form, len(confusion.counts)
    named = form.task == "classes" or (labels == 1 and len(form.names) == len(YES_OR_NO))
    return form.names if named else YES_OR_NO


def _label(confusion: Confusion, label: int) -> str:
    names = confusion.form.names
    return names[label] if len(names) == len(confusion.counts) else str(label)
