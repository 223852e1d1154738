"""Arrays -> text for a terminal: the numbers where they are few, else their statistics."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .runtime.kerneldef import Array
from .tables import GAP, aligned, filled, table

SHOWN_NUMBERS = 100  # numbers that are shown


def describe(
    name: str, array: Array, *, columns: Sequence[str] = (), room: int | None = None
) -> str:
    """An array's name, type and shape, and below them its numbers or their statistics.

    Args:
        name: Its name.
        array: Its numbers.
        columns: What the numbers of each row are of, such as classes.
        room: How many characters a line holds; None where there is no limit.
    """
    head = f"{name}: {array.dtype}{list(array.shape)}"
    if not array.size:
        return head
    inner = None if room is None else max(room - len(GAP), 1)
    lines = (_numbers if array.size <= SHOWN_NUMBERS else _statistics)(array, columns, inner)
    return "\n".join([head, *(f"{GAP}{line}" for line in lines)])


def _numbers(array: Array, columns: Sequence[str], room: int | None) -> list[str]:
    if array.ndim != 2:
        return _in_brackets(array, room)
    cells = [[_text(value) for value in row] for row in array]
    if len(columns) != array.shape[1]:
        lines = aligned(cells, left=())
        fits = room is None or max(map(len, lines)) <= room
        return lines if fits else _in_brackets(array, room, formatter={"float_kind": _text})
    rows = [["", *columns], *([f"[{place}]", *row] for place, row in enumerate(cells))]
    lines = aligned([row[1:] for row in rows], left=())
    fits = room is None or max(map(len, lines)) <= room
    return lines if fits else table(rows, room=room)


def _in_brackets(array: Array, room: int | None, **options: Any) -> list[str]:
    text = np.array2string(array, precision=6, suppress_small=True, max_line_width=room, **options)
    return text.split("\n")


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, np.floating) else str(value)


def _statistics(array: Array, columns: Sequence[str], room: int | None) -> list[str]:
    """The range, mean and deviation of what is finite, and how much is not."""
    finite = array[np.isfinite(array)]
    missing = array.size - finite.size
    notes = [f"{missing:,} of {array.size:,} are not finite"] if missing else []
    if not finite.size:
        return notes
    wide = finite.astype(np.float64)
    _, power = np.frexp(np.abs(wide).max())
    scaled = np.ldexp(wide, -power)  # whose sum and squares are finite
    mean, std = (np.ldexp(value, power) for value in (scaled.mean(), scaled.std()))
    found = {"min": wide.min(), "mean": mean, "max": wide.max(), "std": std}
    return [*filled([f"{name} {value:.6g}" for name, value in found.items()], room), *notes]
