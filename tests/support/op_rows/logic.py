"""Operators on truth values."""

import numpy as np

from support.ops import Given, Random, op_row

TRUTH = Random((None, 3, 4), 0, 2, "bool")
NAN = float("nan")

ROWS = [
    op_row("Not", TRUTH, formula=lambda x: ~x),
    op_row("And", TRUTH, Random((3, 1), 0, 2, "bool"), formula=lambda a, b: a & b),
    op_row("And", Random((), 0, 2, "bool"), TRUTH, formula=lambda a, b: a & b),
    op_row("Or", TRUTH, Random((3, 1), 0, 2, "bool"), formula=lambda a, b: a | b),
    op_row("Xor", TRUTH, Random((3, 1), 0, 2, "bool"), formula=lambda a, b: a != b),
    *(
        op_row(
            "IsInf",
            Given([[0.0, NAN], [float("inf"), -float("inf")]]),
            formula=lambda x, detect_negative, detect_positive: (
                (x < -1e300) & bool(detect_negative) | (x > 1e300) & bool(detect_positive)
            ),
            detect_negative=negative,
            detect_positive=positive,
        )
        for negative in (0, 1)
        for positive in (0, 1)
    ),
    op_row("IsNaN", Random((None, 3)), formula=lambda x: np.zeros(x.shape, bool)),
    op_row(
        "IsNaN",
        Given([[0.0, NAN], [float("inf"), -NAN]]),
        formula=lambda x: np.array([[False, True], [False, True]]),
    ),
]
