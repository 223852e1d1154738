"""Operators that move data and compute nothing."""

from math import prod

import numpy as np

from ..kerneldef import Array, Layout, kernel


@kernel("Flatten", view=True)
def flatten(x: Array, *, axis: int) -> Array:
    """(*A, *B) split at `axis` as (prod A, prod B)."""
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))


@kernel("Reshape", view=True)
def reshape(x: Array, shape: Array, *, allowzero: int) -> Array:
    """The elements in row-major order in another shape; 0 copies an extent, -1 takes the rest."""
    target = [int(extent) for extent in shape]
    kept = [i for i, extent in enumerate(target) if extent == 0 and not allowzero]
    for i in kept:
        target[i] = x.shape[i]
    if -1 in target:
        # Copied extents cancel first: an empty batch's size alone does not determine the rest.
        rest = prod(extent for i, extent in enumerate(x.shape) if i not in kept)
        others = prod(t for i, t in enumerate(target) if i not in kept and t != -1)
        target[target.index(-1)] = rest // others if others else 0
    return x.reshape(target)


@kernel("Squeeze", view=True)
def squeeze(x: Array, axes: Array | None = None) -> Array:
    """X without the axes, all of extent 1."""
    return x.squeeze(None if axes is None else tuple(np.ravel(axes).tolist()))


@kernel("Unsqueeze", view=True)
def unsqueeze(x: Array, axes: Array) -> Array:
    """X with an extent of 1 at each of the axes, counted in the result."""
    return np.expand_dims(x, tuple(np.ravel(axes).tolist()))


@kernel("Transpose", view=True)
def transpose(x: Array, *, perm: tuple[int, ...] | None) -> Array:
    """Axis i of the result is axis perm[i] of x; all axes reversed where perm is None."""
    return x.transpose(perm)


@kernel("Concat", out=True, layout=Layout.AS_ARGUMENT)
def concat(*parts: Array, axis: int, out: Array | None = None) -> Array:
    """The parts side by side on an axis."""
    return np.concatenate(parts, axis, out=out)


@kernel("Shape")
def shape_of(x: Array, *, start: int, end: int | None) -> Array:
    """The extents from `start` to `end`."""
    return np.array(x.shape[start:end], np.int64)


@kernel("Expand", view=True)
def expand(x: Array, shape: Array) -> Array:
    """x broadcast with a shape."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(int(e) for e in shape)))


@kernel("Tile")
def tile(x: Array, repeats: Array) -> Array:
    """x, repeated along each axis."""
    return np.tile(x, repeats)
