"""Operators on truth values."""

from functools import partial

import numpy as np

from ..kerneldef import Array, kernel


def _apply(function: np.ufunc, *arrays: Array) -> Array:
    result: Array = function(*arrays)
    return result


for op_type, function in {
    "And": np.logical_and,
    "IsNaN": np.isnan,
    "Not": np.logical_not,
    "Or": np.logical_or,
}.items():
    kernel(op_type)(partial(_apply, function))
