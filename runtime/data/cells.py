"""Cells of a table's column -> numbers or words; what is wrong with a cell that is neither."""

import re
from collections.abc import Sequence
from math import inf, nan

import numpy as np

from ...grammar.diagnostics import NetError, error
from ..arrays.memory import check_memory
from ..kerneldef import Array
from .class_names import number_in
from .table import TRUTHS, Table, has_comma, has_point, is_missing, is_thousands

_LARGEST = float(np.finfo(np.float32).max)
_FEW_WORDS = 10  # which may differ in all rows


def numbers(table: Table, name: str, *, inputs: Sequence[str] = ()) -> Array:
    """A column as float32 (N, 1), or (N, F) where a cell holds F numbers; NaN where it is empty.

    Args:
        table: The table.
        name: The column.
        inputs: The columns of inputs, where this is one of them.

    Raises:
        NetError: E524, a cell is not a number; E527, cells hold different numbers of them.
    """
    cells = table.column(name)
    if isinstance(cells, np.ndarray):
        with np.errstate(over="ignore"):
            made: Array = cells.astype(np.float32).reshape(len(cells), -1)
        infinite = np.isinf(made)
        if infinite.any():
            given = cells.reshape(made.shape)
            for row, place in np.argwhere(infinite & np.isfinite(given))[:1].tolist():
                raise _beyond(table, name, row, float(given[row, place]))
        return made
    width = next((len(cell.split()) for cell in cells if not is_missing(cell)), 1)
    what = f"{len(cells):_} cells of {width:_} numbers in the column `{name}`"
    check_memory(what, 4 * len(cells) * width)
    places = {cell: place for place, cell in enumerate(dict.fromkeys(cells))}
    found = np.empty((len(places), width), np.float32)
    for cell, place in places.items():
        try:
            found[place] = _values(table, cell, width)
        except ValueError:
            raise _no_numbers(table, name, cells.index(cell), width, inputs) from None
    if len(places) == len(cells):
        return found
    return found[np.fromiter(map(places.__getitem__, cells), np.intp, len(cells))]


def _values(table: Table, cell: str, width: int) -> float | list[float]:
    """The numbers in a cell, NaN where it is empty.

    Raises:
        ValueError: It holds another number of them, what is none, or one beyond float32.
    """
    if is_missing(cell):
        return nan
    values = [table.measure(number) for number in cell.split()]
    if len(values) != width or any(_LARGEST < abs(value) < inf for value in values):
        raise ValueError
    return values


def _no_numbers(table: Table, name: str, row: int, width: int, inputs: Sequence[str]) -> NetError:
    """The error for a cell that does not hold `width` numbers of float32."""
    cell = texts(table, name)[row]
    try:
        values = [table.measure(number) for number in cell.split()]
    except ValueError:
        return no_number(table, name, row, inputs)
    if len(values) != width:
        return _unequal(table, name, row, len(values), width)
    return _beyond(table, name, row, max(values, key=abs))


def _beyond(table: Table, name: str, row: int, number: float) -> NetError:
    """The error for a number that is infinite in float32."""
    where = f"the column `{name}` of {table.unit} {table.lines[row]}"
    message = f"{table.name}: {where} holds {number:g}"
    help = "numbers go up to 3.4e38: divide the column, such as by 1e30"
    return error("E524", f"{message}, which float32 does not", help=help)


def is_number(table: Table, cell: str) -> bool:
    """Whether a cell begins with a number."""
    try:
        table.number(cell.split()[0])
    except (IndexError, ValueError):
        return False
    return not is_missing(cell)


def holds_words(table: Table, name: str) -> bool:
    """Whether no cell of a column is a number, nor nearly one, and not all are yes or no."""
    cells = table.column(name)
    if isinstance(cells, np.ndarray):
        return False
    distinct = {cell for cell in set(cells) if not is_missing(cell)}
    if any(is_number(table, cell) or _nearly(table, cell) for cell in distinct):
        return False
    return any(cell.casefold() not in TRUTHS for cell in distinct)


def categories_of(table: Table, name: str) -> tuple[str, ...]:
    """The distinct cells of a column: numbers by value, words by the alphabet."""
    if name in table.levels:
        return table.levels[name]
    distinct = {cell for cell in set(texts(table, name)) if not is_missing(cell)}
    values = {cell: number_in(cell) for cell in distinct}
    if None in values.values():
        return tuple(sorted(distinct))
    return tuple(sorted(distinct, key=lambda cell: (values[cell], cell)))


def texts(table: Table, name: str) -> Sequence[str]:
    """The cells of a column as text; numbers of arrays as a program spells them."""
    cells = table.column(name)
    if not isinstance(cells, np.ndarray):
        return cells
    return ["" if cell != cell else spelled(cell) for cell in cells.tolist()]


