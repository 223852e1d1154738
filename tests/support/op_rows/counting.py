"""Operators that count."""

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Random, op_row

X = Random((None, 3, 4), -2.0, 2.0)
NUMBERS = Random((None, 3), -9, 9, "int64")


def summed(x: Array, axis: Array, *, exclusive: int = 0, reverse: int = 0) -> Array:
    """The definition, element by element."""
    rows = np.moveaxis(x, int(axis), 0)
    y = np.empty_like(rows)
    for i in range(len(rows)):
        part = rows[i + exclusive :] if reverse else rows[: i + 1 - exclusive]
        y[i] = part.sum(0)
    return np.moveaxis(y, 0, int(axis))


ROWS = [
    *(op_row("Size", x) for x in (X, NUMBERS, Random(()))),
    op_row("Range", Known(0), Known(7), Known(1)),
    op_row("Range", Known(5), Known(-4), Known(-3)),
    op_row("Range", Known(5), Known(5), Known(2)),
    op_row("Range", Known(7), Known(5), Known(2)),
    *(
        op_row("CumSum", X, Known(axis), formula=summed, exclusive=exclusive, reverse=reverse)
        for axis in (0, 1, -1)
        for exclusive in (0, 1)
        for reverse in (0, 1)
    ),
    op_row("CumSum", NUMBERS, Known(1), formula=summed),
    op_row("CumSum", Given([1.0, 1e-8, -1.0]), Known(0)),
]
