"""Tables as text (csv) -> a data set: columns of numbers, of pictures, of words for classes."""

import csv as reader
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Literal

import numpy as np

from ...grammar.diagnostics import NetError, error
from ...grammar.files import check_readable
from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT, TARGET, About, ArrayData, Dataset, Pairs, Rows, TargetKind
from .faults import damaged, empty, located, unfit, unknown_name, wrong_argument

_DELIMITERS = ",;\t"
_MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_AXES = re.compile(r"(?P<point>.*?)[ _.-]?(?P<axis>[xy])", re.IGNORECASE | re.DOTALL)
_LONGEST_CELL = 2**27  # characters; a picture of 1,000 x 1,000 pixels takes some four millions

Points = Literal["pixels", "unit"]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's cells, by column."""

    name: str
    columns: dict[str, list[str]]
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        if name not in self.columns:
            raise unknown_name("column", name, self.columns, self.name)
        return self.columns[name]


@loader("csv", files=True)
def csv(
    path: str,
    *,
    target: str | Sequence[str] | None = None,
    inputs: str | Sequence[str] | None = None,
    points: Points = "pixels",
    folder: str = "",
) -> Dataset:
    """A table with a header, a sample per line; commas, semicolons or tabs between the cells.

    Columns of numbers are the inputs, (N, F). A cell of many numbers with spaces between them is
    a picture: alone it is (N, 1, H, H). A single target of words or of whole numbers is a class;
    other targets are (N, T) float32, where an empty cell is NaN: not known, and left out by the
    losses. Targets in pairs of columns such as `nose_tip_x`, `nose_tip_y` are points, and those
    that differ by `left` and `right` change places in a mirror.

    Args:
        path: The file.
        target: The target's column or columns; the last one, or all that are no `inputs`.
        inputs: The inputs' columns; all that are no targets.
        points: `unit` turns pixels of points into numbers from -1 to 1, picture's edge to edge.
        folder: Where a relative path starts.

    Raises:
        NetError: The file cannot be read (E001) or its lines have different lengths (E521), a
            column is not there (E526), a cell is no number (E524), or it holds no line (E525).
    """
    table = read_table(located(path, folder), f"`{path}`")
    chosen, others = _chosen(table, target, inputs)
    x = _inputs(table, others)
    y, kind, classes = _targets(table, chosen)
    pairs: Pairs = ()
    if kind == "points":
        pairs = mirrored_pairs(chosen)
    if points == "unit":
        y, kind = _unit(table, y, kind, x), "unit_points"
    about = About(
        name=table.name,
        kinds={TARGET: kind},
        class_names={TARGET: classes} if classes else {},
        pairs={TARGET: pairs} if pairs else {},
    )
    dtype = "int64" if kind == "label" else "float32"
    return ArrayData({INPUT: Rows((x,), "float32")}, {TARGET: Rows((y,), dtype)}, about)


def read_table(path: str, name: str) -> Table:
    """The cells of a file as text.

    Raises:
        NetError: It cannot be read (E001), is no table (E521), or has no line (E525).
    """
    check_readable(path)
    reader.field_size_limit(_LONGEST_CELL)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            header_line = file.readline()
            delimiter = max(_DELIMITERS, key=header_line.count)
            file.seek(0)
            rows = reader.reader(file, delimiter=delimiter)
            return _table(name, path, rows)
    except (reader.Error, OSError, UnicodeDecodeError) as failure:
        raise damaged(path, str(failure)) from None


def _table(name: str, path: str, rows: "Iterator[list[str]]") -> Table:
    header = [cell.strip() for cell in next(rows, [])]
    if not any(header):
        raise empty(name, "the first line names the columns")
    twice = next((cell for cell in header if header.count(cell) > 1), None)
    if twice is not None:
        raise damaged(path, f"it has two columns `{twice}`", "name each column differently")
    cells: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    for row in rows:
        line: int = rows.line_num  # type: ignore[attr-defined]
        if not row:
            continue
        if len(row) != len(header):
            raise damaged(
                path,
                f"line {line} has {len(row)} cells, and the header names {len(header)} columns",
            )
        lines.append(line)
        for column, cell in zip(cells, row, strict=True):
            column.append(cell.strip())
    if not lines:
        raise empty(name)
    return Table(name, dict(zip(header, cells, strict=True)), lines)


