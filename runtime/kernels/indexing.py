"""Operators that pick elements out of a tensor, or put some around it, and compute nothing."""

from typing import Literal

import numpy as np

from ..kerneldef import Array, OperandError, kernel


@kernel("Slice", view=True)
def slice_(
    x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
) -> Array:
    """The elements from `starts` to `ends` on `axes`, by default the first ones."""
    cuts = [slice(None)] * x.ndim
    kept = range(len(starts)) if axes is None else _integers(axes)
    strides = [1] * len(starts) if steps is None else _integers(steps)
    for axis, start, end, step in zip(
        kept, _integers(starts), _integers(ends), strides, strict=True
    ):
        cuts[axis] = slice(start, end, step)
    return x[tuple(cuts)]


@kernel("Gather")
def gather(x: Array, indices: Array, *, axis: int) -> Array:
    """Parts of an axis by their indices, which count from the end where they are negative."""
    extent = x.shape[axis]
    if indices.size and (indices.min() < -extent or indices.max() >= extent):
        wrong = indices[(indices < -extent) | (indices >= extent)].flat[0]
        raise OperandError(f"needs indices below {extent}, not {wrong}")
    return np.take(x, indices, axis)


@kernel("Split", counts_outputs=True, view=True)
def split(
    x: Array, extents: Array | None = None, *, axis: int, num_outputs: int | None, outputs: int = 1
) -> Array | tuple[Array, ...]:
    """Parts of an axis, of the extents given or equal ones; the last may be smaller."""
    parts = num_outputs or outputs
    if extents is None:
        chunk = -(-x.shape[axis] // parts)
        ends = [min(chunk * (i + 1), x.shape[axis]) for i in range(parts)]
    else:
        ends = list(np.cumsum(extents))
    pieces = tuple(np.split(x, ends[:-1], axis))
    return pieces if outputs > 1 else pieces[0]


@kernel("Pad")
def pad(
    x: Array,
    pads: Array,
    value: Array | None = None,
    axes: Array | None = None,
    *,
    mode: Literal["constant", "reflect", "edge", "wrap"],
) -> Array:
    """Elements around x: one value, or x mirrored, repeated at its edges, or wrapped around.

    `pads` holds all befores, then all afters; negative ones crop.
    """
    amounts = _integers(pads)
    half = len(amounts) // 2
    sides = [(0, 0)] * x.ndim
    padded = range(x.ndim) if axes is None else _integers(axes)
    for axis, before, after in zip(padded, amounts[:half], amounts[half:], strict=True):
        sides[axis] = (before, after)
    kept = tuple(
        slice(max(-b, 0), e - max(-a, 0)) for e, (b, a) in zip(x.shape, sides, strict=True)
    )
    widths = [(max(before, 0), max(after, 0)) for before, after in sides]
    if mode != "constant":
        return np.asarray(np.pad(x[kept], widths, mode=mode))
    return _surrounded(x[kept], widths, 0 if value is None else value.item())


@kernel("Trilu")
def trilu(x: Array, k: Array | None = None, *, upper: int) -> Array:
    """The matrices' parts on and above, or below, the diagonal k; the rest is zero."""
    diagonal = 0 if k is None else int(k.item())
    return np.triu(x, diagonal) if upper else np.tril(x, diagonal)


@kernel("ReverseSequence")
def reverse_sequence(x: Array, lengths: Array, *, batch_axis: int, time_axis: int) -> Array:
    """The first elements of each sample in reverse order, as many as its length says."""
    most = x.shape[time_axis]
    if lengths.size and (lengths.min() < 0 or lengths.max() > most):
        wrong = lengths[(lengths < 0) | (lengths > most)][0]
        raise OperandError(f"needs lengths from 0 to {most}, not {wrong}")
    y = x.copy()
    samples = zip(np.moveaxis(x, batch_axis, 0), np.moveaxis(y, batch_axis, 0), strict=True)
    for (source, target), length in zip(samples, _integers(lengths), strict=True):
        target[:length] = source[:length][::-1]
    return y


def _surrounded(x: Array, widths: list[tuple[int, int]], value: float) -> Array:
    """X within a larger tensor of one value; a few times faster than `numpy.pad`."""
    shape = [extent + sum(width) for extent, width in zip(x.shape, widths, strict=True)]
    y = np.full(shape, value, x.dtype)
    y[tuple(slice(b, b + e) for e, (b, _) in zip(x.shape, widths, strict=True))] = x
    return y


def _integers(vector: Array) -> list[int]:
    return [int(number) for number in vector]
