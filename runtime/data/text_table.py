"""A file of text -> a table: its cells by column, whatever is between them, named or not."""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ...grammar.diagnostics import NetError
from .faults import damaged, empty, wrong_argument
from .foreign_formats import check_text
from .table import TRUTHS, Cells, Table, has_comma, has_point, is_missing, is_number, is_thousands
from .text_file import opened_text

BLANKS = " "  # as a delimiter: any number of blanks and tabs
_LONGEST_CELL = 2**27  # characters; a picture of 1,000 x 1,000 pixels takes some four millions
_LOOKED_AT = 30  # lines, for what is between the cells
_FEW = 2  # lines, of which the second one alone proves nothing
_BLANK_CELL = re.compile(r'"[^"]*"(?!\S)|\S+')
_LEFT_OUT = ("#", "sep=")  # comments, and what names the delimiter for Excel
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_UNNAMED = re.compile(r"(Unnamed: \d+)?")  # what pandas calls a column without a name


Record = tuple[int, list[str]]  # the line that it begins in, and its cells


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
            so on. Without this argument the cells decide.
        delimiter: The character between two cells; a blank stands for any number of them. Without
            it, what divides all lines into as many cells.
        decimal: What precedes decimals, a point or a comma; without it, the cells decide.

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
    between, rows = _records(path, delimiter)
    if not rows:
        raise empty(name, "the first line names the columns")
    if header is None and (table := _of_scikit_learn(name, rows, decimal)):
        return table
    named = _is_header(path, rows) if header is None else header
    columns = _columns(path, rows, between, named=named)
    samples = rows[1:] if named else rows
    if not samples:
        raise empty(name)
    lines = [line for line, _ in samples]
    folder = os.path.dirname(path)
    return Table(name, columns, lines, decimal or _decimal(columns.values()), folder=folder)


def _of_scikit_learn(name: str, rows: Sequence[Record], decimal: str | None) -> Table | None:
    """A table as scikit-learn ships them; None of others.

    The first line holds the numbers of samples and of inputs, and the names of the classes.
    """
    (_, (samples, *names)), others = rows[0], rows[1:]
    widths = {len(cells) for _, cells in others}
    if len(widths) != 1 or not names or samples != str(len(others)):
        return None
    inputs, *classes = names
    if inputs != str(widths.pop() - 1) or not classes or any(map(is_number, classes)):
        return None
    *columns, labels = zip(*(cells for _, cells in others), strict=True)
    if not set(labels) <= set(map(str, range(len(classes)))):
        return None
    named: dict[str, Cells] = {str(place): cells for place, cells in enumerate(columns, 1)}
    named["target"] = [classes[int(label)] for label in labels]
    lines = [line for line, _ in others]
    return Table(name, named, lines, decimal or ".", levels={"target": tuple(classes)})


def _records(path: str, delimiter: str | None) -> tuple[str, list[Record]]:
    """What stands between two cells, and the rows that are neither empty nor comments.

    Raises:
        NetError: The file cannot be read (E001), is too large (E507) or is no text (E521).
    """
    with opened_text(path) as file:
        first = list(islice(file, _LOOKED_AT))
        check_text(path, first)
        between = delimiter or _delimiter(first)
        file.seek(0)
        rows = [row for row in _rows(path, file, between) if _is_row(row[1], between)]
        return between, rows


def _is_row(cells: Sequence[str], delimiter: str) -> bool:
    """Whether a row is neither empty nor a comment; `#` before a delimiter is a column's name."""
    is_name = delimiter != BLANKS and cells[:1] == ["#"] and len(cells) > 1
    return any(cells) and (is_name or not cells[0].startswith(_LEFT_OUT))


def _delimiter(lines: Sequence[str]) -> str:
    """What divides all lines into as many cells; else what the first one has most of."""
    filled = [line for line in lines if _is_row([line.strip()], BLANKS)]
    # A first line of its own, such as a title, says less than what the others agree on.
    even = _even(filled)
    if not even and len(filled) > _FEW:
        even = _even(filled[1:])
        if filled[0].count("\t") + 2 == even.get("\t"):  # R gives the column of row names no name
            even.pop(BLANKS, None)
    if even:  # of tabs and blanks, whatever gives more: Auto MPG has a tab before its last cell
        first = next(iter(even))
        return BLANKS if first == "\t" and even.get(BLANKS, 0) > even[first] else first
    most = max(",;\t|", key=filled[0].count) if filled else ","
    return most if filled and most in filled[0] else BLANKS


