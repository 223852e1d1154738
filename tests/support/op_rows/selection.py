"""Operators that say where a tensor's elements are, or choose among them."""

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Random, op_row

X = Random((None, 3, 4, 5))
TIES = Given([[1, 2, 2, 0], [0, 0, 0, 0], [3, 1, 3, 3]])
SOME = Known((True, False, True), "bool")
REPEATED = Given([3, 1, 1, 2, 3, 3], "int64")


def overlapping(boxes: Array, scores: Array, most: Array, overlap: Array, least: Array) -> Array:
    """Two boxes lie on each other, the third is apart, and the fourth scores too little."""
    return np.array([[0, 0, 1], [0, 0, 2], [0, 1, 0], [0, 1, 2]])


ROWS = [
    *(
        row
        for op_type in ("ArgMax", "ArgMin")
        for row in (
            op_row(op_type, X, axis=1),
            op_row(op_type, X, axis=-1, keepdims=0),
            op_row(op_type, Random((None, 6), 0, 9, "int64"), axis=1),
            *(op_row(op_type, TIES, axis=1, select_last_index=last) for last in (0, 1)),
            op_row(op_type, TIES, axis=0, keepdims=0, select_last_index=1),
        )
    ),
    op_row("Hardmax", X),
    op_row("Hardmax", X, axis=1),
    op_row("Hardmax", TIES),
    op_row("TopK", X, Known((3,)), outputs=2),
    op_row("TopK", X, Known((2,)), outputs=2, axis=1, largest=0),
    op_row("TopK", TIES, Known((3,)), outputs=2, no_gradient="equal elements are a tie"),
    op_row("TopK", Random((None, 6), 0, 9, "int64"), Known((6,)), outputs=2),
    op_row("NonZero", Random((3, 4), 0, 2, "int64")),
    op_row("NonZero", Random((2, 3, 2), 0, 2, "bool")),
    op_row("Compress", Random((3, 4)), SOME, axis=0),
    op_row("Compress", Random((2, 3, 4)), SOME, axis=-2),
    op_row("Compress", Random((2, 3)), SOME),
    *(op_row("Unique", REPEATED, outputs=4, sorted=given) for given in (0, 1)),
    op_row("Unique", Random((4, 3), 0, 2, "int64"), outputs=4, axis=0),
    op_row("Unique", Random((2, 6), 0, 2, "float32"), outputs=2, axis=1),
    op_row(
        "NonMaxSuppression",
        Given([[[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 10, 1, 11], [0, 20, 1, 21]]]),
        Given([[[0.8, 0.9, 0.6, 0.1], [0.9, 0.8, 0.7, 0.1]]]),
        Given([3], "int64"),
        Given([0.5]),
        Given([0.4]),
        formula=overlapping,
    ),
    op_row(
        "NonMaxSuppression",
        Random((2, 9, 4), 0, 1),
        Random((2, 3, 9)),
        Given([4], "int64"),
        Given([0.3]),
        center_point_box=1,
    ),
]