def _chosen(
    table: Table, target: str | Sequence[str] | None, inputs: str | Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """The columns of targets and of inputs."""
    names = list(table.columns)
    given = None if inputs is None else _names(inputs)
    if target is not None:
        targets = _names(target)
    else:
        targets = names[-1:] if given is None else [n for n in names if n not in given]
    others = [n for n in names if n not in targets] if given is None else given
    for name in (*targets, *others):
        table.column(name)
    if not targets or not others:
        what = "targets" if not targets else "inputs"
        raise wrong_argument(
            f"{table.name} has no column left for the {what}",
            "name the targets with `target=`, and the inputs with `inputs=`",
        )
    both = next((name for name in targets if name in others), None)
    if both is not None:
        raise wrong_argument(f"the column `{both}` of {table.name} is both input and target")
    return targets, others


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _inputs(table: Table, names: list[str]) -> Array:
    """Columns side by side (N, F); a single one of pictures is (N, 1, H, H)."""
    parts = [_numbers(table, name) for name in names]
    for name, part in zip(names, parts, strict=True):
        missing = np.isnan(part).any(axis=1)
        if missing.any():
            raise _no_number(table, name, int(np.argmax(missing)))
    joined = np.concatenate(parts, axis=1)
    side = isqrt(joined.shape[1])
    if len(parts) == 1 and side > 1 and side * side == joined.shape[1]:
        return joined.reshape(-1, 1, side, side)
    return joined


def _targets(table: Table, names: list[str]) -> tuple[Array, TargetKind, tuple[str, ...]]:
    """The targets, what they mean, and the names of the classes."""
    if len(names) == 1:
        cells = table.column(names[0])
        if all(map(_WHOLE.fullmatch, cells)):
            return np.array(cells, np.int64), "label", ()
        if not any(_is_number(cell) for cell in cells):
            return _words(table, names[0], cells)
    joined = np.concatenate([_numbers(table, name) for name in names], axis=1)
    return joined, "points" if _are_points(names) else "values", ()


def _words(table: Table, name: str, cells: list[str]) -> tuple[Array, TargetKind, tuple[str, ...]]:
    missing = next((row for row, cell in enumerate(cells) if cell.casefold() in _MISSING), None)
    if missing is not None:
        raise _no_number(table, name, missing)
    classes, labels = np.unique(cells, return_inverse=True)
    return labels.reshape(-1).astype(np.int64), "label", tuple(map(str, classes))


def _numbers(table: Table, name: str) -> Array:
    """A column as float32 (N, 1), or (N, F) where a cell holds F numbers; NaN where it is empty."""
    cells = table.column(name)
    width = next((len(cell.split()) for cell in cells if cell.casefold() not in _MISSING), 1)
    numbers = np.empty((len(cells), width), np.float32)
    for row, cell in enumerate(cells):
        if cell.casefold() in _MISSING:
            numbers[row] = np.nan
            continue
        try:
            values = [float(number) for number in cell.split()]
        except ValueError:
            raise _no_number(table, name, row) from None
        if len(values) != width:
            raise _unequal(table, name, row, len(values), width)
        numbers[row] = values
    return numbers


def _is_number(cell: str) -> bool:
    try:
        float(cell.split()[0])
    except (IndexError, ValueError):
        return False
    return cell.casefold() not in _MISSING


def _no_number(table: Table, name: str, row: int) -> NetError:
    cell = table.column(name)[row]
    shown = f"`{cell[:40]}`, and not a number" if cell else "nothing"
    return error(
        "E524",
        f"{table.name}: the column `{name}` of line {table.lines[row]} holds {shown}",
        help="only targets that are numbers may be missing; leave the line or the column out",
    )


def _unequal(table: Table, name: str, row: int, found: int, width: int) -> NetError:
    return error(
        "E527",
        f"{table.name}: the column `{name}` of line {table.lines[row]} holds {found} numbers, and"
        f" {width} in the lines before",
        help="pictures have the same number of pixels in all lines",
    )


def _are_points(names: list[str]) -> bool:
    """Whether columns come in pairs `p_x`, `p_y`."""
    found = [_AXES.fullmatch(name) for name in names]
    spelled = [(m["point"], m["axis"].lower()) for m in found if m]
    if len(spelled) < len(names) or len(names) % 2:
        return False
    pairs = zip(spelled[::2], spelled[1::2], strict=True)
    return all(first == (point, "x") and axis == "y" for first, (point, axis) in pairs)


def mirrored_pairs(names: Sequence[str]) -> Pairs:
    """The points, by number, whose names differ by `left` and `right`."""
    points = [name.casefold() for name in names[::2]]
    swapped = [name.replace("left", "\0").replace("right", "left") for name in points]
    partners = [name.replace("\0", "right") for name in swapped]
    return tuple(
        (place, points.index(partner))
        for place, partner in enumerate(partners)
        if partner in points and points.index(partner) > place
    )


def _unit(table: Table, points: Array, kind: TargetKind, images: Array) -> Array:
    """Points in pixels as numbers from -1 to 1, first pixel to last."""
    if kind != "points" or images.ndim != 4:
        raise unfit(
            f"the targets of {table.name} are no points of a picture",
            "`points=unit` needs pairs of columns such as `nose_x`, `nose_y`, and a picture",
        )
    last = images.shape[2] - 1
    scaled: Array = (2 * points - last) / np.float32(last)
    return scaled
