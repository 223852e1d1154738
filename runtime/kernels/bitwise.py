"""Operators on the bits of integers."""

from functools import partial

import numpy as np

from ..kerneldef import Array, kernel
from .elementwise import apply

SHIFTS = {"LEFT": np.left_shift, "RIGHT": np.right_shift}

for op_type, function in {
    "BitwiseAnd": np.bitwise_and,
    "BitwiseNot": np.invert,
    "BitwiseOr": np.bitwise_or,
    "BitwiseXor": np.bitwise_xor,
}.items():
    kernel(op_type, inplace=True)(partial(apply, function))


@kernel("BitShift", inplace=True)
def bit_shift(x: Array, by: Array, *, direction: str, out: Array | None = None) -> Array:
    """x shifted by a number of bits below its type's width; broadcast.

    Zeros move in, and from the left of a signed number its sign.
    """
    return apply(SHIFTS[direction], x, by, out=out)
