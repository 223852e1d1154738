"""Reductions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from support.ops import Known, Random, op_row

X = Random((None, 3, 4, 5), -2, 2)
# What becomes of the last axis.
FORMULAS: Mapping[str, Callable[..., Any]] = {
    "ReduceMax": lambda x, axes: np.sort(x)[..., -1:],
    "ReduceMean": lambda x, axes: np.cumsum(x, -1)[..., -1:] / x.shape[-1],
    "ReduceMin": lambda x, axes: np.sort(x)[..., :1],
    "ReduceProd": lambda x, axes: np.cumprod(x, -1)[..., -1:],
    "ReduceSum": lambda x, axes: np.cumsum(x, -1)[..., -1:],
}

ROWS = [
    *(op_row(op_type, X, Known((-1,)), formula=formula) for op_type, formula in FORMULAS.items()),
    *(op_row(op_type, X, Known((2, 3))) for op_type in FORMULAS),
    *(op_row(op_type, X, Known((1, -1)), keepdims=0) for op_type in FORMULAS),
    *(op_row(op_type, X, Known((3, 1, 2)), keepdims=0) for op_type in FORMULAS),
    *(op_row(op_type, Random((2, 3))) for op_type in FORMULAS),
    *(op_row(op_type, Random((2, 3)), keepdims=0) for op_type in FORMULAS),
    *(op_row(op_type, X, engine_from="1.24", noop_with_empty_axes=1) for op_type in FORMULAS),
]
