"""Tables of text (csv) -> a data set: columns of numbers, of pictures, of words for classes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from math import isqrt
from typing import Any, Literal

import numpy as np

from ...grammar.diagnostics import NetError, error
from ..arrays.memory import check_memory
from ..kerneldef import Array
from .choices import loader
from .class_names import numbered
from .dataset import (
    INPUT_NAME,
    TARGET_NAME,
    About,
    ArrayData,
    Dataset,
    MirrorPairs,
    Rows,
    TargetKind,
)
from .faults import located, unfit, unknown_class, wrong_argument
from .text_table import Table, has_comma, is_missing, read_table

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_AXES = re.compile(r"(?P<point>.*?)[ _.-]?(?P<axis>[xy])", re.IGNORECASE | re.DOTALL)

_LOOKED_AT = 1000  # cells of a column, for a suggestion
_SPELLED = 12  # columns that a message lists

Points = Literal["pixels", "unit"]


@loader("csv")
def csv(
    path: str,
    *,
    target: str | Sequence[str] | None,
    inputs: str | Sequence[str] | None,
    classes: Sequence[str | int] | None,
    points: Points,
    header: bool | None,
    delimiter: str | None,
    decimal: str | None,
    folder: str = "",
) -> Dataset:
    """A table of text, gzipped or not, a sample per line, as `read_table` reads it.

    Columns of numbers are the inputs, (N, F). A cell of many numbers with spaces between them is
    a picture: alone it is (N, 1, H, H). A single target of words or of whole numbers is a class;
    other targets are (N, T) float32, where an empty cell is NaN: not known, and left out by the
    losses. Targets in pairs of columns such as `nose_tip_x`, `nose_tip_y` are points, and those
    that differ by `left` and `right` change places in a mirror.

    Args:
        path: The file.
        target: The target's column or columns; the last one, or all that are no `inputs`, which
            may be none: new samples have no targets.
        inputs: The inputs' columns; all that are not targets.
        classes: What the target's cells call the classes, in the order that numbers them from 0;
            without it, whole numbers are their own classes, and words are in alphabetical order.
        points: `unit` turns pixels of points into numbers from -1 to 1, picture's edge to edge.
        header: Whether the first line names the columns; without this argument the cells tell.
        delimiter: What stands between two cells; likewise.
        decimal: What precedes decimals; likewise.
        folder: Where a relative path starts.

    Raises:
        NetError: The file cannot be read (E001), is too large (E507) or no table (E521), a column
            or class is not there (E526), a cell is not a number (E524), or it holds no line (E525).
    """
    table = read_table(
        located(path, folder, missing="put the table there, or name another file"),
        f"`{path}`",
        header=header,
        delimiter=delimiter,
        decimal=decimal,
    )
    chosen, others = _chosen(table, target, inputs)
    x = _inputs(table, others)
    columns = {INPUT_NAME: tuple(others)} if x.shape[1:] == (len(others),) else {}
    about = About(name=table.name, columns=columns)
    features = {INPUT_NAME: Rows((x,), "float32")}
    if not chosen:
        return ArrayData(features, {}, about)
    rows, told = _target(table, chosen, x, classes=classes, points=points)
    return ArrayData(features, {TARGET_NAME: rows}, replace(about, **told))


def _target(
    table: Table,
    columns: list[str],
    x: Array,
    *,
    classes: Sequence[str | int] | None,
    points: Points,
) -> tuple[Rows, dict[str, Any]]:
    """The target, and what `About` says of it."""
    y, kind, names = (
        _targets(table, columns) if classes is None else _named(table, columns, classes)
    )
    pairs = mirrored_pairs(columns) if kind == "points" else ()
    if points == "unit":
        y, kind = _unit(table, y, kind, x), "unit_points"
    told = {
        "kinds": {TARGET_NAME: kind},
        "class_names": {TARGET_NAME: names} if names else {},
        "pairs": {TARGET_NAME: pairs} if pairs else {},
    }
    return Rows((y,), "int64" if kind == "label" else "float32"), told


def _chosen(
    table: Table, target: str | Sequence[str] | None, inputs: str | Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """The columns of targets and of inputs."""
    names = list(table.columns)
    given = None if inputs is None else _names(inputs)
    if target is not None:
        targets = _names(target)
    else:
        targets = names[-1:] if given is None else _without(names, given)
    others = _without(names, targets) if given is None else given
    for name in (*targets, *others):
        table.column(name)
    if not others:
        raise wrong_argument(
            f"{table.name} has no column left for the inputs",
            "name the inputs with `inputs=`; where these are all columns, there are no targets",
        )
    both = sorted(set(targets) & set(others))
    if both:
        raise wrong_argument(f"the column `{both[0]}` of {table.name} is both input and target")
    return targets, others


def _without(names: list[str], others: list[str]) -> list[str]:
    left_out = set(others)
    return [name for name in names if name not in left_out]


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _inputs(table: Table, names: list[str]) -> Array:
    """Columns side by side (N, F); a single one of pictures is (N, 1, H, H)."""
    parts = [_numbers(table, name, inputs=names) for name in names]
    for name, part in zip(names, parts, strict=True):
        missing = np.isnan(part).any(axis=1)
        if missing.any():
            raise _no_number(table, name, int(np.argmax(missing)), names)
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
        if not any(_is_number(table, cell) for cell in cells):
            return _words(table, names[0], cells)
    joined = np.concatenate([_numbers(table, name) for name in names], axis=1)
    return joined, "points" if _are_points(names) else "values", ()


def _named(
    table: Table, columns: list[str], classes: Sequence[str | int]
) -> tuple[Array, TargetKind, tuple[str, ...]]:
    """A target whose classes are named and numbered by an argument.

    Raises:
        NetError: There are several columns or names that are equal (E532), or a cell names none
            of the classes (E526).
    """
    names = tuple(map(str, classes))
    if len(columns) > 1 or len(set(names)) < len(names):
        raise wrong_argument("`classes=` names each class of a single target once")
    number_of = numbered(names)
    found = [number_of(cell) for cell in table.column(columns[0])]
    if None in found:
        row = found.index(None)
        where = f"line {table.lines[row]} of {table.name}"
        raise unknown_class(where, table.column(columns[0])[row], names, "`classes=`")
    return np.array(found, np.int64), "label", names


def _words(
    table: Table, name: str, cells: Sequence[str]
) -> tuple[Array, TargetKind, tuple[str, ...]]:
    missing = next((row for row, cell in enumerate(cells) if is_missing(cell)), None)
    if missing is not None:
        raise _no_number(table, name, missing)
    classes, labels = np.unique(cells, return_inverse=True)
    return labels.reshape(-1).astype(np.int64), "label", tuple(map(str, classes))


def _numbers(table: Table, name: str, *, inputs: Sequence[str] = ()) -> Array:
    """A column as float32 (N, 1), or (N, F) where a cell holds F numbers; NaN where it is empty."""
    cells = table.column(name)
    width = next((len(cell.split()) for cell in cells if not is_missing(cell)), 1)
    what = f"{len(cells):_} cells of {width:_} numbers in the column `{name}`"
    check_memory(what, 4 * len(cells) * width)
    numbers = np.empty((len(cells), width), np.float32)
    for row, cell in enumerate(cells):
        if is_missing(cell):
            numbers[row] = np.nan
            continue
        try:
            values = [table.measure(number) for number in cell.split()]
        except ValueError:
            raise _no_number(table, name, row, inputs) from None
        if len(values) != width:
            raise _unequal(table, name, row, len(values), width)
        numbers[row] = values
    return numbers


def _is_number(table: Table, cell: str) -> bool:
    try:
        table.number(cell.split()[0])
    except (IndexError, ValueError):
        return False
    return not is_missing(cell)


def _no_number(table: Table, name: str, row: int, inputs: Sequence[str] = ()) -> NetError:
    cell = table.column(name)[row]
    shown = f"`{cell[:40]}`, not a number" if cell else "nothing"
    return error(
        "E524",
        f"{table.name}: the column `{name}` of line {table.lines[row]} holds {shown}",
        help=_remedy(table, cell, inputs),
    )


def _remedy(table: Table, cell: str, inputs: Sequence[str]) -> str:
    """What to do about a cell of a target, or of one of the inputs, that is not a number."""
    if is_missing(cell):
        what = "only targets that are numbers may be missing: leave the line out"
        return f"{what}, or the column: {_of_numbers(table, inputs)}" if inputs else what
    if has_comma(cell) and table.decimal == ".":
        return 'with `decimal=","` the comma is the decimal mark; write thousands without it'
    for pattern, help in _CELLS.items():
        if pattern.fullmatch(cell):
            return help
    if inputs:
        return f"words can be the classes of a target, not inputs: {_of_numbers(table, inputs)}"
    return "a target holds words, which are classes, or numbers; `target=` names its column"


# Cells that are nearly numbers, and how they become some.
_CELLS = {
    re.compile(
        r"[+-]?\d{1,3}([,.' ]\d{3})+([.,]\d*)?"
    ): "write numbers without thousands separators",
    re.compile(r"'.*'"): "put cells in double quotes, or in none",
    re.compile(r"[$€£]?\s*[+-]?[\d.,]+\s*[%$€£]?"): "write the number without a unit",
    re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d{2}.*"): "write dates and times as"
    " numbers, such as days since the first one",
    re.compile(r"[+-]?[\d.]+[dD][+-]?\d+"): "write exponents with `e`",
}


def _of_numbers(table: Table, inputs: Sequence[str]) -> str:
    """`inputs=` with those that hold nothing but numbers, as far as they are few."""
    found = [
        name
        for name in inputs
        if all(_is_number(table, cell) for cell in table.column(name)[:_LOOKED_AT])
    ]
    if not 0 < len(found) <= _SPELLED:
        return "`inputs=` names the columns that are used"
    spelled = ", ".join(f'"{name}"' for name in found)
    return f"`inputs=[{spelled}]` takes the columns of numbers"


def _unequal(table: Table, name: str, row: int, found: int, width: int) -> NetError:
    return error(
        "E527",
        f"{table.name}: the column `{name}` of line {table.lines[row]} holds {found} numbers, and"
        f" {width} in the lines before",
        help="images have the same number of pixels in all lines",
    )


def _are_points(names: list[str]) -> bool:
    """Whether columns come in pairs `p_x`, `p_y`."""
    found = [_AXES.fullmatch(name) for name in names]
    spelled = [(m["point"], m["axis"].lower()) for m in found if m]
    if len(spelled) < len(names) or len(names) % 2:
        return False
    pairs = zip(spelled[::2], spelled[1::2], strict=True)
    return all(first == (point, "x") and axis == "y" for first, (point, axis) in pairs)


def mirrored_pairs(names: Sequence[str]) -> MirrorPairs:
    """The points, by number, whose names differ by `left` and `right`."""
    points = [name.casefold() for name in names[::2]]
    swapped = [name.replace("left", "\0").replace("right", "left") for name in points]
    partners = [name.replace("\0", "right") for name in swapped]
    places = {point: place for place, point in reversed(list(enumerate(points)))}
    return tuple(
        (place, places[partner])
        for place, partner in enumerate(partners)
        if places.get(partner, -1) > place
    )


def _unit(table: Table, points: Array, kind: TargetKind, images: Array) -> Array:
    """Points in pixels as numbers from -1 to 1, first pixel to last."""
    if kind != "points" or images.ndim != 4:
        raise unfit(
            f"the targets of {table.name} are not points of an image",
            "`points=unit` needs pairs of columns such as `nose_x`, `nose_y`, and an image",
        )
    last = images.shape[2] - 1
    scaled: Array = (2 * points - last) / np.float32(last)
    return scaled
