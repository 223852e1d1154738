"""Data whose classes are numbered by their own names -> the numbers that a run gave these names."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..kerneldef import Array
from .dataset import Converted, Dataset
from .faults import unknown_class

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)

Renumbering = tuple[Array, Array]  # indices in order, and what each becomes
ClassNames = Mapping[str, Sequence[str]]  # the names of the classes in order, by the target's name


def by_names(data: Dataset, names: ClassNames) -> Dataset:
    """The data with each class under the number that it had in a run.

    A file or folder that lacks a class numbers the others differently. Whole numbers are names
    where the run's names are numbers, such as 1 to 3. Other targets without names on either side
    hold indices, and stay as they are.

    Args:
        data: The data set.
        names: What the run called its classes.

    Raises:
        NetError: E523, the data have a class that the run does not know.
    """
    tables = {
        target: (np.arange(len(own)), _table(data, own, names[target]))
        for target, own in data.about.class_names.items()
        if names.get(target) and tuple(names[target]) != own
    }
    for target, known in names.items():
        unnamed = data.about.kinds.get(target) == "label" and target not in data.about.class_names
        if unnamed and _are_numbers(known) and (labels := data.labels()) is not None:
            values = np.unique(labels)
            tables[target] = values, _table(data, list(map(str, values)), known)
    if not tables:
        return data
    renamed = {target: tuple(names[target]) for target in tables}
    about = replace(data.about, class_names={**data.about.class_names, **renamed})
    changes = {target: partial(_looked_up, table) for target, table in tables.items()}
    numbers = [array for table in tables.values() for array in table]
    return Converted(data, about, targets=changes, identity=[*tables, *numbers])


def _are_numbers(names: Sequence[str]) -> bool:
    """Whether names are whole numbers that differ from the indices."""
    return all(map(_WHOLE.fullmatch, names)) and list(names) != list(map(str, range(len(names))))


def numbered(names: Sequence[str]) -> Callable[[str], int | None]:
    """The number of the class that a text names: as it is written, or as the same number."""
    places = {name: place for place, name in enumerate(names)}
    values = {number_in(name): place for name, place in places.items()}

    def number_of(text: str) -> int | None:
        number = number_in(text)
        return places.get(text, None if number is None else values.get(number))

    return number_of


def number_in(text: str) -> float | None:
    """The number that a text spells, if it does."""
    try:
        return float(text)
    except ValueError:
        return None


def _table(data: Dataset, own: Sequence[str], known: Sequence[str]) -> Array:
    """The run's number of each of the data's classes."""
    number_of = numbered(known)
    found = [number_of(name) for name in own]
    if None in found:
        raise unknown_class(data.about.name, own[found.index(None)], known, "the run")
    return np.array(found, np.int64)


def _looked_up(table: Renumbering, indices: Array) -> Array:
    """Indices by a table; what is not in it, such as an ignored class, stays."""
    values, numbers = table
    places = np.minimum(np.searchsorted(values, indices), len(values) - 1)
    return np.where(values[places] == indices, numbers[places], indices).astype(indices.dtype)
