"""Operators that say where a tensor's elements are."""

import numpy as np

from ..kerneldef import Array, kernel


@kernel("ArgMax")
def arg_max(x: Array, *, axis: int, keepdims: int, select_last_index: int) -> Array:
    """The index of the largest element along an axis: of equal ones the first, or the last."""
    if not select_last_index:
        return np.asarray(x.argmax(axis, keepdims=bool(keepdims)), np.int64)
    last = x.shape[axis] - 1 - np.flip(x, axis).argmax(axis, keepdims=bool(keepdims))
    return np.asarray(last, np.int64)
