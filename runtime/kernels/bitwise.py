"""Operators on the bits of integers."""

import numpy as np

from ..kerneldef import Array, kernel

SHIFTS = {"LEFT": np.left_shift, "RIGHT": np.right_shift}


@kernel("BitwiseXor", inplace=True)
def bitwise_xor(a: Array, b: Array, *, out: Array | None = None) -> Array:
    """The bits that differ, broadcast."""
    result: Array = np.bitwise_xor(a, b, out=out)
    return result


@kernel("BitShift", inplace=True)
def bit_shift(x: Array, by: Array, *, direction: str, out: Array | None = None) -> Array:
    """x shifted by a number of bits below its type's width, zeros moving in; broadcast."""
    result: Array = SHIFTS[direction](x, by, out=out)
    return result
