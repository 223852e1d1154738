"""Operators on the bits of integers, and arithmetic that wraps around 2^32."""

from collections.abc import Callable
from operator import add, mul, sub

import numpy as np

from netc.compiler.ir.types import DType
from netc.runtime.kerneldef import Array
from support.ops import Given, Random, op_row

WORDS = Random((None, 3, 5), 0, 2**32, "uint32")
WORD = Given(0x9E3779B9, "uint32")
EDGES = Given([0, 1, 2**31 - 1, 2**31, 2**32 - 1], "uint32")
BITS = Random((3, 1), 0, 32, "uint32")
SIGNED = Random((None, 4), -9, 9, "int64")


def exactly(function: Callable[[int, int], int]) -> Callable[[Array, Array], Array]:
    """A function of integers without bounds, element by element, modulo 2^32."""

    def formula(a: Array, b: Array) -> Array:
        pairs = np.broadcast(a, b)
        numbers = [function(int(x), int(y)) % 2**32 for x, y in pairs]
        return np.array(numbers, np.uint32).reshape(pairs.shape)

    return formula


ROWS = [
    *(op_row("BitwiseXor", x, WORD, formula=lambda x, w: x ^ w) for x in (WORDS, EDGES)),
    op_row("BitwiseXor", WORD, WORDS, formula=lambda w, x: w ^ x),
    op_row("BitwiseXor", SIGNED, Random((4,), -9, 9, "int64"), formula=lambda a, b: a ^ b),
    op_row("BitwiseAnd", WORDS, WORD, formula=lambda x, w: x & w),
    op_row("BitwiseAnd", SIGNED, Random((4,), -9, 9, "int64")),
    op_row("BitwiseOr", WORDS, WORD, formula=lambda x, w: x | w),
    op_row("BitwiseOr", SIGNED, Random((4,), -9, 9, "int64")),
    op_row("BitwiseNot", WORDS, formula=lambda x: 2**32 - 1 - x),
    op_row("BitwiseNot", SIGNED, formula=lambda x: -x - 1),
    *(
        op_row("BitShift", x, by, direction=direction)
        for direction in ("LEFT", "RIGHT")
        for x, by in ((WORDS, BITS), (EDGES, Given(15, "uint32")), (WORDS, Given(31, "uint32")))
    ),
    *(
        op_row(op_type, *arguments, formula=formula)
        for arguments in ((WORDS, WORD), (WORD, WORDS), (EDGES, EDGES), (WORD, WORD))
        for op_type, formula in (
            ("Add", exactly(add)),
            ("Mul", exactly(mul)),
            ("Sub", exactly(sub)),
        )
    ),
    op_row(
        "Cast",
        Given([0, 1, -1, 2**32 + 5, -(2**40) - 3, 2**62], "int64"),
        formula=lambda x, to: np.array([n % 2**32 for n in x.tolist()], np.uint32),
        to=DType.UINT32,
    ),
    op_row("Cast", EDGES, to=DType.INT64),
    op_row("GreaterOrEqual", WORDS, WORD),
    op_row("GreaterOrEqual", EDGES, EDGES),
]
