"""Matrix products."""

from math import prod

import numpy as np

from ..kerneldef import Array, kernel
from .workers import of_product, shares, spread

LEAST_ROWS = 32  # from which on a separate product pays; measured


def product(a: Array, b: Array, out: Array | None) -> Array:
    """a (M, K) times b (K, N), by parts of the longer side of the result."""
    y = np.empty((len(a), b.shape[1]), a.dtype) if out is None else out
    by_rows = len(a) >= b.shape[1]

    def compute(part: slice) -> None:
        if by_rows:
            np.matmul(a[part], b, out=y[part])
        else:
            np.matmul(a, b[:, part], out=y[:, part])

    spread(compute, shares(max(y.shape), LEAST_ROWS), of_product(y.size * a.shape[1]))
    return y


@kernel("Gemm", out=True, spreads=True)
def gemm(
    a: Array,
    b: Array,
    c: Array | None = None,
    *,
    alpha: float,
    beta: float,
    transA: int,
    transB: int,
    out: Array | None = None,
) -> Array:
    """y = alpha a b + beta c; a (M, K), b (K, N), each transposed on demand, c broadcasts."""
    y = product(a.T if transA else a, b.T if transB else b, out)
    if alpha != 1:
        y *= alpha
    if c is not None:
        y += c if beta == 1 else c * a.dtype.type(beta)
    return y


@kernel("MatMul", out=True, spreads=True)
def matmul(a: Array, b: Array, *, out: Array | None = None) -> Array:
    """The matrix product of the last two axes, broadcast over the others.

    With one matrix for the whole batch, the batch's rows are one large matrix to BLAS.
    """
    if a.ndim == b.ndim > 2 and len(a) == len(b):
        return _stacked(a, b, out)
    if a.ndim < 3 or b.ndim != 2:
        return np.asarray(np.matmul(a, b, out=out))
    rows = prod(a.shape[:-1])
    flat = None if out is None else out.reshape(rows, b.shape[-1])
    y = product(a.reshape(rows, a.shape[-1]), b, flat)
    return y.reshape(*a.shape[:-1], b.shape[-1])


def _stacked(a: Array, b: Array, out: Array | None) -> Array:
    """The products of two stacks of matrices, some of the stack on each thread."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = np.empty((*batch, a.shape[-2], b.shape[-1]), a.dtype) if out is None else out

    def compute(part: slice) -> None:
        np.matmul(a[part], b[part], out=y[part])

    spread(compute, shares(len(a)), of_product(y.size * a.shape[-1]))
    return y


@kernel("Einsum", view=True)
def einsum(*arrays: Array, equation: str) -> Array:
    """Products summed over the indices that the result lacks; several at once run on BLAS."""
    return np.asarray(np.einsum(equation, *arrays, optimize=len(arrays) > 1))
