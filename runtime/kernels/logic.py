"""Comparisons, operators on truth values, and the choice between two values."""

from functools import partial

import numpy as np

from ..kerneldef import Array, kernel
from .elementwise import apply

for op_type, function in {
    "And": np.logical_and,
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "IsNaN": np.isnan,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Not": np.logical_not,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
}.items():
    kernel(op_type, elementwise=True)(partial(apply, function))


@kernel("IsInf", elementwise=True)
def is_infinite(
    x: Array, *, detect_negative: int, detect_positive: int, out: Array | None = None
) -> Array:
    """Whether a number is infinite, of the signs that are asked for."""
    y = apply(np.isinf, x, out=out)
    if not detect_negative:
        y &= x > 0
    if not detect_positive:
        y &= x < 0
    return y


@kernel("Where", elementwise=True)
def where(condition: Array, then: Array, otherwise: Array, *, out: Array | None = None) -> Array:
    """`then` where the condition holds, else `otherwise`, broadcast."""
    if out is None:
        return np.where(condition, then, otherwise)
    out[...] = otherwise
    np.copyto(out, then, where=condition)
    return out
