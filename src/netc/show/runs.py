"""Pictures of runs: their curves."""

import os
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

from ..grammar.diagnostics import error
from ..runtime.plots.canvas import PictureFile
from ..runtime.plots.training_curves import draw_histories, draw_history
from ..runtime.run_folder.folder import HISTORY
from ..runtime.run_folder.history import History
from ..runtime.training.run import Run

if TYPE_CHECKING:
    from ..choices import PictureFormat

    Curves = Run | History | str | PathLike[str]


SUFFIXES = (".csv", ".json")  # of the file of a history


def history(
    runs: "Curves | Sequence[Curves] | Mapping[str, Curves]",
    path: "str | PathLike[str]",
    *,
    metrics: Sequence[str] | None = None,
    format: "PictureFormat | None" = None,
) -> None:
    """Draw the curves of a run, or of several over each other: losses and metrics by epoch.

    Args:
        runs: A run, its history, its folder, or the file of a history; or several, which are
            called by their folders or networks, or by the names of a dictionary.
        path: The picture's file.
        metrics: Which metrics, named without `val_`; by default the first three.
        format: `svg`, `png` or `pdf`; by default the path's suffix.

    Raises:
        NetError: A folder holds no history (E546), or one without epochs or without such a metric
            (E551); or the file cannot be written.
    """
    named = _named(runs)
    found = {name: _history(run) for name, run in named.items()}
    if len(found) == 1:
        ((name, only),) = found.items()
        draw_history(only, PictureFile(fspath(path), name, format), metrics=metrics)
    else:
        draw_histories(found, PictureFile(fspath(path), format=format), metrics=metrics)


def _named(runs: "Curves | Sequence[Curves] | Mapping[str, Curves]") -> "dict[str, Curves]":
    """Runs by name; those with the same name are numbered."""
    if isinstance(runs, Mapping):
        return dict(runs)
    several = [runs] if isinstance(runs, Run | History | str | PathLike) else list(runs)
    found: dict[str, Curves] = {}
    for run in several:
        name = _name(run)
        same = sum(known.rpartition(" ")[0] == name or known == name for known in found)
        found[f"{name} {same + 1}" if same else name] = run
    return found


def _name(run: "Curves") -> str:
    if isinstance(run, Run):
        return run.job.graph.name
    if isinstance(run, History):
        return "run"
    path = os.path.abspath(fspath(run))
    return os.path.basename(os.path.dirname(path) if path.endswith(SUFFIXES) else path)


def _history(run: "Curves") -> History:
    """The epochs of a run.

    Raises:
        NetError: E546, a folder holds no history; or the file cannot be read.
    """
    if isinstance(run, Run):
        return run.history
    if isinstance(run, History):
        return run
    path = fspath(run)
    if not path.endswith(SUFFIXES):
        folder, path = path, os.path.join(path, f"{HISTORY}.json")
        if not os.path.exists(path):
            help = f"train first: `netc train FILE -o {folder}`"
            raise error("E546", f"`{folder}` holds no history of a run", help=help)
    return History.read(path)
