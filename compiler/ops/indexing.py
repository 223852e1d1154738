"""Operators that pick elements out of a tensor, or put some around it, and compute nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..dim import Dim, Polynomial, equal
from ..opdef import InferenceError, OpCall, defop, free
from ..types import DType, Shape, TensorType
from .cuts import (
    END,
    START,
    axis_of,
    check_indices,
    extents_of,
    numbers_of,
    padding,
    slices,
)
from .gradients.indexing import RULES

if TYPE_CHECKING:
    from ..builder import Builder
    from ..graph import Value


def infer_slice(call: OpCall) -> Sequence[TensorType]:
    """x, constant starts, ends, axes (default: the first ones), steps (default: 1) => y.

    Indices count from the end where they are negative, and are clamped, as in NumPy.
    """
    x = call.type(0)
    shape = list(x.shape)
    for axis, cut in slices(call).items():
        shape[axis] = _cut(call, x.shape[axis], cut)
    return (x.with_shape(shape),)


def _cut(call: OpCall, extent: Dim, cut: slice) -> Dim:
    """ceil((end - start) / step), both ends counted from the start of the axis.

    An end that is symbolic, an extent of another tensor, is taken to lie within the axis.
    """
    start, end, step = int(cut.start), cut.stop, int(cut.step)
    if isinstance(end, Polynomial):
        if start < 0 or step < 0:
            raise InferenceError(f"Slice cannot resolve {start} to {end} on an axis of {extent}")
        return -((start - end) // step)
    if isinstance(extent, int):
        return len(range(*cut.indices(extent)))
    if step < 0:
        if start < -1 or end > START:
            raise InferenceError(f"Slice cannot cut an extent of {extent} backwards from {start}")
        return -((-extent) // -step)
    if start < 0 <= end < END:
        raise InferenceError(f"Slice cannot resolve {start} to {end} on an axis of {extent}")
    origin = extent if start < 0 else 0
    stop = extent if end >= END else (extent + int(end) if end < 0 else int(end))
    return -((origin + start - stop) // step)


def slice_values(call: OpCall) -> Any:
    """A part of a known vector."""
    known = call.constants[0]
    if known is None or call.type(0).rank != 1:
        return None
    (cut,) = slices(call).values()
    return known[cut]


def infer_gather(call: OpCall) -> Sequence[TensorType]:
    """x (*A, S, *B), indices (*I) into the axis of extent S => y (*A, *I, *B)."""
    x, indices = call.type(0), call.type(1)
    if indices.dtype not in (DType.INT32, DType.INT64):
        raise InferenceError(f"Gather takes int64 indices, not {indices}")
    axis = axis_of(call, call.attributes["axis"], x.rank)
    check_indices(call, 1, x.shape[axis])
    return (x.with_shape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])),)


def gather_values(call: OpCall) -> Any:
    """One or several extents of a known vector."""
    known, index = call.constants[0], call.constants[1]
    if known is None or index is None or call.type(0).rank != 1:
        return None
    return known[index] if isinstance(index, int) else tuple(known[i] for i in index)


def infer_split(call: OpCall) -> Sequence[TensorType]:
    """x => as many parts of `axis` as there are outputs: of constant extents, or equal ones.

    Where the extent does not divide, the last part is smaller.
    """
    x, parts = call.type(0), call.outputs
    axis = axis_of(call, call.attributes["axis"], x.rank)
    extent = x.shape[axis]
    if call.has(1):
        extents = extents_of(call, 1)
        if len(extents) != parts or equal(sum(extents[1:], extents[0]), extent) is False:
            raise InferenceError(f"Split cannot cut {x} into {extents} on axis {axis}")
    elif isinstance(extent, int) and call.attributes["num_outputs"] in (None, parts):
        chunk = -(-extent // parts)
        extents = tuple(max(min(chunk, extent - i * chunk), 0) for i in range(parts))
    else:
        raise InferenceError(f"Split cannot cut {x} into {parts} equal parts on axis {axis}")
    return tuple(x.with_shape(_replaced(x.shape, axis, part)) for part in extents)


def infer_pad(call: OpCall) -> Sequence[TensorType]:
    """x, constant pads (all befores, then all afters; negative ones crop) => y (*S + pads)."""
    x = call.type(0)
    if call.has(2) and (call.type(2).dtype != x.dtype or equal(call.type(2).size, 1) is False):
        raise InferenceError(f"Pad takes one number of {x.dtype.value}, not {call.type(2)}")
    shape = list(x.shape)
    for axis, (before, after) in padding(call).items():
        extent = shape[axis]
        if isinstance(extent, int) and max(before, after) > _most(call.attributes["mode"], extent):
            raise InferenceError(f"Pad cannot add {before} and {after} to an extent of {extent}")
        padded = extent + before + after
        if isinstance(padded, int) and padded < 0:
            raise InferenceError(f"Pad cannot crop an extent of {extent} to {padded}")
        shape[axis] = padded
    return (x.with_shape(shape),)


def _most(mode: str, extent: int) -> int:
    """How much a side may gain: a mirror needs that many elements beside the border."""
    return {"reflect": max(extent - 1, 0), "wrap": extent, "edge": END if extent else 0}.get(
        mode, END
    )


def infer_trilu(call: OpCall) -> Sequence[TensorType]:
    """x (*A, M, N), and optionally the diagonal k => y like x, zero beyond the diagonal."""
    x = call.type(0)
    if x.rank < 2:
        raise InferenceError(f"Trilu takes matrices, not {x}")
    if call.has(1) and equal(call.type(1).size, 1) is False:
        raise InferenceError(f"Trilu takes one diagonal, not {call.type(1)}")
    return (x,)


def infer_reverse_sequence(call: OpCall) -> Sequence[TensorType]:
    """x and a length per sample => y like x, the first so many elements of each sample reversed.

    Samples lie on `batch_axis`, their elements on `time_axis`; these are the first two axes.
    """
    x, lengths = call.type(0), call.type(1)
    batch, time = call.attributes["batch_axis"], call.attributes["time_axis"]
    if x.rank < 2 or {batch, time} != {0, 1}:
        raise InferenceError(f"ReverseSequence cannot reverse {x} on axis {time} for axis {batch}")
    if lengths.rank != 1 or equal(lengths.shape[0], x.shape[batch]) is False:
        raise InferenceError(f"ReverseSequence needs a length per sample of {x}, not {lengths}")
    most = x.shape[time]
    for number in numbers_of(call.constants[1]):
        if isinstance(most, int) and not 0 <= number <= most:
            raise InferenceError(f"ReverseSequence needs lengths from 0 to {most}, not {number}")
    return (x,)


def reverse_at_least_one(
    build: "Builder", operands: "Sequence[Value | None]", call: OpCall
) -> "Sequence[Value] | None":
    """Gives ReverseSequence lengths of 1 for 0, of which onnxruntime before 1.32 yields zeros."""
    x, lengths = operands
    assert lengths is not None
    known = call.constants[1]
    if known is not None and 0 not in known:
        return None
    none = build.Equal(lengths, build.constant(0, lengths.dtype))
    lengths = build.Where(none, build.constant(1, lengths.dtype), lengths)
    return build.op(call.op_type, (x, lengths), call.attributes)


def _replaced(shape: Shape, axis: int, extent: Dim) -> Shape:
    return (*shape[:axis], extent, *shape[axis + 1 :])


defop("Slice", infer=infer_slice, cost=free, known=slice_values, vjp=RULES["Slice"])
defop(
    "Gather",
    infer=infer_gather,
    cost=free,
    attributes={"axis": 0},
    known=gather_values,
    vjp=RULES["Gather"],
)
defop(
    "Split",
    infer=infer_split,
    cost=free,
    attributes={"axis": 0, "num_outputs": None},
    vjp=RULES["Split"],
)
defop("Pad", infer=infer_pad, cost=free, attributes={"mode": "constant"}, vjp=RULES["Pad"])
defop("Trilu", infer=infer_trilu, cost=free, attributes={"upper": 1}, vjp=RULES["Trilu"])
defop(
    "ReverseSequence",
    infer=infer_reverse_sequence,
    cost=free,
    attributes={"batch_axis": 1, "time_axis": 0},
    decompose=reverse_at_least_one,
    vjp=RULES["ReverseSequence"],
)
