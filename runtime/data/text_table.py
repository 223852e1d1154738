"""A file of text -> a table: its cells by column, whatever is between them, named or not."""

import csv
import gzip
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import islice
from typing import IO

from ...grammar.diagnostics import NetError
from ...grammar.files import open_file
from ..memory import not_enough_memory, physical_memory
from .faults import damaged, empty, unknown_name, wrong_argument

BLANKS = " "  # as a delimiter: any number of blanks and tabs
_MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}
_LONGEST_CELL = 2**27  # characters; a picture of 1,000 x 1,000 pixels takes some four millions
_LARGEST = min(2**30, physical_memory() // 16)  # bytes of text: cells take about 16 times as much
_LOOKED_AT = 30  # lines, for what is between the cells
_GZIP = b"\x1f\x8b"
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # what spreadsheets call Unicode
_BLANK_CELL = re.compile(r'"[^"]*"|[^\s"]\S*|\S+')
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_POINT = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_UNNAMED = re.compile(r"(Unnamed: \d+)?")  # what pandas calls a column without a name


@dataclass(frozen=True, slots=True)
class Table:
    """A file's cells.

    Attributes:
        name: What messages call it.
        columns: The cells by the column's name, without blanks around them.
        lines: The line of the file that each row begins in.
        decimal: What precedes the decimals of a number, a point or a comma.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    decimal: str = "."

    def column(self, name: str) -> Sequence[str]:
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
        if self.decimal == ",":
            if "." in text:
                raise ValueError
            text = text.replace(",", ".")
        return float(text)


Row = tuple[int, list[str]]  # the line that it begins in, and its cells


def read_table(
    path: str,
    name: str,
    *,
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
) -> Table:
    """The cells of a file of text, gzipped or not.

    Empty lines, and lines that begin with `#`, are left out, and so are a first column without a
    name whose cells all differ, which numbers the rows, and empty columns without a name.

    Args:
        path: The file.
        name: What messages call it.
        header: Whether the first line names the columns; without names they are called 1, 2, and
            so on. Without this argument the cells tell.
        delimiter: The character between two cells; a blank stands for any number of them. Without
            it, what divides all lines into as many cells.
        decimal: What precedes decimals, a point or a comma; without it, the cells tell.

    Raises:
        NetError: It cannot be read (E001), is too large (E507), is not a table or can be
            read in two ways (E521), has no line (E525), or an argument makes no sense (E532).
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n#'):
        raise wrong_argument(
            "`delimiter` is one character such as `;`, or a blank for any white space"
        )
    if decimal not in (None, ".", ","):
        raise wrong_argument("`decimal` is a point or a comma")
    try:
        with _text(path) as file:
            between = delimiter or _delimiter(list(islice(file, _LOOKED_AT)))
            file.seek(0)
            rows = [row for row in _rows(path, file, between) if _is_told(row[1], between)]
    except UnicodeDecodeError as failure:
        byte, encoding = failure.object[failure.start], failure.encoding.upper()
        reason = f"the byte 0x{byte:02x} in it is not {encoding}"
        help = "save the file as UTF-8 text; unpack an archive such as zip"
        raise damaged(path, reason, help) from None
    except UnicodeError as failure:  # UTF-16 without its mark
        raise damaged(path, str(failure), "save the file as UTF-8") from None
    except (EOFError, OSError, zlib.error) as failure:
        raise damaged(path, str(failure)) from None
    if not rows:
        raise empty(name, "the first line names the columns")
    named = _is_header(path, rows) if header is None else header
    columns = _columns(path, rows, named=named)
    samples = rows[1:] if named else rows
    if not samples:
        raise empty(name)
    lines = [line for line, _ in samples]
    return Table(name, columns, lines, decimal or _decimal(columns.values()))


def is_missing(cell: str) -> bool:
    """Whether a cell says that something is not known."""
    return cell.casefold() in _MISSING


def has_comma(cell: str) -> bool:
    """Whether a cell is a number with a comma in it."""
    return _COMMA.fullmatch(cell) is not None


def _is_number(cell: str) -> bool:
    """Whether a cell is a number, or several with blanks between them, with a point or a comma."""
    try:
        float(cell.split()[0].replace(",", "."))
    except (IndexError, ValueError):
        return False
    return not is_missing(cell)


def _text(path: str) -> IO[str]:
    """The text of a file, in memory.

    Raises:
        NetError: It cannot be read (E001), or is too large (E507).
    """
    with open_file(path) as file:
        zipped = file.read(2) == _GZIP
        file.seek(0)
        size = os.fstat(file.fileno()).st_size
        if size > _LARGEST:
            raise _too_large(path, size)
        # One byte more than is taken: what unpacks without end is found out here.
        data = gzip.GzipFile(fileobj=file).read(_LARGEST + 1) if zipped else file.read()
    if len(data) > _LARGEST:
        raise _too_large(path, len(data))
    encoding = _ENCODINGS.get(data[:2], "utf-8-sig")
    return TextIOWrapper(BytesIO(data), encoding=encoding, newline="")


def _too_large(path: str, size: int) -> NetError:
    help = f"text tables are limited to {_LARGEST:_} bytes; store larger ones as npz"
    return not_enough_memory(f"the cells of `{path}`, whose text alone takes", size, help)


def _is_told(cells: Sequence[str], delimiter: str) -> bool:
    """Whether a row is neither empty nor a comment; `#` before a delimiter is a column's name."""
    is_name = delimiter != BLANKS and cells[:1] == ["#"] and len(cells) > 1
    return any(cells) and (is_name or not cells[0].startswith("#"))


def _delimiter(lines: Sequence[str]) -> str:
    """What divides all lines into as many cells; else what the first one has most of."""
    told = [line for line in lines if _is_told([line.strip()], BLANKS)]
    even: dict[str, int] = {}
    for each in ";\t|, ":
        counts = {len(cells) for _, cells in _split(told, each)}
        if len(counts) == 1 and max(counts) > 1:
            even[each] = counts.pop()
    if even:  # of tabs and blanks, whatever gives more: Auto MPG has a tab before its last cell
        first = next(iter(even))
        return BLANKS if first == "\t" and even.get(BLANKS, 0) > even[first] else first
    most = max(",;\t|", key=told[0].count) if told else ","
    return most if told and most in told[0] else BLANKS


def _split(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> Iterator[Row]:
    """The cells of each row, and the line that it begins in.

    Raises:
        csv.Error: A cell is too long, or, where it is `strict`, a quote is not closed.
    """
    if delimiter == BLANKS:
        for number, line in enumerate(lines, 1):
            yield number, [cell.strip('"') for cell in _BLANK_CELL.findall(line)]
        return
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)
    start = 1
    for row in reader:
        yield start, [cell.strip() for cell in row]
        start = reader.line_num + 1


def _rows(path: str, lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    """The rows of a file.

    Raises:
        NetError: E521, a quote is not closed, which would hide all lines that follow.
    """
    start = 1
    try:
        for start, cells in _split(lines, delimiter, strict=True):
            if any(_holds_lines(cell, delimiter, len(cells)) for cell in cells if "\n" in cell):
                raise _unclosed(path, start, "a cell spans whole lines")
            yield start, cells
            start += 1
    except csv.Error as failure:
        if "field limit" in str(failure):
            raise damaged(path, f"a cell from line {start} on is too long") from None
        raise _unclosed(path, start, str(failure)) from None


def _unclosed(path: str, line: int, reason: str) -> NetError:
    return damaged(
        path,
        f"a quote from line {line} on is not closed where its cell ends: {reason}",
        'a quote that opens a cell also ends it; within the cell, it is doubled: `""`',
    )


def _holds_lines(cell: str, delimiter: str, columns: int) -> bool:
    """Whether a cell took in a line of the table, since its quote was not closed."""
    return columns > 1 and any(
        line.count(delimiter) >= columns - 1 for line in cell.split("\n")[1:]
    )


def _is_header(path: str, rows: Sequence[Row]) -> bool:
    """Whether the first line names the columns.

    Raises:
        NetError: E521, it may do so, and may be a sample as well.
    """
    first, others = rows[0][1], [cells for _, cells in rows[1:]]
    numbers = [cell for cell in first if _is_number(cell)]
    words = [(place, cell) for place, cell in enumerate(first) if not _is_number(cell)]
    below = others[0] if others else []
    above_numbers = any(
        _is_number(below[place]) and not is_missing(cell)
        for place, cell in words
        if place < len(below)
    )
    row_numbers = first[0] == "" and len(numbers) == len(first) - 1
    if not numbers or above_numbers or row_numbers:
        return True
    # Words that are not names occur again, and numbers that are names are whole and differ.
    occurring = all(
        is_missing(cell) or any(cell in cells[place : place + 1] for cells in others)
        for place, cell in words
    )
    as_names = len(set(numbers)) == len(numbers) and all(map(_WHOLE.fullmatch, numbers))
    if occurring and not as_names:
        return False
    raise damaged(
        path,
        "its first line holds numbers, and may be a sample or the columns' names",
        "`header=no` says that samples begin in the first line, `header=yes` that it holds names",
    )


def _columns(path: str, rows: Sequence[Row], *, named: bool) -> dict[str, Sequence[str]]:
    """The cells of the samples by column.

    Raises:
        NetError: E521, lines have different numbers of cells, or columns no names of their own.
    """
    first, samples = rows[0][1], rows[1:] if named else rows
    wide = len(first) + 1
    if samples and all(len(cells) == wide and not cells[-1] for _, cells in samples):
        samples = [(line, cells[:-1]) for line, cells in samples]  # a delimiter at the end
    for line, cells in samples:
        if len(cells) != len(first):
            wanted = f"the header names {len(first)} columns"
            wanted = wanted if named else f"the first line has {len(first)}"
            raise damaged(
                path,
                f"line {line} has {len(cells)} cells, and {wanted}",
                "quote cells that contain the delimiter; `delimiter=` names it",
            )
    names = first if named else list(map(str, range(1, len(first) + 1)))
    columns = list(zip(*(cells for _, cells in samples), strict=True)) or [()] * len(names)
    kept = [
        place
        for place, name in enumerate(names)
        if (named and not _UNNAMED.fullmatch(name)) or _says_something(place, columns[place], named)
    ]
    twice = [name for name, count in Counter(names[place] for place in kept).items() if count > 1]
    if twice:
        what = f"it has two columns `{twice[0]}`" if twice[0] else "two columns have no names"
        raise damaged(path, what, "name each column differently, or say `header=no`")
    nameless = next((place for place in kept if not names[place]), None)
    if nameless is not None:
        raise damaged(path, f"its column {nameless + 1} has no name", "name it in the first line")
    return {names[place]: columns[place] for place in kept}


def _says_something(place: int, cells: Sequence[str], named: bool) -> bool:
    """Whether a column without a name is neither empty nor, beside names, numbers the rows."""
    numbering = named and place == 0 and len(set(cells)) == len(cells)
    return any(cells) and not numbering


def _decimal(columns: Iterable[Sequence[str]]) -> str:
    """What precedes decimals: a comma where it cannot divide thousands, and no point does."""
    commas = False
    for cells in columns:
        for cell in cells:
            if "." in cell and _POINT.fullmatch(cell):
                return "."
            if "," in cell and not commas:
                commas = has_comma(cell) and not _THOUSANDS.fullmatch(cell)
    return "," if commas else "."
