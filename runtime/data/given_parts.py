"""Data sets of their own for training, validation and test -> one data set with these parts."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ...grammar.diagnostics import error, listing
from ..kerneldef import Array
from .class_names import by_names
from .dataset import Batch, Dataset
from .fingerprints import digest
from .table_data import TableData


class GivenParts(Dataset):
    """Data sets in a row: training, validation, and test part, of which the latter may be absent.

    Args:
        train: What is trained on, or divided further. Its own test part stays one unless there is
            another.
        validation: The validation part.
        test: The test part.
        always: Whether the parts are used whatever shares a split gives them.

    Raises:
        NetError: E522, the parts have other inputs, targets or shapes than the training part.
    """

    def __init__(
        self,
        train: Dataset,
        validation: Dataset | None = None,
        test: Dataset | None = None,
        *,
        always: bool = False,
    ) -> None:
        body, held_out = len(train) - train.about.held_out, train.about.held_out
        if held_out and test is None:
            test = Stretch(train, body, len(train))
        if held_out:
            train = Stretch(train, 0, body)
        given = {"the validation part": validation, "the test part": test}
        alike = [self._alike(train, part, name) for name, part in given.items() if part is not None]
        self.parts = [train, *alike]
        self.starts = np.cumsum([0, *map(len, self.parts)])
        self.about = replace(
            train.about,
            validation=0 if validation is None else len(validation),
            held_out=0 if test is None else len(test),
            always=always,
            keys=(),
            groups=None,
            ranks=None,
            notes=tuple(note for part in self.parts for note in part.about.notes),
        )

    def _alike(self, train: Dataset, part: Dataset, role: str) -> Dataset:
        """A part with the columns and classes of the training part.

        Args:
            train: The training part.
            part: The part.
            role: What messages call it where both have one name.

        Raises:
            NetError: E522; E523, it has classes that the training part lacks.
        """
        if isinstance(part, TableData) and train.about.encodings:
            part = part.like(train.about.encodings)
            part.check_gaps(filled=bool(train.about.fills))
        part = by_names(part, train.about.class_names)
        ours, theirs = (
            {name: array.shape[1:] for name, array in {**first.inputs, **first.targets}.items()}
            for first in (train.take([0]), part.take([0]))
        )
        if ours != theirs:
            where = part.about.name if part.about.name != train.about.name else role
            raise error(
                "E522",
                f"samples of {where} are not like those of {train.about.name}",
                notes=[f"they have {_spelled(theirs)}, and the others have {_spelled(ours)}"],
            )
        return part

    def __len__(self) -> int:
        return int(self.starts[-1])

    def read(self, indices: Array) -> Batch:
        """The samples of these numbers, of whichever part."""
        which = np.searchsorted(self.starts, indices, side="right") - 1
        places: list[int] = np.unique(which).tolist() or [0]
        found: dict[int, Batch] = {
            place: self.parts[place].read(indices[which == place] - self.starts[place])
            for place in places
        }
        if len(found) == 1:
            (only,) = found.values()
            return only
        order = np.argsort(np.argsort(which, kind="stable"), kind="stable")
        first = next(iter(found.values()))
        return Batch(
            {n: np.concatenate([b.inputs[n] for b in found.values()])[order] for n in first.inputs},
            {
                n: np.concatenate([b.targets[n] for b in found.values()])[order]
                for n in first.targets
            },
        )

    def labels(self) -> Array | None:
        """The class of every sample of all parts."""
        labels = [part.labels() for part in self.parts]
        known = [each for each in labels if each is not None]
        return np.concatenate(known) if len(known) == len(labels) else None

    def is_complete(self, target: str, ignored: int | None = None) -> bool:
        """See `Dataset`."""
        return all(part.is_complete(target, ignored) for part in self.parts)

    def fingerprint(self) -> str:
        """That of each part."""
        return digest([part.fingerprint() for part in self.parts])


class Stretch(Dataset):
    """Samples of a data set from one number to another, without parts of their own."""

    def __init__(self, data: Dataset, start: int, stop: int) -> None:
        self.data, self.start, self.stop = data, start, stop
        self.about = replace(data.about, held_out=0, keys=data.about.keys[start:stop])

    def __len__(self) -> int:
        return self.stop - self.start

    def read(self, indices: Array) -> Batch:
        """The samples of these numbers, counted from the first one here."""
        return self.data.read(indices + self.start)

    def labels(self) -> Array | None:
        """The class of every sample here."""
        labels = self.data.labels()
        return None if labels is None else labels[self.start : self.stop]

    def is_complete(self, target: str, ignored: int | None = None) -> bool:
        """See `Dataset`."""
        return self.data.is_complete(target, ignored)

    def fingerprint(self) -> str:
        """That of the data, with where this begins and ends."""
        return digest([self.data.fingerprint(), f"{self.start} {self.stop}"])


def _spelled(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return listing(
        [f"{name} ({', '.join(['N', *map(str, shape)])})" for name, shape in shapes.items()]
    )


# What folders, files and arrays of parts are called.
TRAINING = ("train", "training")
VALIDATION = ("val", "valid", "validation", "dev")
TEST = ("test", "testing")


_FIRST_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_KINDS = {"train": TRAINING, "validation": VALIDATION, "test": TEST}


def part_folders(path: str) -> dict[str, str] | None:
    """The folders of parts by `train`, `validation` and `test`; None of a folder without them."""
    found: dict[str, str] = {}
    for kind, names in _KINDS.items():
        for name in names:
            if kind not in found and os.path.isdir(os.path.join(path, name)):
                found[kind] = name
    return found if "train" in found and len(found) > 1 else None


def part_files(names: Iterable[str]) -> dict[str, list[str]] | None:
    """Files of parts by `train`, `validation` and `test`; None where some are of none.

    Their names begin with the part's, as Hugging Face's `train-00000-of-00002.parquet` do.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        start = _FIRST_WORD.match(name)
        word = start.group().lower() if start else ""
        kind = next((kind for kind, words in _KINDS.items() if word in words), None)
        if kind is None:
            return None
        found.setdefault(kind, []).append(name)
    return found if "train" in found and len(found) > 1 else None
