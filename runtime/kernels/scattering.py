"""Operators that read or write single elements by their index on an axis."""

from collections.abc import Mapping

import numpy as np

from ..kerneldef import Array, OperandError, kernel

Positions = tuple[Array, ...]

# How an update meets what is there already; an index may come more than once.
COMBINATIONS: Mapping[str, np.ufunc] = {
    "add": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "mul": np.multiply,
}


@kernel("GatherElements")
def gather_elements(x: Array, indices: Array, *, axis: int) -> Array:
    """y[i, j] = x[indices[i, j], j] on axis 0; negative indices count from the end."""
    picked: Array = x[_place(x, indices, axis)]
    return picked


@kernel("ScatterElements")
def scatter_elements(
    x: Array, indices: Array, updates: Array, *, axis: int, reduction: str
) -> Array:
    """X with y[indices[i, j], j] = updates[i, j] on axis 0, or combined with what was there."""
    y = x.copy()
    place = _place(x, indices, axis)
    if reduction == "none":
        y[place] = updates
    elif indices.shape[axis] == 1:
        # No place comes twice, and this is several times faster than `ufunc.at`.
        y[place] = COMBINATIONS[reduction](y[place], updates)
    else:
        COMBINATIONS[reduction].at(y, place, updates)
    return y


@kernel("OneHot")
def one_hot(indices: Array, depth: Array, values: Array, *, axis: int) -> Array:
    """values[1] where the new axis's position is the index, else values[0].

    Negative indices count from the end; one that is out of range makes no position hot. Real
    numbers are rounded towards zero.
    """
    count = int(depth.reshape(()))
    indices = indices.astype(np.int64)
    wrapped = np.expand_dims(np.where(indices < 0, indices + count, indices), axis)
    shape = [1] * (indices.ndim + 1)
    shape[axis] = count
    hot = wrapped == np.arange(count).reshape(shape)
    written: Array = np.where(hot, values[1], values[0])
    return written


@kernel("Hardmax")
def hardmax(x: Array, *, axis: int) -> Array:
    """1 at the first of the largest elements along an axis, 0 elsewhere."""
    y = np.zeros_like(x)
    np.put_along_axis(y, x.argmax(axis, keepdims=True), 1, axis)
    return y


@kernel("GatherND")
def gather_nd(x: Array, indices: Array, *, batch_dims: int) -> Array:
    """The parts of x (*B, *S, *R) at the index vectors (*B, *I, Q) into S => y (*B, *I, *R)."""
    picked: Array = x[_vectors(x, indices, batch_dims)]
    return picked


@kernel("ScatterND")
def scatter_nd(x: Array, indices: Array, updates: Array, *, reduction: str) -> Array:
    """X with y[indices[i]] = updates[i], or combined with what was there."""
    y = x.copy()
    place = _vectors(x, indices, 0)
    if reduction == "none":
        y[place] = updates
    else:
        COMBINATIONS[reduction].at(y, place, updates)
    return y


def _vectors(x: Array, indices: Array, batch_dims: int) -> Positions:
    """What indexes x at index vectors: the places of the batch, then the vectors' numbers."""
    extents = np.array(x.shape[batch_dims : batch_dims + indices.shape[-1]])
    if ((indices < -extents) | (indices >= extents)).any():
        raise OperandError(f"needs indices within {' x '.join(map(str, extents))}")
    batch = np.indices(indices.shape[:batch_dims], sparse=True)
    wide = (part.reshape(*part.shape, *(1,) * (indices.ndim - 1 - batch_dims)) for part in batch)
    return (*wide, *np.moveaxis(indices, -1, 0))


def _place(x: Array, indices: Array, axis: int) -> Positions:
    """What indexes x at `indices` on `axis` and at each index's own position elsewhere."""
    extent = x.shape[axis]
    if indices.size and (indices.min() < -extent or indices.max() >= extent):
        wrong = indices[(indices < -extent) | (indices >= extent)].flat[0]
        raise OperandError(f"needs indices below {extent}, not {wrong}")
    place: list[Array] = list(np.ix_(*map(np.arange, indices.shape)))
    place[axis] = indices
    return tuple(place)
