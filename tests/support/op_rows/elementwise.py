"""Elementwise operators."""

import numpy as np
from support.ops import Given, Random, op_row

X = Random((None, 3, 4, 5), -3, 3)
EXTREMES = Given([-np.inf, -1e30, -200.0, -20.0, -0.0, 0.0, 20.0, 200.0, 1e30, np.inf, np.nan])
SCALAR = Given(-0.7)
FORMULAS = {
    "Relu": lambda x: x * (x > 0),
    "Tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "Sigmoid": lambda x: np.exp(x) / (np.exp(x) + 1),
    "Identity": lambda x: x,
}
BROADCAST = [
    (X, Random((None, 3, 4, 5))),
    (X, Random((3, 1, 1))),
    (Random((5,)), X),
    (Random((None, 3, 1, 1)), Random((None, 1, 4, 5))),
    (X, SCALAR),
    (SCALAR, SCALAR),
]

ROWS = [
    *(op_row(op_type, X, formula=formula) for op_type, formula in FORMULAS.items()),
    *(op_row(op_type, Random((None, 7), -3, 3)) for op_type in FORMULAS),
    *(op_row(op_type, SCALAR) for op_type in FORMULAS),
    *(op_row(op_type, EXTREMES) for op_type in ("Relu", "Tanh", "Identity")),
    op_row(
        "Sigmoid",
        EXTREMES,
        formula=lambda x: np.array(
            [0, 0, 1 / (1 + np.exp(200.0)), 1 / (1 + np.exp(20.0)), 0.5, 0.5]
            + [1 / (1 + np.exp(-20.0)), 1, 1, 1, np.nan]
        ),
    ),
    *(op_row("Add", a, b, formula=lambda a, b: a + b) for a, b in BROADCAST),
    *(op_row("Mul", a, b, formula=lambda a, b: a * b) for a, b in BROADCAST),
    op_row("Add", Random((None, 4), -9, 9, "int64"), Random((4,), -9, 9, "int64")),
    op_row("Mul", Random((None, 4), -9, 9, "int64"), Random((4,), -9, 9, "int64")),
]
