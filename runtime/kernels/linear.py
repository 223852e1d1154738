"""Matrix products."""

from math import prod

import numpy as np

from ..kerneldef import Array, kernel


@kernel("Gemm")
def gemm(
    a: Array,
    b: Array,
    c: Array | None = None,
    *,
    alpha: float,
    beta: float,
    transA: int,
    transB: int,
) -> Array:
    """y = alpha a b + beta c; a (M, K), b (K, N), each transposed on demand, c broadcasts."""
    y: Array = np.matmul(a.T if transA else a, b.T if transB else b)
    if alpha != 1:
        y *= alpha
    if c is not None:
        y += c if beta == 1 else c * a.dtype.type(beta)
    return y


@kernel("MatMul")
def matmul(a: Array, b: Array) -> Array:
    """The matrix product of the last two axes, broadcast over the others.

    With one matrix for the whole batch, the batch's rows are one large matrix to BLAS.
    """
    if a.ndim < 3 or b.ndim != 2:
        return np.asarray(np.matmul(a, b))
    rows = prod(a.shape[:-1])
    y: Array = np.matmul(a.reshape(rows, a.shape[-1]), b)
    return y.reshape(*a.shape[:-1], b.shape[-1])


@kernel("Einsum", view=True)
def einsum(*arrays: Array, equation: str) -> Array:
    """Products summed over the indices that the result lacks; several at once run on BLAS."""
    return np.asarray(np.einsum(equation, *arrays, optimize=len(arrays) > 1))
