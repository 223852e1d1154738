"""Parts of arrays, as slices of leading axes, and blocks that stay in the cache."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..kerneldef import Array, Part

BLOCK_BYTES = 2**20  # of each array: most of a few stay in the second-level cache


def at(*parts: Any) -> Any:
    """What indexes an array at these parts of its axes."""
    return parts


def part_of(x: Array, part: Part, shape: tuple[int, ...]) -> Array:
    """The part of an array that broadcasts to a part of one of some shape."""
    if not part:
        return x
    if x.shape == shape:
        whole: Array = x[part]
        return whole
    own = part[len(shape) - x.ndim :] if x.ndim < len(shape) else part
    parts = zip(x.shape, own, strict=False)
    return x[tuple([slice(None) if extent == 1 else within for extent, within in parts])]


def blocks(x: Array, size: int = BLOCK_BYTES, *, within: Sequence[int] = ()) -> list[Part]:
    """Parts of an array that lie in memory one after the other, of about `size` bytes.

    Args:
        x: The array.
        size: Of a part.
        within: The axes that no part splits.
    """
    axes = [axis for axis in range(x.ndim) if axis not in within and x.shape[axis] > 1]
    if x.nbytes <= size or not axes:
        return [()]
    outer = max(axes, key=lambda axis: x.strides[axis])
    step = max(1, size // (x.nbytes // x.shape[outer]))
    before = (slice(None),) * outer
    return [(*before, slice(start, start + step)) for start in range(0, x.shape[outer], step)]


def parts(extent: int, most: int) -> list[slice]:
    """An extent in equal parts of at most `most`."""
    count = -(-extent // most)
    ends = [extent * number // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]


def zero_around(x: Array, inside: Sequence[slice]) -> None:
    """Write zeros to all of an array but what lies within `inside` on its first axes."""
    for axis, part in enumerate(inside):
        before = tuple(inside[:axis])
        if part.start:
            x[(*before, slice(part.start))] = 0
        if part.stop is not None and part.stop < x.shape[axis]:
            x[(*before, slice(part.stop, None))] = 0
