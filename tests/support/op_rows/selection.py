"""Operators that say where a tensor's elements are."""

from support.ops import Given, Random, op_row

X = Random((None, 3, 4, 5))
TIES = Given([[1, 2, 2, 0], [0, 0, 0, 0], [3, 1, 3, 3]])

ROWS = [
    op_row("ArgMax", X, axis=1),
    op_row("ArgMax", X, axis=-1, keepdims=0),
    op_row("ArgMax", Random((None, 6), 0, 9, "int64"), axis=1),
    *(op_row("ArgMax", TIES, axis=1, select_last_index=last) for last in (0, 1)),
    op_row("ArgMax", TIES, axis=0, keepdims=0, select_last_index=1),
]
