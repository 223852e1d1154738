"""Arrays -> text for a terminal: the numbers where they are few, else their statistics."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FEW = 100  # numbers that are shown
GAP = "  "


def describe(name: str, array: Array, *, columns: Sequence[str] = ()) -> str:
    """An array's name, type and shape, and below them its numbers or their statistics.

    Args:
        name: Its name.
        array: Its numbers.
        columns: What the numbers of each row are of, such as classes.
    """
    head = f"{name}: {array.dtype}{list(array.shape)}"
    if not array.size:
        return head
    lines = _statistics(array) if array.size > FEW else _numbers(array, columns)
    return "\n".join([head, *(f"{GAP}{line}" for line in lines)])


def _numbers(array: Array, columns: Sequence[str]) -> list[str]:
    if array.ndim != 2:
        return np.array2string(array, precision=6, suppress_small=True).split("\n")
    cells = [[_text(value) for value in row] for row in array]
    table = [list(columns), *cells] if len(columns) == array.shape[1] else cells
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        GAP.join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        for row in table
    ]


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, np.floating) else str(value)


def _statistics(array: Array) -> list[str]:
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
    return [GAP.join(f"{name} {value:.6g}" for name, value in found.items()), *notes]
