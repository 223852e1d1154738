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
        kept = tuple(int(axis) for axis in axes) if axes is not None and axes.size else None
        if kept is None and noop_with_empty_axes:
            kept = ()  # each number is reduced alone
        return np.asarray(reduce(x, axis=kept, keepdims=bool(keepdims)))


def _log_sum_exp(x: Array, **options: Any) -> Any:
    """log(sum exp x), the largest x taken out, so that nothing overflows."""
    peak = np.max(x, initial=-np.inf, **{**options, "keepdims": True})
    peak = np.where(np.isfinite(peak), peak, 0).astype(x.dtype)
    sums = np.log(np.sum(np.exp(x - peak), **options))
    return sums + peak.reshape(np.shape(sums))


REDUCTIONS: Mapping[str, Reduce] = {
    "ReduceL1": lambda x, **options: np.sum(np.abs(x), **options),
    "ReduceL2": lambda x, **options: np.sqrt(np.sum(np.square(x), **options)),
    "ReduceLogSum": lambda x, **options: np.log(np.sum(x, **options)),
    "ReduceLogSumExp": _log_sum_exp,
    "ReduceMax": np.max,
    "ReduceMean": np.mean,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceSum": np.sum,
    "ReduceSumSquare": lambda x, **options: np.sum(np.square(x), **options),
}
for op_type, reduce in REDUCTIONS.items():
    _reduction(op_type, reduce)
