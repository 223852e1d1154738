"""Tables whose columns have names -> the columns that a run took, in its order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..kerneldef import Array
from .dataset import Converted, Dataset
from .faults import check_columns

ColumnOrders = Mapping[str, Sequence[str]]  # the names of the columns in order, by the input's name


def by_columns(data: Dataset, columns: ColumnOrders) -> Dataset:
    """The data with the columns of each input as a run had them, whatever their order here.

    Columns without names of their own, which are called by their numbers, stay as they are, and
    so do those of inputs without columns.

    Args:
        data: The data set.
        columns: What the run called its columns.

    Raises:
        NetError: E526, the data lack a column of the run.
    """
    orders = {
        name: _order(data.about.name, own, columns[name])
        for name, own in data.about.columns.items()
        if _differ(own, columns.get(name, ()))
    }
    if not orders:
        return data
    renamed = {name: tuple(columns[name]) for name in orders}
    about = replace(data.about, columns={**data.about.columns, **renamed})
    changes = {name: partial(_reordered, order) for name, order in orders.items()}
    return Converted(data, about, inputs=changes, identity=[*orders, *orders.values()])


def _reordered(order: Array, table: Array) -> Array:
    columns: Array = table[:, order]
    return columns


def _differ(own: Sequence[str], known: Sequence[str]) -> bool:
    """Whether both have names of their own, and not the same ones."""
    return all(any(not name.isdecimal() for name in names) for names in (own, known)) and (
        list(own) != list(known)
    )


def _order(where: str, own: Sequence[str], known: Sequence[str]) -> Array:
    """Where the data have each of the run's columns."""
    check_columns(where, own, known)
    return np.array([own.index(name) for name in known], np.int64)
