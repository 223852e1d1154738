"""A table: its cells by column, and what the text of a cell means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..kerneldef import Array
from .faults import unknown_name

TRUTHS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}
_POINT = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)

Cells = Sequence[str] | Array


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file or of a data frame.

    Attributes:
        name: What messages call it.
        columns: The cells by the column's name: text without blanks around it, or of data frames
            numbers as an array, NaN where one is missing.
        lines: The line of the file that each row begins in, or its number.
        decimal: What precedes the decimals of a number, a point or a comma.
        unit: What a row is called.
        levels: The words of columns that say in what order theirs are.
        encoded: Columns of pictures: a file for each row, None where there is none.
        folder: The folder that it is in.
    """

    name: str
    columns: Mapping[str, Cells]
    lines: Sequence[int]
    decimal: str = "."
    unit: str = "line"
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    encoded: Mapping[str, Sequence[bytes | None]] = field(default_factory=dict)
    folder: str = ""

    def rows(self, kept: Array) -> "Table":
        """The table with some of its rows, by number."""
        columns = {
            name: cells[kept]
            if isinstance(cells, np.ndarray)
            else [cells[place] for place in kept.tolist()]
            for name, cells in self.columns.items()
        }
        places: list[int] = kept.tolist()
        encoded = {name: [each[place] for place in places] for name, each in self.encoded.items()}
        lines = [self.lines[place] for place in places]
        return replace(self, columns=columns, lines=lines, encoded=encoded)

    def missing(self, name: str) -> Array:
        """Which cells of a column say that something is not known, (N,) bool."""
        cells = self.column(name)
        if isinstance(cells, np.ndarray):
            gaps: Array = (cells != cells).reshape(len(cells), -1).any(axis=1)
            return gaps
        return np.fromiter(map(is_missing, cells), bool, len(cells))

    def column(self, name: str) -> Cells:
        """The cells of a column.

        Raises:
            NetError: E526, there is none of that name.
        """
        if name not in self.columns:
            raise unknown_name("column", name, self.columns, self.name)
        return self.columns[name]

    def number(self, text: str) -> float:
        """The number that a text is.

        Raises:
            ValueError: It is none.
        """
        if "_" in text:
            raise ValueError
        if self.decimal == ",":
            if "." in text:
                raise ValueError
            text = text.replace(",", ".")
        return float(text)

    def measure(self, text: str) -> float:
        """The number that a text is, or means: true and yes are 1, false and no are 0.

        Raises:
            ValueError: It is none.
        """
        try:
            return self.number(text)
        except ValueError:
            truth = TRUTHS.get(text.casefold())
            if truth is None:
                raise
            return truth


def is_missing(cell: str) -> bool:
    """Whether a cell says that something is not known."""
    return cell.casefold() in _MISSING


def has_comma(cell: str) -> bool:
    """Whether a cell is a number with a comma in it."""
    return _COMMA.fullmatch(cell) is not None


def has_point(cell: str) -> bool:
    """Whether a cell is a number with a decimal point."""
    return _POINT.fullmatch(cell) is not None


def is_thousands(cell: str) -> bool:
    """Whether a comma in a number may divide thousands."""
    return _THOUSANDS.fullmatch(cell) is not None


def is_number(cell: str) -> bool:
    """Whether a cell is a number, or several with blanks between them, with a point or a comma."""
    try:
        float(cell.split()[0].replace(",", "."))
    except (IndexError, ValueError):
        return False
    return not is_missing(cell)
