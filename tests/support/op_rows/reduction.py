"""Reductions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from support.ops import Given, Known, Random, op_row

X = Random((None, 3, 4, 5), -2, 2)
# Norms of no axes, which onnx's reference before 1.23 leaves as they are.
NOTHING: Mapping[str, Callable[..., Any]] = {
    "ReduceL1": lambda x, **attributes: np.abs(x),
    "ReduceL2": lambda x, **attributes: np.abs(x),
}
# What becomes of the last axis.
FORMULAS: Mapping[str, Callable[..., Any]] = {
    "ReduceL1": lambda x, axes: np.cumsum(np.abs(x), -1)[..., -1:],
    "ReduceL2": lambda x, axes: np.cumsum(x**2, -1)[..., -1:] ** 0.5,
    "ReduceLogSumExp": lambda x, axes: np.log(np.cumsum(np.exp(x), -1)[..., -1:]),
    "ReduceMax": lambda x, axes: np.sort(x)[..., -1:],
    "ReduceMean": lambda x, axes: np.cumsum(x, -1)[..., -1:] / x.shape[-1],
    "ReduceMin": lambda x, axes: np.sort(x)[..., :1],
    "ReduceProd": lambda x, axes: np.cumprod(x, -1)[..., -1:],
    "ReduceSum": lambda x, axes: np.cumsum(x, -1)[..., -1:],
    "ReduceSumSquare": lambda x, axes: np.cumsum(x**2, -1)[..., -1:],
}
POSITIVE = Random((None, 3, 4, 5), 0.1, 2)

ROWS = [
    *(op_row(op_type, X, Known((-1,)), formula=formula) for op_type, formula in FORMULAS.items()),
    *(op_row(op_type, X, Known((2, 3))) for op_type in FORMULAS),
    *(op_row(op_type, X, Known((1, -1)), keepdims=0) for op_type in FORMULAS),
    *(op_row(op_type, X, Known((3, 1, 2)), keepdims=0) for op_type in FORMULAS),
    *(op_row(op_type, Random((2, 3))) for op_type in FORMULAS),
    *(op_row(op_type, Random((2, 3)), keepdims=0) for op_type in FORMULAS),
    *(
        op_row(op_type, X, formula=NOTHING.get(op_type), engine_from="1.24", noop_with_empty_axes=1)
        for op_type in FORMULAS
    ),
    op_row(
        "ReduceLogSum", POSITIVE, Known((-1,)), formula=lambda x, axes: np.log(x.sum(-1))[..., None]
    ),
    op_row("ReduceLogSum", POSITIVE, Known((3, 1)), keepdims=0),
    op_row("ReduceLogSum", POSITIVE, keepdims=0),
    op_row(
        "ReduceLogSumExp",
        Given([[-1000.0, -1001.0], [1000.0, 1000.0]]),
        Known((1,)),
        formula=lambda x, axes: np.array([[np.log1p(np.exp(-1.0)) - 1000], [1000 + np.log(2)]]),
    ),
    op_row(
        "ReduceL2",
        Given([[0.0, 0.0], [3.0, 4.0]]),
        Known((1,)),
        formula=lambda x, axes: np.array([[0.0], [5.0]]),
        no_gradient="at 0 lengths have a kink",
    ),
]
