"""Operators that count: how many elements there are, their numbers, and running sums."""

import numpy as np

from ..kerneldef import Array, kernel


@kernel("Size")
def size(x: Array) -> Array:
    """The number of elements."""
    return np.array(x.size, np.int64)


@kernel("Range")
def range_(start: Array, limit: Array, delta: Array) -> Array:
    """The numbers from `start` up to, but not, `limit` in steps of `delta`."""
    return np.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


@kernel("CumSum")
def cumulative_sum(x: Array, axis: Array, *, exclusive: int, reverse: int) -> Array:
    """The sum of all elements up to each on an axis, from its end with `reverse`.

    With `exclusive` without the element itself. Elements are added one after the other, as in
    onnxruntime, so that both round alike.
    """
    moved = np.moveaxis(x, int(axis.reshape(())), -1)
    moved = moved[..., ::-1] if reverse else moved
    sums = np.zeros_like(moved)
    if exclusive:
        np.cumsum(moved[..., :-1], -1, out=sums[..., 1:])
    else:
        np.cumsum(moved, -1, out=sums)
    sums = sums[..., ::-1] if reverse else sums
    return np.moveaxis(sums, -1, int(axis.reshape(())))