def spelled(number: float) -> str:
    """A number as text, whole ones without a point."""
    return str(int(number)) if float(number).is_integer() else repr(number)


def group_numbers(table: Table, name: str) -> Array:
    """A number for each cell of a column, (N,) int64, the same for the same text."""
    numbers: Array = np.unique(texts(table, name), return_inverse=True)[1].reshape(-1)
    return numbers


def check_words(table: Table, name: str, categories: Sequence[str]) -> None:
    """Refuse words that differ in most rows, such as names: nothing can be learned of them.

    Raises:
        NetError: E524.
    """
    rows = len(table.lines)
    if len(categories) <= max(_FEW_WORDS, rows // 2):
        return
    raise error(
        "E524",
        f"{table.name}: the column `{name}` holds {len(categories):_} different words in"
        f" {rows:_} {table.unit}s",
        help=f'`drop="{name}"` leaves the column out, `index="{name}"` takes it for the names of'
        f' samples; `onehot="{name}"` makes {len(categories):_} inputs of it',
    )


def no_number(table: Table, name: str, row: int, inputs: Sequence[str] = ()) -> NetError:
    """The error for a cell that is not a number; `inputs` as in `numbers`."""
    cell = texts(table, name)[row]
    shown = f"`{cell[:40]}`, not a number" if cell else "nothing"
    return error(
        "E524",
        f"{table.name}: the column `{name}` of {table.unit} {table.lines[row]} holds {shown}",
        help=_remedy(table, name, cell, inputs),
    )


def _remedy(table: Table, name: str, cell: str, inputs: Sequence[str]) -> str:
    """What to do about a cell of a target, or of one of the inputs, that is not a number."""
    if is_missing(cell):
        drop = f"`missing=drop` leaves such {table.unit}s out"
        if not inputs:
            return f"only targets that are numbers may be missing: {drop}"
        return f"`missing=median` or `mean` replaces missing numbers; {drop}"
    if mixed := _mixed_decimals(table):
        return f"{mixed}: write all with a point, or all with a comma"
    if has_comma(cell) and table.decimal == ".":
        return 'with `decimal=","` the comma is the decimal mark; write thousands without it'
    if inputs and _DATES.fullmatch(cell):
        parts = "makes inputs of year, month, day and weekday"
        return f'`dates="{name}"` {parts}, `drop="{name}"` leaves the column out'
    if near := _nearly(table, cell):
        return f'{near}; `drop="{name}"` leaves the column out' if inputs else near
    if inputs:
        how = f'`onehot="{name}"` makes an input of each, `drop="{name}"` leaves the column out'
        return f"a column of inputs holds numbers or words, not both; {how}"
    return "a target holds words, which are classes, or numbers; `target=` names its column"


def _mixed_decimals(table: Table) -> str | None:
    """Where a table has decimals after points as well as after commas, in words."""
    kinds: dict[str, str] = {}
    for name, cells in table.columns.items():
        if isinstance(cells, np.ndarray):
            continue
        for line, cell in zip(table.lines, cells, strict=True):
            kind = "." if has_point(cell) else "," if has_comma(cell) else ""
            if kind and not is_thousands(cell):
                kinds.setdefault(kind, f"`{cell}` in `{name}`, {table.unit} {line}")
    if len(kinds) < 2:
        return None
    return f"some decimals follow a point ({kinds['.']}), some a comma ({kinds[',']})"


def _nearly(table: Table, cell: str) -> str | None:
    """What to do about a cell that is nearly a number; None of words."""
    if mixed := _mixed_decimals(table):
        return f"{mixed}: write all with a point, or all with a comma"
    if has_comma(cell) and table.decimal == ".":
        return "write a decimal point"
    return next((help for pattern, help in _CELLS.items() if pattern.fullmatch(cell)), None)


_DATES = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{4}[-/ ]?Q[1-4]|Q[1-4][-/ ]?\d{4}")
# Cells that are nearly numbers, and how they become some.
_CELLS = {
    re.compile(
        r"[+-]?\d{1,3}([,.' _]\d{3})+([.,]\d*)?"
    ): "write numbers without thousands separators",
    re.compile(r"'.*'"): "put cells in double quotes, or in none",
    re.compile(r"[$€£]?\s*[+-]?[\d.,]+\s*[%$€£]?"): "write the number without a unit",
    _DATES: "write dates as numbers, such as days since the first one",
    re.compile(r"\d{1,2}:\d{2}.*"): "write times as numbers, such as hours since midnight",
    re.compile(r"[+-]?[\d.]+[dD][+-]?\d+"): "write exponents with `e`",
}


def _unequal(table: Table, name: str, row: int, found: int, width: int) -> NetError:
    return error(
        "E527",
        f"{table.name}: the column `{name}` of {table.unit} {table.lines[row]} holds {found}"
        f" numbers, and {width} in the {table.unit}s before",
        help="images have the same number of pixels in all lines",
    )
