"""Operators that move data and compute nothing."""

import numpy as np

from support.ops import Known, Random, op_row

X = Random((None, 3, 4, 5))

ROWS = [
    *(op_row("Flatten", X, axis=axis) for axis in (0, 1, 2, 4)),
    op_row("Flatten", Random((None,)), axis=1),
    op_row("Reshape", X, Known((0, 60)), formula=lambda x, s: x.reshape(len(x), 60)),
    op_row("Reshape", X, Known((0, -1)), formula=lambda x, s: x.reshape(len(x), 60)),
    op_row("Reshape", X, Known((-1, 60)), formula=lambda x, s: x.reshape(len(x), 60)),
    op_row("Reshape", X, Known((0, 0, -1)), formula=lambda x, s: x.reshape(len(x), 3, 20)),
    op_row("Reshape", X, Known((0, 3, 2, 2, 5)), formula=lambda x, s: x.reshape(-1, 3, 2, 2, 5)),
    op_row("Reshape", Random((2, 3, 4)), Known((4, 6)), allowzero=1),
    op_row("Reshape", Random((1, 1)), Known(()), formula=lambda x, s: x.reshape(())),
    op_row("Squeeze", Random((None, 1, 4, 1)), Known((1,))),
    op_row("Squeeze", Random((None, 1, 4, 1)), Known((-1, 1))),
    op_row("Squeeze", Random((3, 1, 4, 1))),
    op_row("Squeeze", Random((1,), 0, 9, "int64"), Known((0,))),
    op_row("Unsqueeze", Random((None, 4)), Known((1,))),
    op_row("Unsqueeze", Random((None, 4)), Known((-1, 0, 2))),
    op_row("Unsqueeze", Random((), 0, 9, "int64"), Known((0,))),
    op_row("Transpose", X, perm=(0, 2, 3, 1)),
    op_row("Transpose", X, perm=(3, 1, 0, 2)),
    op_row("Transpose", Random((None, 6, 2)), perm=(0, 2, 1)),
    op_row("Concat", X, Random((None, 2, 4, 5)), X, axis=1),
    op_row("Concat", X, Random((None, 3, 4, 1)), axis=-1),
    op_row("Concat", X, axis=2),
    op_row("Concat", Random((3,), 0, 9, "int64"), Random((2,), 0, 9, "int64"), axis=0),
    op_row("Shape", X, formula=lambda x: np.array(x.shape)),
    op_row("Shape", X, start=1, end=3),
    op_row("Shape", X, start=-2),
    op_row("Expand", Random((None, 1, 4)), Known((3, 1)), formula=lambda x, s: x.repeat(3, 1)),
    op_row("Expand", Random((4,)), Known((2, 3, 4)), formula=lambda x, s: np.stack([[x] * 3] * 2)),
    op_row("Tile", X, Known((1, 2, 1, 3))),
    op_row("Tile", Random((2, 3)), Known((2, 0))),
    op_row("Tile", Random((3,), 0, 9, "int64"), Known((2,))),
]
