"""`netc evaluate`: losses and metrics of a trained network on a part of its data."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import click

from ...grammar.diagnostics import error
from ...grammar.files import make_folder
from ...plain_tables import GAP, hanging, table
from ...runtime.inference.evaluator import BATCH, Evaluator
from ...runtime.inference.predictions import YES_OR_NO
from ...runtime.metrics.accumulators import Confusion, Ranking
from ...runtime.metrics.definitions import METRICS, per_class
from ...runtime.metrics.threshold_curves import precision_recall_curve, roc_curve
from ...runtime.plots.evaluation_plots import draw_confusion, draw_precision_recall, draw_roc
from ...runtime.training.job import ALL
from ...runtime.weights.files import check_weights
from ...training import job_as_trained
from ..options import (
    device_option,
    engine_option,
    file_argument,
    json_option,
    max_layers_option,
    open_network,
    rename_option,
)
from ..terminal import width
from ..weights import open_run
from .train import settings_of

CURVES = ("roc_auc", "average_precision")  # the metrics that a picture of thresholds needs
MOST_CLASSES = 50  # in the table
MOST_LABELS = 12  # that get a confusion matrix each


@click.command("evaluate")
@file_argument
@click.option("--run", "folder", type=click.Path(), help="The folder of a run.")
@click.option(
    "--weights", type=click.Path(), is_eager=True, help="A file of weights instead of the run's."
)
@rename_option
@click.option(
    "--part",
    type=click.Choice(["train", "validation", "test", ALL]),
    default="test",
    show_default=True,
    help="The part of the data.",
)
@click.option("--metric", "metrics", multiple=True, help="A metric; by default, all that apply.")
@click.option(
    "--threshold", type=float, help="The probability at or above which a sample counts as positive."
)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Replace a setting.")
@engine_option
@device_option
@click.option("-o", "--output", type=click.Path(), help="A folder for plots.")
@json_option()
@max_layers_option
def command(
    file: str,
    folder: str | None,
    weights: str | None,
    part: str,
    metrics: tuple[str, ...],
    threshold: float | None,
    changes: tuple[str, ...],
    engine: str,
    device: str,
    output: str | None,
    as_json: bool,
    max_layers: int | None,
) -> None:
    """Measure FILE with the weights of a run on a part of its data."""
    network = open_network(file, max_layers)
    trained = open_run(network.graph, folder, weights)
    check_weights(network.graph, trained.weights)
    job = job_as_trained(network.compiled, trained, settings_of(changes))
    samples, where = job.part(part), job.data.about.name
    if not len(samples):
        help = "choose another `--part`, or `--set split=...`"
        raise error("E531", f"the {part} part of {where} is empty", help=help)
    evaluator = Evaluator(
        *(job.graph, job.recipe.objective, job.wiring),
        names=metrics or None,
        deep=True,
        more=CURVES if output is not None else (),
        threshold=threshold,
        engine=engine,
        device=device,
    )
    found = evaluator.measure(trained.weights, samples.still(BATCH))
    pictures = [] if output is None else _draw(evaluator, output, threshold)
    if output is not None and not pictures:
        text = f"nothing to draw in `{output}`: plots show classes, or decisions of both kinds"
        click.echo(text, err=True)
    if as_json:
        about = {"part": part, "samples": len(samples)}
        click.echo(json.dumps({**about, **_to_json(evaluator, found, pictures)}, indent=2))
        return
    what = f"{len(samples)} samples of {where}, " + (part if part == ALL else f"{part} part")
    room = width(sys.stdout)
    click.echo("\n".join([*hanging("", what, room), *_lines(evaluator, found, room)]))
    for path in pictures:
        click.echo(f"written to {path}")


def _to_json(
    evaluator: Evaluator, found: Mapping[str, float], pictures: Sequence[str]
) -> dict[str, Any]:
    confusions = evaluator.accumulators(Confusion)
    return {
        "metrics": {name: _plain(value) for name, value in found.items()},
        "classes": {
            output: [{name: _plain(value) for name, value in row.items()} for row in per_class(c)]
            for output, c in confusions.items()
        },
        "confusion": {output: matrix.counts.tolist() for output, matrix in confusions.items()},
        "pictures": list(pictures),
    }


def _plain(value: Any) -> Any:
    """A value as JSON: what nothing was there for is null, and infinity a text."""
    if not isinstance(value, float) or isfinite(value):
        return value
    return None if value != value else repr(value)


def _lines(evaluator: Evaluator, found: Mapping[str, float], room: int | None) -> list[str]:
    """The metrics, and of classes a table."""
    longest = max(map(len, found))
    lines = [
        line
        for name, value in found.items()
        for line in hanging(f"{GAP}{name:<{longest}}{GAP}", _value(name, value), room)
    ]
    confusions = evaluator.accumulators(Confusion)
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


def _draw(evaluator: Evaluator, folder: str, threshold: float | None) -> list[str]:
    """Confusion matrices, and curves over all thresholds, as pictures; returns their paths."""
    prefixed = len(evaluator.metrics) > 1
    paths: list[str] = []

    def path(output: str, name: str) -> str:
        make_folder(folder)
        paths.append(os.path.join(folder, f"{output}.{name}.svg" if prefixed else f"{name}.svg"))
        return paths[-1]

    for output, confusion in evaluator.accumulators(Confusion).items():
        for label, counts in enumerate(confusion.counts[:MOST_LABELS]):
            several = len(confusion.counts) > 1
            name = f"confusion.{_label(confusion, label)}" if several else "confusion"
            draw_confusion(counts, path(output, name), names=_sides(confusion))
    for output, ranking in evaluator.accumulators(Ranking).items():
        names = ranking.names() if len(ranking.columns()) > 1 else [""]
        columns = list(zip(names, ranking.columns(), strict=True))
        # A curve needs samples of both kinds: what has none of one is left out.
        mixed = [(name, column) for name, column in columns if 0 < column[0].sum() < len(column[0])]
        if mixed:
            roc = [(name, roc_curve(*column)) for name, column in mixed]
            draw_roc(roc, path(output, "roc"), threshold=threshold)
            recall = [(name, precision_recall_curve(*column)) for name, column in mixed]
            draw_precision_recall(recall, path(output, "precision_recall"), threshold=threshold)
    return paths


def _sides(confusion: Confusion) -> tuple[str, ...]:
    """The names of rows and columns; of several labels each is a yes or a no."""
    form, labels = confusion.form, len(confusion.counts)
    named = form.task == "classes" or (labels == 1 and len(form.names) == len(YES_OR_NO))
    return form.names if named else YES_OR_NO


def _label(confusion: Confusion, label: int) -> str:
    names = confusion.form.names
    return names[label] if len(names) == len(confusion.counts) else str(label)
