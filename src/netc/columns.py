"""The columns of the layer table: what each takes from a row, and how it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .compiler.dim import Dim
from .grammar.diagnostics import did_you_mean, error
from .rows import Row

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the layer table.

    Attributes:
        key: Its name for `columns=` and in JSON and CSV.
        title: Its heading in text and Markdown.
        align: Where its texts are aligned to.
        value: What it takes from a row: JSON's and CSV's form.
        text: The value for readers.
        wrap: How wide its texts may be before they go on in the next line.
    """

    key: str
    title: str
    align: Literal["left", "right"]
    value: Callable[[Row], Any]
    text: Callable[[Row], str]
    wrap: int | None = None


COLUMNS: dict[str, Column] = {}

# The columns that text and Markdown show where none are chosen.
USUAL = ("layer", "call", "output", "params", "macs", "receptive_field")


def column(
    title: str,
    *,
    align: Literal["left", "right"] = "left",
    text: Callable[[Any], str] = str,
    wrap: int | None = None,
) -> Callable[[Callable[[Row], Any]], Callable[[Row], Any]]:
    """Enter the decorated function of a row into the table of columns, under its name."""

    def register(value: Callable[[Row], Any]) -> Callable[[Row], Any]:
        key = value.__name__
        if key in COLUMNS:
            raise ValueError(f"column {key} is defined twice")
        COLUMNS[key] = Column(key, title, align, value, lambda row: text(value(row)), wrap)
        return value

    return register


def chosen_columns(keys: Sequence[str]) -> tuple[Column, ...]:
    """Columns by their keys.

    Raises:
        NetError: There is no such column.
    """
    for key in keys:
        if key not in COLUMNS:
            known = ", ".join(f"`{name}`" for name in COLUMNS)
            near = did_you_mean(key, COLUMNS) or f"the columns are {known}"
            raise error("E102", f"the table has no column `{key}`", help=near)
    return tuple(COLUMNS[key] for key in keys)
