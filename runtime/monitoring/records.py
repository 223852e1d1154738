"""What a monitor records of a run: layers and parameters by epoch, as CSV and JSON and back."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeVar

from ...grammar.files import write_text
from ..run_folder.json_files import field as field_of
from ..run_folder.json_files import for_json, number, read_json, sequence, what_training_wrote

FORMAT = "netc monitor 1"
FILE = "monitor"

SymptomKind = Literal["vanishing", "exploding", "dead", "saturated", "fast"]
Recorded = TypeVar("Recorded")


@dataclass(frozen=True, slots=True)
class Signal:
    """A layer's output on the monitored batch, after an epoch.

    Attributes:
        epoch: The epoch, from 1.
        name: The layer.
        mean, deviation, zeros: Of all its numbers; `zeros` is the share that is 0.
        norm: Of a sample, on average: sqrt(sum y^2 / N).
        dead: Of a RELU, the share of units (or channels) that are 0 for all samples.
        saturated: Of TANH and SIGMOID, the share of numbers where the slope is less than 5 % of
            the steepest.
    """

    epoch: int
    name: str
    mean: float
    deviation: float
    zeros: float
    norm: float
    dead: float | None = None
    saturated: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter, its gradient on the monitored batch, and what a step makes of it.

    Attributes:
        epoch: The epoch, from 1.
        name: The parameter.
        mean, deviation, zeros, norm: Of its gradient.
        weight: The norm of the parameter itself.
        update: The norm of what the optimizer would add to it, divided by `weight`; about 0.001
            is usual.
    """

    epoch: int
    name: str
    mean: float
    deviation: float
    zeros: float
    norm: float
    weight: float
    update: float

    @property
    def relative(self) -> float:
        """The gradient's norm, divided by the parameter's."""
        return self.norm / self.weight if self.weight > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that is wrong with a layer or a parameter after an epoch.

    Attributes:
        kind: What it is.
        epoch: When it is seen, from 1.
        name: The layer or parameter.
        message: What is seen, with its number.
        advice: What to try.
        value: The number that it rests on.
    """

    kind: SymptomKind
    epoch: int
    name: str
    message: str
    advice: str
    value: float

    def __str__(self) -> str:
        return f"epoch {self.epoch}: {self.message}; {self.advice}"


@dataclass
class Records:
    """What was recorded of a run, an entry for each epoch and layer or parameter."""

    signals: list[Signal] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    symptoms: list[Symptom] = field(default_factory=list)

    def __repr__(self) -> str:
        counts = f"{len(self.signals)} signals, {len(self.changes)} changes"
        return f"<Records: {counts}, {len(self.symptoms)} symptoms in epochs {self.epochs}>"

    @property
    def epochs(self) -> list[int]:
        """The epochs that were recorded."""
        seen = {signal.epoch for signal in self.signals}
        return sorted(seen | {change.epoch for change in self.changes})

    def truncate(self, epoch: int) -> None:
        """Forget what came after an epoch: a run resumed from there records it again."""
        self.signals = [row for row in self.signals if row.epoch <= epoch]
        self.changes = [row for row in self.changes if row.epoch <= epoch]
        self.symptoms = [row for row in self.symptoms if row.epoch <= epoch]

    def to_csv(self) -> str:
        """The rows as CSV; what a row does not have is empty."""
        text = io.StringIO()
        columns = ["kind", *dict.fromkeys([*Signal.__slots__, *Change.__slots__])]
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for kind, rows in (("activation", self.signals), ("gradient", self.changes)):
            for row in rows:
                values = {name: "" if v is None else v for name, v in asdict(row).items()}
                writer.writerow({"kind": kind, **values})
        return text.getvalue()

    def to_json(self) -> str:
        """The rows as JSON; numbers that are not finite are texts."""
        tables = {
            "activations": _for_json(self.signals),
            "gradients": _for_json(self.changes),
            "symptoms": _for_json(self.symptoms),
        }
        return json.dumps({"format": FORMAT, **tables}, indent=1, allow_nan=False) + "\n"

    def save(self, folder: str) -> None:
        """Write `monitor.csv` and `monitor.json`, each whole or not at all.

        Raises:
            NetError: E004.
        """
        write_text(os.path.join(folder, f"{FILE}.csv"), self.to_csv())
        write_text(os.path.join(folder, f"{FILE}.json"), self.to_json())

    @classmethod
    def read(cls, folder: str) -> "Records":
        """Read what `save` wrote.

        Raises:
            NetError: E001, the file cannot be read; E561, it is no such file.
        """
        path = os.path.join(folder, f"{FILE}.json")
        message = f"`{path}` is not the record of a monitored run"
        help = "take the `monitor.json` that training wrote, or remove it"
        with what_training_wrote("E561", message, help):
            found = read_json(path, FORMAT)
            return cls(
                _entries(Signal, sequence(found, "activations", dict)),
                _entries(Change, sequence(found, "gradients", dict)),
                _entries(Symptom, sequence(found, "symptoms", dict)),
            )


def _entries(kind: type[Recorded], rows: Sequence[Mapping[str, Any]]) -> list[Recorded]:
    """Entries from JSON; texts in place of numbers are those that are not finite."""
    # `kind` is a class of records, which `fields` cannot tell from its type.
    types = {f.name: f.type for f in fields(kind)}  # type: ignore[arg-type]
    return [kind(**{n: _value(row, n, type) for n, type in types.items()}) for row in rows]


def _value(row: Mapping[str, Any], name: str, type: Any) -> Any:
    if "float" in str(type):
        return number(field_of(row, name, object), name)
    return field_of(row, name, int if type is int else str)


def _for_json(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [{name: for_json(value) for name, value in asdict(row).items()} for row in rows]
