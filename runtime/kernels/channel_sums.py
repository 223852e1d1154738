"""Sums by products with ones, which take BLAS a third of the time: of channels, and of rows."""

from math import prod

import numpy as np

from ..kerneldef import Array
from .slabs import memory_order

LEAST_ROW = 128  # numbers beside each other that are worth a call of BLAS; measured


def channel_sums(x: Array) -> Array:
    """The sums of x (N, C, *S) over all but C."""
    rows = _rows(x)
    if rows is None:
        return np.asarray(x.sum(_others(x)))
    return np.asarray(np.matmul(rows, np.ones(rows.shape[2], x.dtype)).sum(0))


def channel_products(x: Array, y: Array) -> Array:
    """The sums of x y over all but C, both (N, C, *S)."""
    left, right = _rows(x), _rows(y)
    if left is None or right is None or left.shape != right.shape:
        return np.asarray((x * y).sum(_others(x)))
    return np.asarray(np.matmul(left[:, :, None], right[..., None]).sum((0, 2, 3)))


def row_sums(x: Array) -> Array:
    """The sums along the last axis, which stays as one of 1."""
    if not _suits_blas(x):
        return np.asarray(x.sum(-1, keepdims=True))
    return np.asarray(np.matmul(x, np.ones(x.shape[-1], x.dtype)))[..., None]


def row_squares(x: Array) -> Array:
    """The sums of the squares along the last axis, which stays as one of 1."""
    if not _suits_blas(x):
        return np.asarray(np.square(x).sum(-1, keepdims=True))
    return np.asarray(np.matmul(x[..., None, :], x[..., None]))[..., 0]


def _suits_blas(x: Array) -> bool:
    return x.dtype.kind == "f" and x.itemsize >= 4 and x.strides[-1] == x.itemsize


def _others(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _rows(x: Array) -> Array | None:
    """x (N, C, *S) as (outer, C, numbers beside each other); None where these are few."""
    if x.ndim < 3 or x.dtype.kind != "f" or x.itemsize < 4 or not x.size:
        return None
    for order in (tuple(range(x.ndim)), memory_order(x.ndim)):
        lying, channels = x.transpose(order), order.index(1)
        row = lying[(0,) * (channels + 1)]
        if row.size >= LEAST_ROW and row.flags.c_contiguous:
            rows = lying.reshape(prod(lying.shape[:channels]), x.shape[1], row.size)
            return rows if np.may_share_memory(rows, x) else None
    return None
