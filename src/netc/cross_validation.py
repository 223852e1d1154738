"""A network trained once for each fold -> what it is worth, and by how much that varies."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from .choices import check_count
from .compiler.model import Model
from .grammar.diagnostics import error
from .grammar.files import make_folder, write_text
from .runtime.training.run import Run
from .tables import table
from .training import train

FOLDS = "folds.csv"


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What came of training on all folds but one, for each of them.

    Attributes:
        runs: The runs, whose test parts are the folds.
        folds: Loss and metrics of each fold.
    """

    runs: tuple[Run, ...] = field(repr=False)
    folds: tuple[Mapping[str, float], ...]

    def __repr__(self) -> str:
        deviation = self.deviation
        found = (f"{name} {mean:.4g} ± {deviation[name]:.2g}" for name, mean in self.mean.items())
        return f"<CrossValidation of {len(self.folds)} folds: {', '.join(found)}>"

    @property
    def mean(self) -> dict[str, float]:
        """The mean of loss and metrics over the folds."""
        return {name: fmean(values) for name, values in self._columns().items()}

    @property
    def deviation(self) -> dict[str, float]:
        """Their standard deviation over the folds, divided by one less than there are."""
        return {name: stdev(values) for name, values in self._columns().items()}

    def _columns(self) -> dict[str, list[float]]:
        return {name: [fold[name] for fold in self.folds] for name in self.folds[0]}

    def to_csv(self) -> str:
        """A row for each fold: its number, loss and metrics."""
        rows = [[str(n), *map(repr, fold.values())] for n, fold in enumerate(self.folds, 1)]
        head = ["fold", *self.folds[0]]
        return "".join(f"{','.join(row)}\n" for row in (head, *rows))

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, *, room: int | None = None) -> str:
        """A line for each fold, the mean and the deviation; `room` is how long a line may be."""
        names = list(self.folds[0])
        rows = [(str(number), fold) for number, fold in enumerate(self.folds, 1)]
        rows += [("mean", self.mean), ("deviation", self.deviation)]
        cells = [[title, *(f"{found[name]:.4f}" for name in names)] for title, found in rows]
        return "\n".join(table([["fold", *names], *cells], room=room))


def cross_validate(
    model: Model,
    data: Any = None,
    *,
    folds: int,
    settings: Mapping[str, Any],
    output: str | None = None,
    **options: Any,
) -> CrossValidation:
    """Train once for each fold, which is its test part; see `Network.cross_validate`.

    Raises:
        NetError: E125, `folds` is no number of folds; or what training raises.
    """
    check_count("folds", folds)
    if folds < 2:
        raise error("E125", "`folds` must be at least 2", help="such as 5 or 10")
    runs = []
    if output is not None:
        make_folder(output)
    for number in range(1, folds + 1):
        folder = None if output is None else os.path.join(output, f"fold{number}")
        changes = {**settings, "fold": (number, folds)}
        run, _ = train(model, data, settings=changes, output=folder, **options)
        runs.append(run)
    found = CrossValidation(tuple(runs), tuple(run.test for run in runs))
    if output is not None:
        write_text(os.path.join(output, FOLDS), found.to_csv())
    return found
