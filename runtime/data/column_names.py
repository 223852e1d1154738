"""Tables whose columns have names -> the columns that a run took, in its order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..kerneldef import Array
from .dataset import Batch, Dataset
from .faults import unknown_name
from .fingerprints import digest

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
    return Reordered(data, orders, columns) if orders else data


class Reordered(Dataset):
    """A data set with its columns in another order.

    Args:
        data: The data set.
        orders: For each input that changes, which of its columns come first, second and so on.
        columns: What the columns are called then.
    """

    def __init__(self, data: Dataset, orders: Mapping[str, Array], columns: ColumnOrders) -> None:
        self.data = data
        self.orders = orders
        renamed = {name: tuple(columns[name]) for name in orders}
        self.about = replace(data.about, columns={**data.about.columns, **renamed})

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices: Array) -> Batch:
        """The samples of these numbers, their columns reordered."""
        batch = self.data.read(indices)
        changed = {name: batch.inputs[name][:, order] for name, order in self.orders.items()}
        return Batch({**batch.inputs, **changed}, batch.targets)

    def fingerprint(self) -> str:
        """That of the data, with the order of the columns."""
        return digest([self.data.fingerprint(), *self.orders, *self.orders.values()])

    def labels(self) -> Array | None:
        """The class of every sample."""
        return self.data.labels()


def _differ(own: Sequence[str], known: Sequence[str]) -> bool:
    """Whether both have names of their own, and not the same ones."""
    return all(any(not name.isdecimal() for name in names) for names in (own, known)) and (
        list(own) != list(known)
    )


def _order(where: str, own: Sequence[str], known: Sequence[str]) -> Array:
    """Where the data have each of the run's columns."""
    for name in known:
        if name not in own:
            spelled = ", ".join(f'"{each}"' for each in known)
            help = f"the last column is the target unless `inputs=[{spelled}]` names the inputs"
            raise unknown_name("input column", name, own, where, help=help)
    return np.array([own.index(name) for name in known], np.int64)
