"""Dates as tables write them -> moments and their parts."""

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from ...grammar.diagnostics import NetError, error
from ..kerneldef import Array
from .cells import is_number, texts
from .table import Cells, Table, is_missing

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*\.?"
_TIME = (
    r"([T ,]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(:(?P<second>\d{2})([.,]\d+)?)?"
    r"\s*(?P<half>[ap]m)?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?"
)
# How dates are written: each number by its name.
_FORMS = [
    re.compile(form + _TIME, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})([-/. ]?(?P<month>\d{2}))([-/. ]?(?P<day>\d{2}))",
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})",
        r"(?P<year>\d{4})[-/ ]?Q(?P<quarter>[1-4])",
        r"Q(?P<quarter>[1-4])[-/ ]?(?P<year>\d{4})",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        r"(?P<first>\d{1,2})[-/](?P<second_>\d{1,2})[-/](?P<year>\d{4})",
        rf"(?P<day>\d{{1,2}})[-/. ]+{_NAME}[-/, ]+(?P<year>\d{{4}})",
        rf"{_NAME}[-/ ]+(?P<day>\d{{1,2}})[, ]+(?P<year>\d{{4}})",
        rf"{_NAME}[-/, ]+(?P<year>\d{{4}})",
    )
]
KNOWN = "2026-01-31, 31.1.2026, 1/31/2026, Jan 31 2026, 2026-01 or 2026Q1, with a time or without"
_LAST_MONTH = 12
# What becomes of a date, by the ending of the column's name.
_PARTS: Mapping[str, Callable[[datetime], float]] = {
    "year": lambda date: date.year,
    "month": lambda date: date.month,
    "day": lambda date: date.day,
    "weekday": lambda date: date.weekday(),
    "hour": lambda date: date.hour + date.minute / 60 + date.second / 3600,
}


def dates_of(table: Table, name: str) -> list[datetime | None]:
    """The dates of a column, None where one is missing; without a zone, all are in UTC.

    Of `1/31/2026`, the number above 12 is the day, everywhere in the column.

    Raises:
        NetError: E524, a cell is no date, or nothing says which number is the day.
    """
    cells = [cell.strip() for cell in texts(table, name)]
    found = {cell: _matched(cell) for cell in dict.fromkeys(cells) if not is_missing(cell)}
    day_first = _day_first(filter(None, found.values()))
    made: dict[str, datetime | None] = {}
    for cell, parts in found.items():
        row = cells.index(cell)
        if parts is None:
            raise no_date(table, name, row)
        if day_first is None and "first" in parts:
            raise no_date(table, name, row, "day and month cannot be told apart")
        try:
            made[cell] = _made(parts, day_first=bool(day_first))
        except ValueError as failure:
            raise no_date(table, name, row, str(failure)) from None
    return [made.get(cell) for cell in cells]


def no_date(table: Table, name: str, row: int, why: str = "") -> NetError:
    """The error for a cell that is no date."""
    cell = texts(table, name)[row]
    return error(
        "E524",
        f"{table.name}: the column `{name}` of {table.unit} {table.lines[row]} holds `{cell[:40]}`,"
        " which is not a date",
        notes=[why] if why else [],
        help=f"dates are written as {KNOWN}",
    )


def moments(table: Table, name: str) -> Array:
    """Where each cell of numbers or dates is in time, (N,) float64.

    Raises:
        NetError: E524, a cell is neither a number nor a date.
    """
    cells = table.column(name)
    if isinstance(cells, np.ndarray) and not np.isnan(cells).any():
        return cells.astype(np.float64).reshape(-1)
    cells = texts(table, name)
    if all(is_number(table, cell) and len(cell.split()) == 1 for cell in cells):
        return np.array(list(map(table.number, cells)))
    dates = dates_of(table, name)
    if None in dates:
        raise no_date(table, name, dates.index(None))
    return np.array([date.timestamp() for date in dates if date is not None])


def parted(table: Table, names: Sequence[str], wanted: Container[str] = ()) -> Table:
    """A table with the parts of dates, numbers, in place of columns of dates.

    A column `sold` becomes `sold.year`, `sold.month`, `sold.day`, `sold.weekday` (Monday is 0) and,
    where a cell has a time, `sold.hour`, with a fraction.

    Args:
        table: The table.
        names: Its columns of dates.
        wanted: Columns that a run knows.

    Raises:
        NetError: E524, as `dates_of`; E526, there is no such column.
    """
    for name in names:
        table.column(name)
    columns: dict[str, Cells] = {}
    for name, cells in table.columns.items():
        columns |= _columns(table, name, wanted) if name in names else {name: cells}
    return replace(table, columns=columns)


def _columns(table: Table, name: str, wanted: Container[str]) -> dict[str, Cells]:
    """The parts of a column of dates by their names."""
    dates = dates_of(table, name)
    hours = any(date is not None and _PARTS["hour"](date) for date in dates)
    return {
        f"{name}.{part}": np.array([np.nan if date is None else of(date) for date in dates])
        for part, of in _PARTS.items()
        if hours or part != "hour" or f"{name}.hour" in wanted
    }


def _matched(cell: str) -> Mapping[str, str] | None:
    found = next(filter(None, (form.fullmatch(cell) for form in _FORMS)), None)
    return None if found is None else {k: v for k, v in found.groupdict().items() if v is not None}


def _day_first(found: Iterable[Mapping[str, str]]) -> bool | None:
    """Whether days precede months between slashes; None where nothing shows it."""
    pairs = [(int(parts["first"]), int(parts["second_"])) for parts in found if "first" in parts]
    days_first = any(first > _LAST_MONTH for first, _ in pairs)
    months_first = any(second > _LAST_MONTH for _, second in pairs)
    return days_first if days_first != months_first else None


def _made(parts: Mapping[str, str], *, day_first: bool) -> datetime:
    """A date of its numbers.

    Raises:
        ValueError: There is no such day.
    """
    day, month = int(parts.get("day", 1)), int(parts.get("month", 1))
    if "first" in parts:
        first, second = int(parts["first"]), int(parts["second_"])
        day, month = (first, second) if day_first else (second, first)
    if "quarter" in parts:
        month = 3 * int(parts["quarter"]) - 2
    if "name" in parts:
        month = _MONTHS.index(parts["name"].lower()) + 1
    hour = int(parts.get("hour", 0))
    if half := parts.get("half", "").lower():
        hour = hour % 12 + 12 * (half == "pm")
    minute, second = (int(parts.get(name, 0)) for name in ("minute", "second"))
    zone = _zone(parts.get("zone", "Z"))
    return datetime(int(parts["year"]), month, day, hour, minute, second, tzinfo=zone)


def _zone(text: str) -> timezone:
    """A zone such as `+01:00`; `Z` and `UTC` are none."""
    if text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)
