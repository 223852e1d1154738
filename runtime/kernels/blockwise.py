"""Elementwise kernels of several passes, taken block by block so that the passes stay in cache."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kerneldef import Array, kernel

# Elements of a block: enough that threads seldom want Python's lock at once; measured.
BLOCK = 2**17

Compute = Callable[..., None]


def blockwise(op_type: str) -> Callable[[Compute], Compute]:
    """Enter the decorated function into the kernel table.

    It is called as `compute(x, y, t, **attributes)` on vectors of one length and element type:
    it writes f(x) to y, may use t, and leaves x as it is; none of the three overlap.
    """

    def register(compute: Compute) -> Compute:
        @kernel(op_type, inplace=True)
        def apply(x: Array, *, out: Array | None = None, **attributes: Any) -> Array:
            return in_blocks(compute, x, out, attributes)

        return compute

    return register


def in_blocks(compute: Compute, x: Array, out: Array | None, attributes: dict[str, Any]) -> Array:
    """`compute` on an array in any layout; `out` is None or may be `x` itself."""
    y = np.empty_like(x) if out is None else out
    source, target = flattened(x), flattened(y)
    if source is None or target is None or not same_order(x, y):
        x, y = x.copy(order="C"), np.empty(x.shape, x.dtype)
        source, target = x.reshape(-1), y.reshape(-1)
    length = min(source.size, BLOCK)
    t = np.empty(length, x.dtype)
    own = np.empty(length, x.dtype) if y is x or np.may_share_memory(x, y) else None
    for start in range(0, source.size, BLOCK):
        part, result = source[start : start + BLOCK], target[start : start + BLOCK]
        if own is None:
            compute(part, result, t[: part.size], **attributes)
        else:
            compute(part, own[: part.size], t[: part.size], **attributes)
            result[...] = own[: part.size]
    if out is None or y is out:
        return y
    out[...] = y
    return out


def same_order(x: Array, y: Array) -> bool:
    """Whether the elements of two arrays of one shape lie in the same order in memory."""
    strides = zip(x.shape, x.strides, y.strides, strict=True)
    return all(a == b for extent, a, b in strides if extent > 1)


def flattened(x: Array) -> Array | None:
    """A vector on the same memory, in memory's order, or None where the array has gaps."""
    if not x.flags.c_contiguous:
        x = x.transpose(sorted(range(x.ndim), key=lambda axis: -x.strides[axis]))
    return x.reshape(-1) if x.flags.c_contiguous else None