def _even(lines: Sequence[str]) -> dict[str, int]:
    """What divides all lines into as many cells, and into how many."""
    counts = {each: {len(cells) for _, cells in _split(lines, each)} for each in ";\t|, "}
    return {each: min(of) for each, of in counts.items() if len(of) == 1 and min(of) > 1}


def _split(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> Iterator[Record]:
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


def _rows(path: str, lines: Iterable[str], delimiter: str) -> Iterator[Record]:
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


def _is_header(path: str, rows: Sequence[Record]) -> bool:
    """Whether the first line names the columns.

    Raises:
        NetError: E521, it may do so, and may be a sample as well.
    """
    first, others = rows[0][1], [cells for _, cells in rows[1:]]
    numbers = [cell for cell in first if is_number(cell)]
    words = [(place, cell) for place, cell in enumerate(first) if not is_number(cell)]
    below = others[0] if others else []
    above_numbers = any(
        is_number(below[place]) and not is_missing(cell)
        for place, cell in words
        if place < len(below)
    )
    row_numbers = first[0] == "" and len(numbers) == len(first) - 1 and any(below[:1])
    if above_numbers or row_numbers:
        return True
    # Words that are not names occur again, and numbers that are names are whole and differ.
    occurring = all(
        is_missing(cell) or any(cell in cells[place : place + 1] for cells in others)
        for place, cell in words
    )
    truths = any(cell.casefold() in TRUTHS for cell in first)
    if not numbers and not occurring and not truths:
        return True
    as_names = len(set(numbers)) == len(numbers) and all(map(_WHOLE.fullmatch, numbers))
    if occurring and not (numbers and as_names):
        return False
    raise damaged(
        path,
        "its first line may be a sample or the columns' names",
        "`header=no` says that samples begin in the first line, `header=yes` that it holds names",
    )


def _columns(
    path: str, rows: Sequence[Record], delimiter: str, *, named: bool
) -> dict[str, Sequence[str]]:
    """The cells of the samples by column.

    Raises:
        NetError: E521, lines have different numbers of cells, or columns no names of their own.
    """
    first, samples = rows[0][1], rows[1:] if named else rows
    if named and samples and len(samples[0][1]) == len(first) + 1 and samples[0][1][-1]:
        first = _with_row_names(first, samples, delimiter)
    wide = len(first) + 1
    if samples and all(len(cells) == wide and not cells[-1] for _, cells in samples):
        samples = [(line, cells[:-1]) for line, cells in samples]  # a delimiter at the end
    for line, cells in samples:
        if len(cells) != len(first):
            raise _uneven(path, rows, line, len(cells), named=named)
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


def _with_row_names(first: list[str], samples: Sequence[Record], delimiter: str) -> list[str]:
    """A header with a name for a column of row names, for which R writes none.

    Numbers beside commas might be halves of numbers with decimal commas.
    """
    names = [cells[0] for _, cells in samples]
    are_numbers = any(map(is_number, names))
    if len(set(names)) < len(names) or (are_numbers and delimiter == ","):
        return first
    return ["", *first]


def _uneven(path: str, rows: Sequence[Record], line: int, found: int, *, named: bool) -> NetError:
    """The error for a line with another number of cells than the first one."""
    first = len(rows[0][1])
    others = {len(cells) for _, cells in rows[1:]}
    if len(others) == 1 and len(rows) > _FEW:
        number, many = rows[0][0], "1 cell" if first == 1 else f"{first} cells"
        help = "begin a title with `#` to leave it out; a header names each column"
        if found == first + 1:
            help = (
                "name the first column there too, for example `row`;"
                " quote numbers that have a decimal comma"
            )
        return damaged(path, f"line {number} has {many}, and all others have {found}", help)
    wanted = f"the header names {first} columns" if named else f"the first line has {first}"
    return damaged(
        path,
        f"line {line} has {found} cells, and {wanted}",
        "quote cells that contain the delimiter; `delimiter=` names it",
    )


def _says_something(place: int, cells: Sequence[str], named: bool) -> bool:
    """Whether a column without a name is neither empty nor, beside names, numbers the rows."""
    numbering = named and place == 0 and len(set(cells)) == len(cells)
    return any(cells) and not numbering


def _decimal(columns: Iterable[Sequence[str]]) -> str:
    """What precedes decimals: a comma where it cannot divide thousands, and no point does."""
    commas = False
    for cells in columns:
        text = "".join(cells)
        if "." not in text and "," not in text:
            continue
        for cell in cells:
            if "." in cell and has_point(cell):
                return "."
            if "," in cell and not commas:
                commas = has_comma(cell) and not is_thousands(cell)
    return "," if commas else "."
