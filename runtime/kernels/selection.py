"""Operators that choose among a tensor's elements by what they are."""

import numpy as np

from ..kerneldef import Array, OperandError, kernel


@kernel("TopK", counts_outputs=True)
def top_k(
    x: Array, k: Array, *, axis: int, largest: int, sorted: int, outputs: int = 1
) -> Array | tuple[Array, ...]:
    """The k largest or smallest elements along an axis, in order, of equal ones the first."""
    extent, most = x.shape[axis], int(k.reshape(()))
    if not 0 <= most <= extent:
        raise OperandError(f"cannot take {most} of {extent} elements")
    if largest:  # of equal elements the last comes last from behind
        order = extent - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    else:
        order = np.argsort(x, axis, kind="stable")
    indices = order.take(range(most), axis)
    return (np.take_along_axis(x, indices, axis), indices)[:outputs]


@kernel("NonZero")
def non_zero(x: Array) -> Array:
    """The indices of what is not 0, an axis of x per row, in row-major order."""
    return np.ascontiguousarray(np.argwhere(x).T)


@kernel("Compress")
def compress(x: Array, condition: Array, *, axis: int | None) -> Array:
    """The places of an axis, or of all elements in a row, where the condition holds."""
    extent = x.size if axis is None else x.shape[axis]
    if condition[extent:].any():
        raise OperandError(f"has {extent} places, and a condition for later ones")
    return np.compress(condition[:extent], x, axis)


@kernel("Unique", counts_outputs=True)
def unique(
    x: Array, *, axis: int | None, sorted: int, outputs: int = 1
) -> Array | tuple[Array, ...]:
    """Different elements or slices, where each is first, which each of x is, and how often.

    They are in order of size, or in that in which they come.
    """
    y, first, inverse, counts = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first, kind="stable")
        place = np.argsort(order, kind="stable")
        y, first, counts = y.take(order, axis or 0), first[order], counts[order]
        inverse = place[inverse]
    return (y, first, inverse, counts)[:outputs]


@kernel("NonMaxSuppression")
def non_maximum_suppression(
    boxes: Array,
    scores: Array,
    most: Array | None = None,
    overlap: Array | None = None,
    least: Array | None = None,
    *,
    center_point_box: int,
) -> Array:
    """Boxes by falling score, as (batch, class, box), without those that overlap a better one.

    At most `most` of a class, with scores above `least`; two overlap where the intersection is more
    than `overlap` of the union. Boxes are two corners (y, x, y, x) or centre and size (x, y, w, h).
    """
    count = 0 if most is None else int(most.reshape(()))
    limit = 0.0 if overlap is None else float(overlap.reshape(()))
    chosen: list[tuple[int, int, int]] = []
    for batch, corners in enumerate(_corners(boxes, centred=bool(center_point_box))):
        for label, values in enumerate(scores[batch]):
            kept: list[int] = []
            for box in np.argsort(-values, kind="stable"):
                if len(kept) == count:
                    break
                if least is not None and values[box] <= float(least.reshape(())):
                    break
                if all(_shared(corners[box], corners[other]) <= limit for other in kept):
                    kept.append(int(box))
            chosen += [(batch, label, box) for box in kept]
    return np.array(chosen, np.int64).reshape(-1, 3)


def _corners(boxes: Array, *, centred: bool) -> Array:
    """Boxes as lower corner, then upper one."""
    if centred:
        half = boxes[..., 2:] / 2
        return np.concatenate((boxes[..., :2] - half, boxes[..., :2] + half), -1)
    pair = boxes[..., :2], boxes[..., 2:]
    return np.concatenate((np.minimum(*pair), np.maximum(*pair)), -1)


def _shared(a: Array, b: Array) -> float:
    """The intersection of two boxes as a share of their union."""
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    common = float(sides.prod())
    union = float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - common
    return common / union if union > 0 else 0.0
