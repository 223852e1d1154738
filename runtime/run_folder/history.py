"""What happened in each epoch of a run: kept as rows, written as CSV and JSON, read back."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from ...grammar.diagnostics import did_you_mean, error, listing
from ...grammar.files import check_readable, write_text
from ..metrics.definitions import VALIDATION, direction
from .curves_page import curves_page
from .json_files import Malformed, for_json, number, read_json, sequence, what_training_wrote

FORMAT = "netc history 1"
# The columns that every row has; those of metrics come between the losses and the rates.
LOSS_COLUMNS = ("epoch", "step", "loss", "val_loss")
RATE_COLUMNS = ("lr", "momentum", "seconds")
WHOLE = ("epoch", "step")

Measured = float | None


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch.

    Attributes:
        epoch: Its number, from 1.
        step: How many steps have been taken at its end.
        loss: The mean training loss.
        val_loss: The validation loss; None where nothing was validated.
        metrics: Metrics by name, those of the validation part with `val_` before it.
        lr: The learning rate of its last step.
        momentum: The momentum of its last step, if the optimizer has one.
        seconds: How long it took.
    """

    epoch: int
    step: int
    loss: float
    val_loss: Measured = None
    metrics: Mapping[str, Measured] = field(default_factory=dict)
    lr: Measured = None
    momentum: Measured = None
    seconds: float = 0.0

    def values(self) -> dict[str, Measured]:
        """Every column by name, metrics between the losses and the rates."""
        before = {name: getattr(self, name) for name in LOSS_COLUMNS}
        after = {name: getattr(self, name) for name in RATE_COLUMNS}
        values = {**before, **self.metrics, **after}
        return {name: _number(name, value) for name, value in values.items()}

    @classmethod
    def of(cls, values: Mapping[str, Measured]) -> "Epoch":
        """A row of its columns; those that are not fields are metrics."""
        own = {name: values[name] for name in (*LOSS_COLUMNS, *RATE_COLUMNS) if name in values}
        metrics = {name: value for name, value in values.items() if name not in own}
        return cls(**own, metrics=metrics)  # type: ignore[arg-type]  # numbers all


class History:
    """The rows of a run, epoch after epoch."""

    def __init__(self, rows: Iterable[Epoch] = ()) -> None:
        self.rows: list[Epoch] = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<History of {len(self)}: {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: curves and a table."""
        best = self.best()
        columns = {name: self.column(name) for name in self.columns}
        return curves_page(columns, None if best is None else best.epoch)

    def append(self, row: Epoch) -> None:
        """Add an epoch; from a resumed run, it replaces that epoch and all after it."""
        self.truncate(row.epoch - 1)
        self.rows.append(row)

    def truncate(self, epoch: int) -> None:
        """Forget what came after an epoch: a run resumed from there does it again."""
        self.rows = [row for row in self.rows if row.epoch <= epoch]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns in order; a metric is where it first appeared."""
        metrics = dict.fromkeys(name for row in self.rows for name in row.metrics)
        return (*LOSS_COLUMNS, *metrics, *RATE_COLUMNS)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics without `val_`, each once."""
        names = (name.removeprefix(VALIDATION) for row in self.rows for name in row.metrics)
        return tuple(dict.fromkeys(names))

    def column(self, name: str) -> list[Measured]:
        """A column's values, an epoch each; None where it was not measured.

        Raises:
            NetError: E551, there is no such column.
        """
        if name not in self.columns:
            known = listing(self.columns)
            help = did_you_mean(name, self.columns) or f"the columns are {known}"
            raise error("E551", f"the history has no column `{name}`", help=help)
        return [row.values().get(name) for row in self.rows]

    def best(self, by: str | None = None) -> Epoch | None:
        """The best epoch, of several equal ones the first; None before there is any.

        Args:
            by: The column that is compared: by default `val_loss` where it was measured, else
                `loss`. Whether lower or higher is better follows from its name.

        Raises:
            NetError: E551, there is no such column.
        """
        if by is None:
            by = "val_loss" if any(row.val_loss is not None for row in self.rows) else "loss"
        sign = 1.0 if direction(by) == "lower" else -1.0
        measured = [
            (sign * value, row)
            for value, row in zip(self.column(by), self.rows, strict=True)
            if value is not None and not isnan(value)
        ]
        return min(measured, key=lambda pair: pair[0])[1] if measured else None

    def to_csv(self) -> str:
        """The rows as CSV with a head; numbers are exact, what was not measured is empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            values = row.values()
            writer.writerow([_written(values.get(name)) for name in self.columns])
        return text.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """The rows as JSON; numbers that are not finite are texts."""
        rows = [
            {name: for_json(value) for name, value in row.values().items()} for row in self.rows
        ]
        best = self.best()
        return {"format": FORMAT, "best_epoch": int(best.epoch) if best else None, "epochs": rows}

    def to_json(self) -> str:
        """The rows as JSON."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    def save(self, path: str) -> None:
        """Write the rows to a `.csv` or `.json`, whole or not at all.

        Raises:
            NetError: E505, the suffix is another one; E004, the file cannot be written.
        """
        write_text(path, _writer(path)(self))

    @staticmethod
    def check_suffix(path: str) -> None:
        """Refuse a file that `save` would.

        Raises:
            NetError: E505.
        """
        _writer(path)

    @classmethod
    def read(cls, path: str) -> "History":
        """Read what `save` wrote.

        Raises:
            NetError: E001, the file cannot be read; E505, it is not a history.
        """
        _writer(path)
        message = f"`{path}` is not the history of a training run"
        with what_training_wrote("E505", message, "use the `.csv` or `.json` that training wrote"):
            return cls(_from_json(path) if path.endswith(".json") else _from_csv(path))


# By the file's suffix.
_WRITERS = {".csv": History.to_csv, ".json": History.to_json}
HISTORY_SUFFIXES = tuple(_WRITERS)


def _writer(path: str) -> Any:
    for suffix, write in _WRITERS.items():
        if path.endswith(suffix):
            return write
    raise error("E505", f"`{path}` is not a `.csv` or `.json` file", help="choose one of these")


def _number(name: str, value: Any) -> Measured:
    """A column's value as a plain Python number, from NumPy or a file."""
    if value is None:
        return None
    return int(value) if name in WHOLE else float(value)


def _written(value: Measured) -> str:
    return "" if value is None else repr(value)


def _from_csv(path: str) -> list[Epoch]:
    check_readable(path)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as failure:
        raise Malformed(str(failure)) from None
    if not lines:
        raise Malformed("it is empty")
    head, *rows = lines
    if any(len(row) != len(head) for row in rows):
        raise Malformed("a line has more or fewer values than the first one")
    return [_row(dict(zip(head, row, strict=True))) for row in rows]


def _from_json(path: str) -> list[Epoch]:
    return [_row(row) for row in sequence(read_json(path, FORMAT), "epochs", dict)]


def _row(values: Mapping[str, Any]) -> Epoch:
    """A row from texts or JSON."""
    row = {name: number(value, name) for name, value in values.items()}
    if any(row.get(name) is None for name in (*WHOLE, "loss", "seconds")):
        raise Malformed("an epoch, step, loss or time is missing")
    for name in WHOLE:
        if not float(row[name] or 0).is_integer():
            raise Malformed(f"`{name}` is {values[name]!r}")
    return Epoch.of({name: _number(name, value) for name, value in row.items()})
