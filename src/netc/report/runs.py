"""A run -> its curves, its monitor, its confusion matrix and its pictures, as JSON."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from math import isfinite
from typing import Any

import numpy as np

from ..compiler.model import Model
from ..evaluation import evaluate
from ..grammar.diagnostics import NetError
from ..runtime.feeding.samples import Samples
from ..runtime.inspection.feature_maps import feature_maps
from ..runtime.inspection.filters import filters
from ..runtime.monitoring.heat_maps import draw_records
from ..runtime.monitoring.records import Records
from ..runtime.plots.canvas import PictureFile
from ..runtime.plots.feature_maps import draw_maps
from ..runtime.plots.filters import draw_filters
from ..runtime.run_folder.folder import HISTORY, MONITOR
from ..runtime.run_folder.history import History
from ..runtime.run_folder.trained import Trained
from ..runtime.training.run import Run
from ..training import job_as_trained
from .pictures import drawn

MOST_CLASSES = 100  # of a confusion matrix on a page
MATPLOTLIB = "matplotlib is not installed, so pictures are left out: pip install 'netc[train]'"


def of_run(model: Model, run: Any, trained: Trained | None) -> dict[str, Any]:
    """What the page shows of a run, or of weights; `notes` say what is left out and why."""
    notes: list[str] = []
    found: dict[str, Any] = {"notes": notes, "pictures": [], "confusions": []}
    if run is not None and trained is not None:
        history = run.history if isinstance(run, Run) else _history(os.fspath(run))
        found["history"] = curves(history) if history is not None and len(history) else None
        data = run.job.data if isinstance(run, Run) else None
        _attempt(notes, "evaluation", lambda: found.update(_evaluated(model, trained, data)))
    if trained is not None and find_spec("matplotlib") is None:
        notes.append(MATPLOTLIB)
    elif trained is not None:
        found["pictures"] = _pictures(model, run, trained, notes)
    return found


def _attempt(notes: list[str], what: str, do: Callable[[], Any]) -> Any:
    """What a call returns; where the network or its data do not allow it, a note says why."""
    try:
        return do()
    except NetError as failure:
        notes.append(f"{what} left out: {failure.diagnostics[0].message}")
        return None


def _history(folder: str) -> History | None:
    path = os.path.join(folder, f"{HISTORY}.json")
    return History.read(path) if os.path.exists(path) else None


def curves(history: History) -> dict[str, Any]:
    """Epochs, and lines by panel: losses, then each metric for training and validation."""
    panels: list[tuple[str, tuple[str, ...]]] = [("loss", ("loss", "val_loss"))]
    panels += [(name, (name, f"val_{name}")) for name in history.metrics]
    panels += [("lr", ("lr",))]
    best = history.best()
    return {
        "epochs": [int(row.epoch) for row in history.rows],
        "best": int(best.epoch) if best else None,
        "panels": [
            {
                "title": title,
                "lines": [
                    {"name": name, "values": list(map(_finite, history.column(name)))}
                    for name in names
                    if name in history.columns and any(map(_is_finite, history.column(name)))
                ],
            }
            for title, names in panels
        ],
    }


def _is_finite(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _finite(value: float | None) -> float | None:
    return value if _is_finite(value) else None


def _samples(model: Model, trained: Trained, data: Any) -> tuple[str, Samples]:
    """The part of the data that says most of a network and has samples, and these."""
    job = job_as_trained(model, trained, {}, data=data)
    parts = ((name, job.part(name)) for name in ("test", "validation", "train"))
    return next((name, samples) for name, samples in parts if len(samples.indices))


def _evaluated(model: Model, trained: Trained, data: Any) -> Mapping[str, Any]:
    part, _ = _samples(model, trained, data)
    found = evaluate(
        *(model, trained),
        part=part,
        metrics=None,
        threshold=None,
        settings={},
        data=data,
        curves=False,
        engine="numpy",
        device="cpu",
    )
    confusions = []
    for output, confusion in found.confusions.items():
        counts = confusion.counts[0] if len(confusion.counts) == 1 else None
        if counts is not None and len(counts) <= MOST_CLASSES:
            names = confusion.form.names
            known = len(names) == len(counts)
            classes = list(names) if known else list(map(str, range(len(counts))))
            confusions.append({"output": output, "names": classes, "counts": counts.tolist()})
    measured = {name: _finite(float(value)) for name, value in found.metrics.items()}
    return {
        "confusions": confusions,
        "metrics": [[name, value] for name, value in measured.items()],
        "measured": f"{found.samples:,} samples of {found.data}, {found.part} part".replace(
            "`", ""
        ),
    }


def _pictures(model: Model, run: Any, trained: Trained, notes: list[str]) -> list[dict[str, str]]:
    """Filters, feature maps and the monitor's heat map, as SVG."""
    graph, found = model.graph, []

    def add(title: str, draw: Callable[[PictureFile], None]) -> None:
        found.append({"title": title, "svg": drawn(draw)})

    def draw_kernels() -> None:
        seen = filters(graph, trained.weights)
        title = f"{seen.layer}: {'templates' if seen.templates else 'filters'}"
        add(title, lambda file: draw_filters(seen.images, file, colours=seen.colours))

    def draw_feature_maps() -> None:
        data = run.job.data if isinstance(run, Run) else None
        _, samples = _samples(model, trained, data)
        one = replace(
            samples,
            indices=np.asarray(samples.indices[:1]),
            wiring=replace(samples.wiring, targets={}),
        )
        maps = feature_maps(graph, trained.weights, next(one.still(1)))
        add("feature maps of a sample", lambda file: draw_maps(maps, file))

    _attempt(notes, "filters", draw_kernels)
    if run is not None:
        _attempt(notes, "feature maps", draw_feature_maps)
    folder = None if run is None or isinstance(run, Run) else os.fspath(run)
    if folder is not None and os.path.exists(os.path.join(folder, f"{MONITOR}.json")):
        records = Records.read(folder)
        if records.epochs:
            add("layers during the run", lambda file: draw_records(records, file))
    return found
