"""Data whose classes are numbered by their own names -> the numbers that a run gave these names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...grammar.diagnostics import did_you_mean, error
from ..kerneldef import Array
from .dataset import Batch, Dataset
from .fingerprints import digest

Names = Mapping[str, Sequence[str]]  # the names of the classes in order, by the target's name


def by_names(data: Dataset, names: Names) -> Dataset:
    """The data with each class under the number that it had in a run.

    A file or folder that lacks a class numbers the others differently. Targets without names on
    either side hold indices, and stay as they are.

    Args:
        data: The data set.
        names: What the run called its classes.

    Raises:
        NetError: E523, the data have a class that the run does not know.
    """
    tables = {
        target: _table(data, own, names[target])
        for target, own in data.about.class_names.items()
        if names.get(target) and tuple(names[target]) != own
    }
    return Renumbered(data, tables, names) if tables else data


class Renumbered(Dataset):
    """A data set with other numbers for its classes.

    Args:
        data: The data set.
        tables: For each target that changes, the new number of each class.
        names: What the classes are called then.
    """

    def __init__(self, data: Dataset, tables: Mapping[str, Array], names: Names) -> None:
        self.data = data
        self.tables = tables
        renamed = {target: tuple(names[target]) for target in tables}
        self.about = replace(data.about, class_names={**data.about.class_names, **renamed})

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices: Array) -> Batch:
        """The samples of these numbers, their classes renumbered."""
        batch = self.data.read(indices)
        changed = {
            target: _looked_up(table, batch.targets[target])
            for target, table in self.tables.items()
            if target in batch.targets
        }
        return Batch(batch.inputs, {**batch.targets, **changed})

    def fingerprint(self) -> str:
        """That of the data, with the classes' new numbers."""
        return digest([self.data.fingerprint(), *self.tables, *self.tables.values()])

    def labels(self) -> Array | None:
        """The class of every sample, renumbered."""
        labels = self.data.labels()
        kinds = self.about.kinds
        table = next((t for target, t in self.tables.items() if kinds.get(target) == "label"), None)
        return labels if labels is None or table is None else _looked_up(table, labels)


def _table(data: Dataset, own: Sequence[str], known: Sequence[str]) -> Array:
    """The run's number of each of the data's classes."""
    strange = next((name for name in own if name not in known), None)
    if strange is not None:
        raise error(
            "E523",
            f"{data.about.name} has a class `{strange}`, which the run does not know",
            notes=["the run's classes are " + ", ".join(f"`{name}`" for name in known)],
            help=did_you_mean(strange, known) or "leave its samples out, or train with that class",
        )
    return np.array([list(known).index(name) for name in own], np.int64)


def _looked_up(table: Array, indices: Array) -> Array:
    """Indices by a table; what is none of its rows, such as an ignored class, stays."""
    inside = (indices >= 0) & (indices < len(table))
    return np.where(inside, table[np.where(inside, indices, 0)], indices).astype(indices.dtype)
