"""Operators that pick elements out of a tensor, or put some around it."""

import numpy as np

from support.ops import Given, Known, Random, op_row

X = Random((None, 3, 4, 5))
TOKENS = Random((None, 6), 0, 7, "int64")
END, START = 2**63 - 1, -(2**63)

ROWS = [
    op_row("Slice", X, Known((1,)), Known((3,)), Known((2,))),
    op_row("Slice", X, Known((-2, 0)), Known((END, -1)), Known((3, 1))),
    op_row("Slice", X, Known((0, 1)), Known((END, 9))),
    op_row("Slice", X, Known((0,)), Known((END,)), Known((3,)), Known((2,))),
    op_row("Slice", X, Known((-1,)), Known((START,)), Known((2,)), Known((-1,))),
    op_row("Slice", X, Known((3,)), Known((0,)), Known((-1,)), Known((-2,))),
    op_row("Slice", X, Known((2,)), Known((2,)), Known((1,))),
    op_row("Slice", Random((5,), 0, 9, "int64"), Known((1,)), Known((4,))),
    op_row("Gather", Random((7, 4)), TOKENS, axis=0),
    op_row("Gather", Random((7, 4)), Random((None, 2), -7, 7, "int64"), axis=0),
    op_row("Gather", X, Known((2, 0, 0)), axis=-1),
    op_row("Gather", X, Known(1), axis=1),
    op_row("Gather", X, Known(((1, 0), (2, 2))), axis=1),
    op_row("Gather", Random((5,), 0, 9, "int64"), Known(-1, "int32"), axis=0),
    op_row("Split", Random((None, 6)), outputs=3, axis=1, num_outputs=3),
    op_row("Split", Random((None, 7)), outputs=3, axis=-1, num_outputs=3),
    op_row("Split", X, Known((1, 3, 1)), outputs=3, axis=3),
    op_row("Split", X, Known((0, 3)), outputs=2, axis=1),
    op_row("Split", X, axis=2, num_outputs=1),
    op_row("Pad", X, Known((0, 0, 1, 2, 0, 0, 3, 0))),
    op_row("Pad", X, Known((0, 1, 0, 0, 0, 0, 0, 0)), Random(())),
    op_row("Pad", X, Known((1, 2)), None, Known((-1,))),
    op_row(
        "Pad",
        X,
        Known((0, 0, 2, -1, 0, 0, -1, -2)),
        formula=lambda x, pads: np.pad(x[:, :, :-1, 1:-2], ((0, 0), (0, 0), (2, 0), (0, 0))),
    ),
    op_row("Pad", X, Known((0, 0, 3, 4, 0, 0, 2, 1)), mode="reflect"),
    op_row("Pad", X, Known((0, 0, 0, 7, 0, 0, 2, 0)), mode="edge"),
    op_row("Pad", X, Known((4, 3)), None, Known((2,)), mode="wrap"),
    op_row(
        "Pad",
        Random((2, 3), 0, 9, "int64"),
        Known((1, 0, 0, 2)),
        Known(5),
        formula=lambda x, pads, value: np.pad(x, ((1, 0), (0, 2)), constant_values=5),
    ),
    op_row("Trilu", Random((None, 4, 5))),
    op_row("Trilu", Random((None, 2, 4, 5)), Known(1), upper=1),
    op_row("Trilu", Random((4, 4)), Known(-1), upper=0),
    op_row("Trilu", Random((2, 5, 3)), Known(2), upper=0),
    op_row("ReverseSequence", Random((5, 2, 3)), Given([2, 5], "int64")),
    op_row(
        *("ReverseSequence", Random((3, 4, 2, None)), Given([1, 4, 3], "int64")),
        batch_axis=0,
        time_axis=1,
    ),
]
