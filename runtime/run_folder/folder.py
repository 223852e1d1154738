"""The folder of a run: what its files are called, and what `run.json` records."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from ...grammar.diagnostics import error
from ...grammar.files import make_folder, write_text
from ..data.columns import Column, ColumnsByInput
from .json_files import Malformed, read_json, sequence, table, what_training_wrote
from .json_files import field as field_of

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]  # Windows has none

CHECKPOINT = "checkpoint.safetensors"
CURVES = "curves.svg"
FACTS = "run.json"
HISTORY = "history"
HEAT_MAP = "layers.svg"
PROGRAM = "model.net"
WEIGHTS = "weights.safetensors"
MONITOR = "monitor"
FORMAT = "netc run 1"
# What a run may leave besides its program.
RUN_FILES = (
    *(FACTS, CHECKPOINT, WEIGHTS, CURVES, HEAT_MAP),
    *(f"{name}{suffix}" for name in (HISTORY, MONITOR) for suffix in (".csv", ".json")),
)


@contextmanager
def locked(folder: str | None) -> Iterator[None]:
    """A folder that no other run writes to; the system unlocks it when a process ends, or dies.

    Raises:
        NetError: E545, another run holds it.
    """
    if folder is None or fcntl is None:
        yield
        return
    made = not os.path.exists(folder)
    handle = _lock(folder)
    try:
        yield
    finally:
        if made:
            with suppress(OSError):  # it holds something
                os.rmdir(folder)
        os.close(handle)


def _lock(folder: str) -> int:
    """A folder, made where it is not there, open and locked.

    Raises:
        NetError: E004, it cannot be made; E545, another process holds it.
    """
    while True:
        make_folder(folder)
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # another process has removed it again
            continue
        except OSError as failure:
            raise error("E004", f"cannot open the folder `{folder}`: {failure.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise error(
                "E545",
                f"another process is training in `{folder}`",
                help="wait until it has ended, or choose another folder (`--output`)",
            ) from None
        except OSError:  # a file system without locks
            return handle
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(folder)):
                return handle
        os.close(handle)


def free_folder(usual: str) -> str:
    """A folder for a run; where the usual one holds a finished run, the next number's.

    Raises:
        NetError: E546, the usual folder's `run.json` is damaged.
    """
    if not Facts.read(usual).results:
        return usual
    names = (f"{usual}{number}" for number in count(2))
    return next(name for name in names if not os.path.lexists(name))


def remove_run(folder: str) -> None:
    """Remove the files of the run that a folder holds, and no others; its program may be in use.

    Raises:
        NetError: E004, one cannot be removed.
    """
    for name in RUN_FILES:
        path = os.path.join(folder, name)
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue
        except OSError as failure:
            raise error("E004", f"cannot remove `{path}`: {failure.strerror}") from None


@dataclass(frozen=True, slots=True)
class OutputFacts:
    """What is known of an output that has a loss.

    Attributes:
        indexed: Whether its targets are indices of classes.
        names: The names of the classes, or nothing.
    """

    indexed: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run was, for those who measure and answer with its weights.

    Attributes:
        settings: All settings, as a program spells them.
        changes: Those that replaced the program's own.
        options: The engine, and by what and when the run ends early.
        inputs: The network's inputs, by the data's name.
        shapes: The extents of a sample of each input, by the data's name.
        columns: The names of the columns of each input that has some, by the data's name.
        encodings: What became of the columns of a table, by the data's name of the input.
        targets: The columns of the table's target.
        key: The column that names the samples, or nothing.
        outputs: The outputs that have a loss.
        results: How it ended: `best_epoch`, and loss and metrics of the test part.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    encodings: ColumnsByInput = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    key: str = ""
    outputs: Mapping[str, OutputFacts] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: str) -> None:
        """Write `run.json`, whole or not at all.

        Raises:
            NetError: E004.
        """
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
        write_text(os.path.join(folder, FACTS), text + "\n")

    @classmethod
    def read(cls, folder: str) -> "Facts":
        """Read what `save` wrote; nothing where there is no such file.

        Raises:
            NetError: E546, it is damaged.
        """
        path = os.path.join(folder, FACTS)
        if not os.path.exists(path):
            return cls()
        message = f"`{path}` is not what training wrote"
        help = "train again in another folder, or give weights with `--weights`"
        with what_training_wrote("E546", message, help):
            return cls._of(read_json(path, FORMAT))

    @classmethod
    def _of(cls, found: dict[str, Any]) -> "Facts":
        """What `save` wrote, or what an earlier version did, which recorded less of tables."""
        shapes = field_of(found, "shapes", dict)
        found = {"columns": {}, "encodings": {}, "targets": [], "key": "", **found}
        columns, encodings = (field_of(found, name, dict) for name in ("columns", "encodings"))
        facts = cls(
            settings=table(found, "settings", str),
            changes=table(found, "changes", str),
            options=table(found, "options", object),
            inputs=table(found, "inputs", str),
            shapes={name: sequence(shapes, name, int) for name in shapes},
            columns={name: sequence(columns, name, str) for name in columns},
            encodings={
                name: tuple(map(_column, sequence(encodings, name, dict))) for name in encodings
            },
            targets=sequence(found, "targets", str),
            key=field_of(found, "key", str),
            outputs={
                name: OutputFacts(field_of(each, "indexed", bool), sequence(each, "names", str))
                for name, each in table(found, "outputs", dict).items()
            },
            results=field_of(found, "results", dict),
        )
        for name, value in facts.options.items():
            if not isinstance(value, _OPTIONS.get(name, ())) or isinstance(value, bool):
                raise Malformed(f"the option {name} is {value!r}")
        if any(extent < 0 for shape in facts.shapes.values() for extent in shape):
            raise Malformed("a shape has an extent below 0")
        return facts


def _column(found: dict[str, Any]) -> Column:
    """What became of a column, as `save` wrote it."""
    words = found.get("categories") is not None
    return Column(
        field_of(found, "name", str),
        sequence(found, "categories", str) if words else None,
        indicator=field_of(found, "indicator", bool),
        coded=field_of(found, "coded", bool),
    )


_OPTIONS: Mapping[str, tuple[type, ...]] = {
    "engine": (str,),
    "device": (str,),
    "monitor": (str, type(None)),
    "patience": (int, type(None)),
    "min_delta": (int, float),
}
