"""Reductions to numbers, and to indices."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..kerneldef import Array, kernel
from .channel_sums import channel_sums

Reduce = Callable[..., Any]


def _lowest(dtype: np.dtype[Any]) -> Any:
    """What is below all others; of no elements the largest one is this."""
    if dtype.kind == "b":
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _highest(dtype: np.dtype[Any]) -> Any:
    """What is above all others."""
    if dtype.kind == "b":
        return True
    return np.iinfo(dtype).max if dtype.kind in "iu" else np.inf


EXTREMES: Mapping[str, Callable[[np.dtype[Any]], Any]] = {
    "ReduceMax": _lowest,
    "ReduceMin": _highest,
}

# What NumPy reduces in one pass, to memory that it is given.
UFUNCS: tuple[Reduce, ...] = (np.max, np.mean, np.min, np.prod, np.sum)


def _reduction(op_type: str, reduce: Reduce) -> None:
    """Enter the kernel of a reduction by NumPy's function for it."""

    @kernel(op_type, out=reduce in UFUNCS, view=reduce not in UFUNCS)
    def apply(
        x: Array,
        axes: Array | None = None,
        *,
        keepdims: int,
        noop_with_empty_axes: int,
        out: Array | None = None,
    ) -> Array:
        """What is left when `axes`, by default all, become one number each."""
        kept = tuple(int(axis) for axis in axes) if axes is not None and axes.size else None
        if kept is None and noop_with_empty_axes:
            kept = ()  # each number is reduced alone
        options: dict[str, Any] = {} if out is None else {"out": out}
        if not x.size and op_type in EXTREMES:
            options["initial"] = EXTREMES[op_type](x.dtype)
        if reduce is np.sum and x.ndim > 2 and kept == (0, *range(2, x.ndim)):
            return _channel_sums(x, keepdims, out)
        return np.asarray(reduce(x, axis=kept, keepdims=bool(keepdims), **options))


def _channel_sums(x: Array, keepdims: int, out: Array | None) -> Array:
    """The sums of x (N, C, *S) over all but C."""
    sums = channel_sums(x)
    sums = sums.reshape(1, -1, *(1,) * (x.ndim - 2)) if keepdims else sums
    return sums if out is None else np.positive(sums, out=out)


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


def _place(find: Reduce, x: Array, *, axis: int, keepdims: int, select_last_index: int) -> Array:
    """The index of an extreme element along an axis: of equal ones the first, or the last."""
    if not select_last_index:
        return np.asarray(find(x, axis, keepdims=bool(keepdims)), np.int64)
    last = x.shape[axis] - 1 - find(np.flip(x, axis), axis, keepdims=bool(keepdims))
    return np.asarray(last, np.int64)


kernel("ArgMax")(partial(_place, np.argmax))
kernel("ArgMin")(partial(_place, np.argmin))
