"""Products of flat matrices, in the pieces and the order that OpenBLAS takes them fastest in.

OpenBLAS copies large operands to its own layout, which takes as long as the product where one
extent is a few dozen. It multiplies small ones as they are, and stores best along a result's
longer side.
"""

from math import prod

import numpy as np

from ..kerneldef import Array
from .scratch import scratch

# Multiplications up to which OpenBLAS takes a product as a small one.
SMALL = 10**6
# Columns of a result, and terms of a sum, from which on a separate product pays; measured.
LEAST_COLUMNS, LEAST_TERMS = 128, 256
# Numbers of products that are summed up at a time: they stay in the second-level cache.
TERMS = 2**16


def multiply(left: Array, right: Array, out: Array) -> None:
    """Write left (..., M, K) times right (..., K, N) to out (..., M, N)."""
    *_, rows, terms = left.shape
    pieces = _pieces(right.shape[-1], SMALL // max(rows * terms, 1), LEAST_COLUMNS)
    if pieces > 1:
        left, right, out = left[..., None, :, :], _split(right, pieces), _split(out, pieces)
    np.matmul(left, right, out=out)


def correlate(left: Array, right: Array, total: Array, *, fresh: bool = False) -> None:
    """Add left (R, ..., M, K) times right (R, ..., N, K), summed over R and K, to (..., M, N).

    That is fastest where the longer side of the total comes first in memory.

    Args:
        left: The rows of the result.
        right: Its columns.
        total: What to add to.
        fresh: Whether the total holds nothing yet, and is written to.
    """
    if total.strides[-1] > total.strides[-2]:
        return correlate(right, left, total.swapaxes(-1, -2), fresh=fresh)
    if not left.size or not right.size:
        total[...] = 0 if fresh else total
        return None
    pieces = _pieces(left.shape[-1], SMALL // prod(total.shape[-2:]), LEAST_TERMS)
    left, right = _split(left, pieces), _split(right, pieces).swapaxes(-1, -2)
    shape = (*left.shape[1:-1], right.shape[-1])
    step = max(1, TERMS // prod(shape))
    for start in range(0, len(left), step):
        some = slice(start, start + step)
        alone = len(left[some]) == pieces == 1
        if alone and fresh:
            np.matmul(left[start, ..., 0, :, :], right[start, ..., 0, :, :], out=total)
        else:
            terms = scratch("terms", (len(left[some]), *shape), total.dtype)
            np.matmul(left[some], right[some], out=terms)
            if fresh:
                np.add.reduce(terms, (0, -3), out=total)
            else:
                total += terms[0, ..., 0, :, :] if alone else terms.sum((0, -3))
        fresh = False
    return None


def _pieces(extent: int, most: int, least: int) -> int:
    """Into how many equal pieces an extent goes that are no longer than `most`; 1 if too short."""
    if extent <= most or most < least:
        return 1
    counts = range(-(-extent // most), extent // least + 1)
    return next((count for count in counts if not extent % count), 1)


def _split(x: Array, pieces: int) -> Array:
    """(..., rows, columns) as (..., pieces, rows, columns of a piece), in the same memory."""
    return x.reshape(*x.shape[:-1], pieces, x.shape[-1] // pieces).swapaxes(-2, -3)
