"""Columns of a table -> the target: classes, values, points of a picture."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from ..kerneldef import Array
from .cells import is_number, no_number, numbers, texts
from .class_names import numbered
from .dataset import TARGET_NAME, About, MirrorPairs, Rows, TargetKind
from .faults import unfit, unknown_class, wrong_argument
from .table import Table, is_missing

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_AXES = re.compile(r"(?P<point>.*?)[ _.-]?(?P<axis>[xy])", re.IGNORECASE | re.DOTALL)

Points = Literal["pixels", "unit"]


def read_target(
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
    facts = {
        "kinds": {TARGET_NAME: kind},
        "class_names": {TARGET_NAME: names} if names else {},
        "pairs": {TARGET_NAME: pairs} if pairs else {},
    }
    return Rows((y,), "int64" if kind == "label" else "float32"), facts


def _targets(table: Table, names: list[str]) -> tuple[Array, TargetKind, tuple[str, ...]]:
    """The targets, what they mean, and the names of the classes."""
    if len(names) == 1:
        cells = table.column(names[0])
        if isinstance(cells, np.ndarray):
            if cells.dtype.kind in "iu":
                return cells.astype(np.int64), "label", ()
        elif all(map(_WHOLE.fullmatch, cells)):
            return np.array(cells, np.int64), "label", ()
        elif not any(is_number(table, cell) for cell in cells):
            return _words(table, names[0])
    joined = np.concatenate([numbers(table, name) for name in names], axis=1)
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
    cells = texts(table, columns[0])
    found = [number_of(cell) for cell in cells]
    if None in found:
        row = found.index(None)
        where = f"{table.unit} {table.lines[row]} of {table.name}"
        raise unknown_class(where, cells[row], names, "`classes=`")
    return np.array(found, np.int64), "label", names


def _words(table: Table, name: str) -> tuple[Array, TargetKind, tuple[str, ...]]:
    cells = texts(table, name)
    missing = next((row for row, cell in enumerate(cells) if is_missing(cell)), None)
    if missing is not None:
        raise no_number(table, name, missing)
    if name in table.levels:
        return _named(table, [name], table.levels[name])
    classes, labels = np.unique(cells, return_inverse=True)
    return labels.reshape(-1).astype(np.int64), "label", tuple(map(str, classes))


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


def with_target(
    table: Table,
    columns: list[str],
    x: Array,
    about: About,
    *,
    classes: Sequence[str | int] | None,
    points: Points,
) -> tuple[dict[str, Rows], About]:
    """The target by its name, and what is then known of the data; see `read_target`."""
    if not columns:
        return {}, about
    rows, facts = read_target(table, columns, x, classes=classes, points=points)
    return {TARGET_NAME: rows}, replace(about, **facts)
