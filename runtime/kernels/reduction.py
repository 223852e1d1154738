"""Reductions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..kerneldef import Array, kernel

Reduce = Callable[..., Any]


def _reduction(op_type: str, reduce: Reduce) -> None:
    """Enter the kernel of a reduction by NumPy's function for it."""

    @kernel(op_type, view=True)
    def apply(
        x: Array, axes: Array | None = None, *, keepdims: int, noop_with_empty_axes: int
    ) -> Array:
        """What is left when `axes`, by default all, become one number each."""
        if axes is None or not axes.size:
            if noop_with_empty_axes:
                return x
            kept: tuple[int, ...] | None = None
        else:
            kept = tuple(int(axis) for axis in axes)
        return np.asarray(reduce(x, axis=kept, keepdims=bool(keepdims)))


REDUCTIONS: Mapping[str, Reduce] = {
    "ReduceMax": np.max,
    "ReduceMean": np.mean,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceSum": np.sum,
}
for op_type, reduce in REDUCTIONS.items():
    _reduction(op_type, reduce)
