"""A data set of a table: numbers and codes of words in memory, encoded as they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...grammar.diagnostics import NetError, error, listing
from ..kerneldef import Array
from .cells import spelled
from .class_names import numbered
from .columns import UNKNOWN, Column, ColumnsByInput, encode, is_one_hot, layout
from .dataset import About, ArrayData, Batch, Rows
from .faults import check_columns, unknown_class
from .fingerprints import digest


class TableData(ArrayData):
    """Samples that are the rows of a table.

    `inputs` hold numbers and codes, (N, C), NaN where one is missing; reading makes inputs of them
    as `about.encodings` says.

    Args:
        inputs: Numbers and codes by the input's name.
        targets: The targets.
        about: What is known of them; its `encodings` have a column for each of the inputs'.
        where: What messages call each row, such as "line 3".
    """

    def __init__(
        self,
        inputs: Mapping[str, Rows],
        targets: Mapping[str, Rows],
        about: About,
        where: Sequence[str],
    ) -> None:
        super().__init__(inputs, targets, about)
        self.where = where
        self.layouts = {name: layout(columns) for name, columns in about.encodings.items()}

    def read(self, indices: Array) -> Batch:
        """The samples of these numbers, words as one-hot or as codes."""
        batch = super().read(indices)
        return Batch({name: self._fed(name, x) for name, x in batch.inputs.items()}, batch.targets)

    def _fed(self, name: str, values: Array) -> Array:
        """Numbers and codes of an input as a network takes them."""
        first, made = self.about.encodings[name][0], self.layouts[name]
        if not first.coded:
            return values if made is None else encode(values, made)
        words = first.categories or ()
        return np.where(np.isnan(values), len(words) - 1, values).astype(np.int64)

    def fingerprint(self) -> str:
        """That of its numbers and codes, and of what the codes stand for."""
        made = [self.about.encodings[name] for name, each in self.layouts.items() if each]
        return digest([super().fingerprint(), *map(str, made)])

    def check_gaps(self, filled: bool) -> None:
        """Refuse missing values where nothing replaces them.

        Args:
            filled: Whether missing numbers are replaced.

        Raises:
            NetError: E524.
        """
        for name, columns in self.about.encodings.items():
            values = self.inputs[name].parts[0]
            for place, column in enumerate(columns):
                gaps = np.isnan(values[:, place])
                allowed = filled if column.categories is None else is_one_hot(column)
                if not gaps.any() or allowed or "" in (column.categories or ()):
                    continue
                raise error(
                    "E524",
                    f"{self.about.name}: the column `{column.name}` of"
                    f" {self.where[int(np.argmax(gaps))]} holds nothing",
                    help="the run saw no missing values here: leave the sample out, or train with"
                    " `csv(..., missing=median)`",
                )

    def like(self, known: ColumnsByInput) -> "TableData":
        """The same rows with a run's columns, in its order and with its codes for words.

        Args:
            known: The run's columns.

        Raises:
            NetError: E526, a column is missing; E524, one holds words where the run had numbers;
                E523, a word is unknown and has no code.
        """
        if known == self.about.encodings:
            return self
        own = {
            column.name: (column, self.inputs[name].parts[0][:, place])
            for name, columns in self.about.encodings.items()
            for place, column in enumerate(columns)
        }
        wanted = [column for columns in known.values() for column in columns]
        names = _matched(self.about.name, list(own), [column.name for column in wanted])
        made = {
            column.name: self._recoded(*own[name], column)
            for name, column in zip(names, wanted, strict=True)
        }
        inputs = {
            name: Rows((np.stack([made[c.name] for c in columns], axis=1),), "float32")
            for name, columns in known.items()
        }
        return TableData(inputs, self.targets, about_columns(self.about, known), self.where)

    def _recoded(self, own: Column, values: Array, known: Column) -> Array:
        """Numbers and codes of a column with a run's codes."""
        if own.categories == known.categories:
            return values
        if known.categories is None:
            words = np.flatnonzero(~np.isnan(values))
            if len(words):
                raise self._words(own, values, int(words[0]))
            return values
        number_of = numbered([word for word in known.categories if word])
        distinct, places = np.unique(values, return_inverse=True)
        written = [_text(own, value) for value in distinct.tolist()]
        codes = [np.nan if text == "" else number_of(text) for text in written]
        if known.coded and None in codes:
            text = written[codes.index(None)]
            whose = f"the run's column `{known.name}`"
            raise unknown_class(self.about.name, text, known.categories, whose)
        coded = np.array([UNKNOWN if code is None else code for code in codes], np.float32)
        return coded[places.reshape(-1)]

    def _words(self, own: Column, values: Array, row: int) -> NetError:
        return error(
            "E524",
            f"{self.about.name}: the column `{own.name}` of {self.where[row]} holds"
            f" `{_text(own, float(values[row]))}`, not a number",
            help="the run took this column as numbers",
        )


def about_columns(about: About, columns: ColumnsByInput) -> About:
    """What is known of data that have these columns."""
    names = {name: tuple(column.name for column in each) for name, each in columns.items()}
    return replace(about, columns=names, encodings=dict(columns))


def _text(own: Column, value: float) -> str:
    """The text of a number or code; nothing where it is missing."""
    if value != value:
        return ""
    if own.categories is None:
        return spelled(value)
    return own.categories[int(value)] if value >= 0 else listing(own.categories)


def _matched(where: str, own: Sequence[str], known: Sequence[str]) -> list[str]:
    """The data's name of each of the run's columns; without names on a side, by their order."""
    unnamed = any(all(name.isdecimal() for name in names) for names in (own, known))
    if unnamed and len(own) == len(known):
        return list(own)
    check_columns(where, own, known)
    return list(known)
