"""Memory that kernels work in and leave, kept from call to call: fresh memory costs page faults."""

import threading
from math import prod
from typing import Any

import numpy as np

from ..kerneldef import Array

_LOCAL = threading.local()


def scratch(use: str, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Array:
    """An array that holds anything, until this thread asks for the same use again.

    Each use has its own memory, as much as the largest that was asked for.
    """
    held: dict[str, Array] = _LOCAL.__dict__.setdefault("held", {})
    size = prod(shape) * dtype.itemsize
    found = held.get(use)
    if found is None or found.size < size:
        found = held[use] = np.empty(size, np.uint8)
    return np.ndarray(shape, dtype, found)


def scratch_like(x: Array, use: str, dtype: "np.dtype[Any]") -> Array:
    """Scratch memory of an array's shape, with its axes in the same order."""
    if x.flags.c_contiguous:
        return scratch(use, x.shape, dtype)
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    memory = scratch(use, tuple(x.shape[axis] for axis in order), dtype)
    return memory.transpose([order.index(axis) for axis in range(x.ndim)])
