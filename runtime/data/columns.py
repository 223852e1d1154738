"""Columns of a table -> inputs of a network: numbers as they are, words as one-hot or as codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..kerneldef import Array

UNKNOWN = -1.0  # the code of a word that is no category
NUMBER, CATEGORY, MISSING_VALUE = range(3)  # kinds of inputs


@dataclass(frozen=True, slots=True)
class Column:
    """What becomes of a column.

    Attributes:
        name: Its name.
        categories: Its words by their code, 0 first; `""` is a missing word. None of numbers.
        indicator: Whether an input after it says, by 1, that a number is missing.
        coded: Whether words are fed as their codes, which `EMBED` takes.
    """

    name: str
    categories: tuple[str, ...] | None = None
    indicator: bool = False
    coded: bool = False

    @property
    def width(self) -> int:
        """How many inputs it becomes."""
        if self.coded or self.categories is None:
            return 1 + self.indicator
        return len(self.categories)

    def described(self) -> str:
        """What became of it, for messages."""
        if self.categories is None:
            return "numbers" + " and whether one is missing" * self.indicator
        known = len(self.categories) - ("" in self.categories)
        words = f"{known} words" + " or missing" * ("" in self.categories)
        return f"{words}: codes" if self.coded else f"{words}: {self.width} one-hot inputs"


Columns = tuple[Column, ...]
ColumnsByInput = Mapping[str, Columns]


class Layout(NamedTuple):
    """Where inputs come from, as arrays (F,): columns, kinds of inputs, and codes of categories.

    A missing word has a code, a missing number has NaN.
    """

    sources: Array
    kinds: Array
    codes: Array


def layout(columns: Sequence[Column]) -> Layout | None:
    """The inputs that columns become; None where each is the input itself."""
    if not any(column.indicator or is_one_hot(column) for column in columns):
        return None
    rows: list[tuple[int, int, float]] = []
    for place, column in enumerate(columns):
        if column.categories is None:
            rows.append((place, NUMBER, 0.0))
            rows += [(place, MISSING_VALUE, np.nan)] * column.indicator
            continue
        rows += [
            (place, CATEGORY if word else MISSING_VALUE, float(code))
            for code, word in enumerate(column.categories)
        ]
    sources, kinds, codes = zip(*rows, strict=True)
    return Layout(np.array(sources), np.array(kinds), np.array(codes, np.float32))


def encode(values: Array, made: Layout) -> Array:
    """Numbers and codes (n, C), NaN where they are missing, as inputs (n, F) float32.

    An unknown word, and a missing one where `""` is no category, is 0 in all of its inputs. Where
    it is one, a missing word is NaN or its code.
    """
    found: Array = values[:, made.sources]
    matches = found == made.codes
    absent = matches | np.isnan(found)
    found = np.where(made.kinds == CATEGORY, matches, found)
    return np.where(made.kinds == MISSING_VALUE, absent, found).astype(np.float32)


def is_one_hot(column: Column) -> bool:
    """Whether a column becomes an input for each of its words."""
    return column.categories is not None and not column.coded


def inputs_of(columns: Sequence[Column]) -> list[tuple[str, Columns]]:
    """Which columns make which input: each coded one its own, all others the first one."""
    together = tuple(column for column in columns if not column.coded)
    alone = [(column.name, (column,)) for column in columns if column.coded]
    return [*([("input", together)] if together else []), *alone]
