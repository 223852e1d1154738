"""Sequences are lists of arrays, optional values None or what they hold.

What they hold is never written to, so lists share it.
"""

from typing import Any

import numpy as np

from ...compiler.ir.types import DType
from ..kerneldef import Array, OperandError, kernel
from .control_flow import Body

List = list[Array]


@kernel("SequenceConstruct")
def construct(*arrays: Array) -> List:
    """The arrays in a row."""
    return [array.copy() for array in arrays]


@kernel("SequenceEmpty")
def empty(*, dtype: DType) -> List:
    """No arrays."""
    return []


@kernel("SequenceInsert")
def insert(held: List, array: Array, place: Array | None = None) -> List:
    """The list with an array before the place; behind all others without a place."""
    at = len(held) if place is None else _place(place, len(held), len(held))
    return [*held[:at], array.copy(), *held[at:]]


@kernel("SequenceErase")
def erase(held: List, place: Array | None = None) -> List:
    """The list without the array at the place; without the last one where there is no place."""
    at = _place(np.array(-1) if place is None else place, len(held), len(held) - 1)
    return [*held[:at], *held[at + 1 :]]


@kernel("SequenceAt", view=True)
def at(held: List, place: Array) -> Array:
    """The array at the place."""
    return held[_place(place, len(held), len(held) - 1)]


@kernel("SequenceLength")
def length(held: List) -> Array:
    """How many arrays there are."""
    return np.array(len(held), np.int64)


@kernel("SplitToSequence")
def split(x: Array, parts: Array | None = None, *, axis: int, keepdims: int) -> List:
    """Parts along an axis, of the extents given; one extent is that of all but the last."""
    extent = x.shape[axis]
    if parts is None:
        whole = [x.take([i], axis) for i in range(extent)]
        return whole if keepdims else [each.squeeze(axis) for each in whole]
    ends = np.cumsum(parts)
    if parts.ndim == 0:
        if parts.item() < 1:
            raise OperandError(f"needs parts of 1 or more, not {parts}")
        ends = np.minimum(np.arange(1, -(-extent // parts.item()) + 1) * parts, extent)
    if parts.min(initial=0) < 0 or (ends[-1] if ends.size else 0) != extent:
        raise OperandError(f"needs parts that add up to {extent}, not {parts.tolist()}")
    return [part.copy() for part in np.split(x, ends[:-1], axis)]


@kernel("ConcatFromSequence")
def concat(held: List, *, axis: int, new_axis: int) -> Array:
    """The arrays side by side along an axis, which with `new_axis` is another one."""
    if not held:
        raise OperandError("needs a sequence that is not empty")
    try:
        return np.stack(held, axis) if new_axis else np.concatenate(held, axis)
    except ValueError:
        shapes = ", ".join(dict.fromkeys(str(array.shape) for array in held))
        raise OperandError(f"cannot join arrays of {shapes} along axis {axis}") from None


@kernel("SequenceMap", counts_outputs=True)
def mapped(first: List, *others: Array | List, body: Body, outputs: int) -> tuple[List, ...]:
    """A list of each output of the body, which takes an element of each list, and arrays."""
    found: tuple[List, ...] = tuple([] for _ in range(outputs))
    lists = [other for other in others if isinstance(other, list)]
    if any(len(other) != len(first) for other in lists):
        raise OperandError("needs sequences of one length")
    for place, array in enumerate(first):
        given = (other[place] if isinstance(other, list) else other for other in others)
        for row, result in zip(found, body(array, *given), strict=True):
            row.append(result)
    return found


@kernel("Optional")
def optional(x: Any = None, *, type: Any) -> Any:
    """The value, or None."""
    return x.copy() if x is not None else None


@kernel("OptionalHasElement")
def has_element(x: Any = None) -> Array:
    """Whether there is a value."""
    return np.array(x is not None)


@kernel("OptionalGetElement", view=True)
def get_element(x: Any) -> Any:
    """The value."""
    if x is None:
        raise OperandError("needs a value, and there is none")
    return x


def _place(place: Array, count: int, last: int) -> int:
    """A place from 0 on, which may count from behind.

    Raises:
        OperandError: There is none.
    """
    (at,) = np.reshape(place, -1).tolist() if np.size(place) == 1 else (None,)
    if at is None or not -count <= at <= last:
        raise OperandError(f"needs a place from {-count} to {last}, not {place.tolist()}")
    return int(at) + count if at < 0 else int(at)
