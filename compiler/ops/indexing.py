"""Operators that pick elements out of a tensor, or put some around it, and compute nothing.

Gradients are the transposed moves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim, Polynomial, equal, is_unknown, unknown
from ..ir.graph import Node, Value, present
from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType
from . import notation
from .building import AxisExtent, extent, number, reshape_like, shape_value, vector, zeros_like
from .cuts import (
    ANY_END,
    END,
    START,
    are_known,
    axis_of,
    check_indices,
    extents_of,
    length_of,
    numbers_of,
    opened,
    padding,
    slices,
)
from .opdef import Cotangents, Moves, OpDef, Operands, Role, VjpCall, define, free
from .receptive_field import Field, elementwise, merged, shifted, throughout


def infer_slice(call: OpCall) -> Sequence[TensorType]:
    """x, starts, ends, axes (default: the first ones), steps (default: 1) => y.

    Indices count from the end where they are negative, and are clamped, as in NumPy. Of axes that
    are cut at unknown places, the extents are unknown.
    """
    x = call.type(0)
    if not are_known(call, 1, 2, 3, 4):
        return (opened(call, 3, first=length_of(call, 1)),)
    shape = list(x.shape)
    for axis, cut in slices(call).items():
        shape[axis] = _kept(x.shape[axis], cut)
    return (x.with_shape(shape),)


def _kept(extent: Dim, cut: slice) -> Dim:
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
    end = END if end >= ANY_END else end
    if start < 0 <= end < END:
        raise InferenceError(f"Slice cannot resolve {start} to {end} on an axis of {extent}")
    origin = extent if start < 0 else 0
    stop = extent if end >= END else (extent + int(end) if end < 0 else int(end))
    return -((origin + start - stop) // step)


def slice_values(call: OpCall) -> Any:
    """A part of a known vector."""
    known = call.known(0)
    if known is None or call.type(0).rank != 1:
        return None
    (cut,) = slices(call).values()
    return known[cut]


def slice_(build: Builder, call: VjpCall) -> Cotangents:
    """y = x[cuts]: dy at the cuts, 0 elsewhere."""
    dx = call.cotangent
    for axis, cut in reversed(slices(build.call("Slice", call.inputs)).items()):
        dx = uncut(build, dx, call.input(0), axis, cut)
    return [dx]


def uncut(build: Builder, dy: Value, x: Value, axis: int, cut: slice) -> Value:
    """dy at the places on an axis that x[cut] takes, and 0 at all others of x's.

    On the other axes it keeps dy's extents.
    """
    size = x.shape[axis]
    if not isinstance(size, int) or isinstance(cut.stop, Polynomial):
        return _uncut_symbolic(build, dy, x, axis, cut)
    taken = range(*cut.indices(size))
    if taken.step < 0:
        dy, taken = _reversed(build, dy, axis), taken[::-1]
    dy = _spaced(build, dy, axis, taken.step)
    end = taken.start + len(taken) * taken.step
    return _padded(build, dy, {axis: (taken.start, size - end)})


def _uncut_symbolic(build: Builder, dy: Value, x: Value, axis: int, cut: slice) -> Value:
    """The same where only the engine knows how much is cut off."""
    if cut.step < 0:
        forward = _uncut_symbolic(build, dy, x, axis, slice(0, END, -cut.step))
        return _reversed(build, forward, axis)
    if cut.step > 1:
        whole = slice(cut.start, cut.stop, 1)
        seen = _cut(build, x, axis, whole.start, whole.stop)
        spaced = cropped(build, _spaced(build, dy, axis, cut.step), seen, [axis])
        return _uncut_symbolic(build, spaced, x, axis, whole)
    parts = [dy]
    if cut.start not in (0, START):
        parts.insert(0, _gap(build, dy, _cut(build, x, axis, 0, cut.start), axis))
    if isinstance(cut.stop, Polynomial):  # too much, and then cropped
        parts.append(_gap(build, dy, x, axis))
        return cropped(build, _joined(build, parts, axis), x, [axis])
    if cut.stop < END:
        parts.append(_gap(build, dy, _cut(build, x, axis, cut.stop, END), axis))
    return _joined(build, parts, axis)


def _gap(build: Builder, dy: Value, like: Value, axis: int) -> Value:
    """Zeros to put next to dy, as many as `like` has on an axis."""
    extents = [extent(like if i == axis else dy, i) for i in range(len(dy.shape))]
    return build.Expand(number(build, 0.0, dy), vector(build, extents))


def _joined(build: Builder, parts: Sequence[Value], axis: int) -> Value:
    return build.op("Concat", parts, {"axis": axis})[0] if len(parts) > 1 else parts[0]


def cropped(build: Builder, y: Value, like: Value, axes: Sequence[int]) -> Value:
    """As much of y, from its start, as `like` has on some axes."""
    if not axes:
        return y
    ends = vector(build, [extent(like, axis) for axis in axes])
    starts = build.index_constant((0,) * len(axes))
    return build.Slice(y, starts, ends, build.index_constant(tuple(axes)))


def _cut(build: Builder, x: Value, axis: int, start: int, stop: int, step: int = 1) -> Value:
    numbers = [(start,), (stop,), (axis,), (step,)]
    return build.Slice(x, *map(build.index_constant, numbers if step != 1 else numbers[:3]))


def _reversed(build: Builder, x: Value, axis: int) -> Value:
    return _cut(build, x, axis, -1, START, -1)


def _spaced(build: Builder, y: Value, axis: int, step: int) -> Value:
    """y with step - 1 zeros after each element of an axis."""
    if step == 1:
        return y
    extents: list[AxisExtent] = [extent(y, i) for i in range(len(y.shape))]
    extents[axis] = -1
    column = build.Unsqueeze(y, build.index_constant((axis + 1,)))
    column = _padded(build, column, {axis + 1: (0, step - 1)})
    return build.Reshape(column, vector(build, extents))


def _padded(build: Builder, y: Value, sides: Mapping[int, tuple[int, int]]) -> Value:
    """y with zeros around it, or cropped where they are negative."""
    changed = {axis: side for axis, side in sides.items() if any(side)}
    if not changed:
        return y
    befores, afters = zip(*changed.values(), strict=True)
    pads = build.index_constant((*befores, *afters))
    return build.Pad(y, pads, None, build.index_constant(tuple(changed)))


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
    known, index = call.known(0), call.known(1)
    if known is None or index is None or call.type(0).rank != 1 or call.type(1).rank > 1:
        return None
    return known[index] if isinstance(index, int) else tuple(known[i] for i in index)


def gather(build: Builder, call: VjpCall) -> Cotangents:
    """y = x[indices] on an axis: dy added up at the indices.

    ScatterND would write whole rows, but onnxruntime runs its sums on several threads that do not
    wait for each other, and loses some of them.
    """
    x, indices, dy = call.input(0), call.input(1), call.cotangent
    axis = call.attributes["axis"] % len(x.shape)
    index = build.known(indices)
    if isinstance(index, int):
        row = build.Unsqueeze(dy, build.index_constant((axis,)))
        return [uncut(build, row, x, axis, slice(index, index + 1 or END, 1))]
    if len(indices.shape) != 1:
        kept: list[AxisExtent] = [extent(x, i) for i in range(len(x.shape))]
        kept[axis] = -1
        dy = build.Reshape(dy, vector(build, kept))
        indices = build.Reshape(indices, build.index_constant((-1,)))
    column = tuple(-1 if i == axis else 1 for i in range(len(x.shape)))
    wide = build.Reshape(indices, build.index_constant(column))
    places = build.Expand(wide, shape_value(build, dy))
    zeros = zeros_like(build, x)
    return [build.ScatterElements(zeros, places, dy, axis=axis, reduction="add")]


def gathered(node: Node, operands: Sequence[Field]) -> Field:
    """Indices carry their places along, and so do the axes that nothing is picked from."""
    x, indices = present(node.inputs)
    at, rank = node.attributes["axis"] % x.type.rank, indices.type.rank
    after = [
        range(a, a + 1) if a < at else range(a + (a > at) * (rank - 1), a + rank)
        for a in range(x.type.rank)
    ]
    kept = tuple(
        replace(axis, places=frozenset(place for a in axis.places for place in after[a]))
        for axis in operands[0]
    )
    return tuple(merged(axes) for axes in zip_longest(kept, shifted(operands[1], at)))


def infer_split(call: OpCall) -> Sequence[TensorType]:
    """x => as many parts of `axis` as there are outputs: of constant extents, or equal ones.

    Where the extent does not divide, the last part is smaller.
    """
    x, parts = call.type(0), call.outputs
    axis = axis_of(call, call.attributes["axis"], x.rank)
    extent = x.shape[axis]
    if call.has(1):
        if are_known(call, 1):
            extents = extents_of(call, 1)
        else:
            extents = tuple(unknown() for _ in range(length_of(call, 1)))
        if len(extents) != parts or equal(sum(extents[1:], extents[0]), extent) is False:
            raise InferenceError(f"Split cannot cut {x} into {extents} on axis {axis}")
    elif call.attributes["num_outputs"] not in (None, parts):
        raise InferenceError(f"Split cannot cut {x} into {parts} equal parts on axis {axis}")
    elif isinstance(extent, int):
        chunk = -(-extent // parts)
        extents = tuple(max(min(chunk, extent - i * chunk), 0) for i in range(parts))
    elif equal(extent // parts * parts, extent) is True:
        extents = (extent // parts,) * parts
    elif is_unknown(extent):
        extents = tuple(unknown() for _ in range(parts))
    else:
        raise InferenceError(f"Split cannot cut {x} into {parts} equal parts on axis {axis}")
    return tuple(x.with_shape((*x.shape[:axis], part, *x.shape[axis + 1 :])) for part in extents)


def split(build: Builder, call: VjpCall) -> Cotangents:
    """Parts of x: their dy side by side, 0 where nothing depends on one."""
    parts = [
        dy or zeros_like(build, y) for y, dy in zip(call.outputs, call.cotangents, strict=True)
    ]
    return [build.op("Concat", parts, {"axis": call.attributes["axis"]})[0]]


def infer_pad(call: OpCall) -> Sequence[TensorType]:
    """x, pads (all befores, then all afters; negative ones crop) => y (*S + pads).

    Of axes whose pads are unknown, the extents are, too.
    """
    x = call.type(0)
    if not are_known(call, 1, 3):
        return (opened(call, 3),)
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


def pad(build: Builder, call: VjpCall) -> Cotangents:
    """Elements around x: dy within them, and of those that repeat an x, dy added to it."""
    dy = call.cotangent
    sides = padding(build.call("Pad", call.inputs, call.attributes))
    fold = FOLDS.get(call.attributes["mode"])
    if fold is not None:
        for axis, (before, after) in sides.items():
            dy = _folded(build, dy, axis, (max(before, 0), max(after, 0)), fold)
        sides = {axis: (min(b, 0), min(a, 0)) for axis, (b, a) in sides.items()}
    dx = _padded(build, dy, {axis: (-b, -a) for axis, (b, a) in sides.items()})
    if len(call.inputs) < 3 or not call.wanted[2]:
        return [dx]
    rest = build.Sub(build.ReduceSum(dy, keepdims=0), build.ReduceSum(dx, keepdims=0))
    return [dx, None, reshape_like(build, rest, call.input(2))]


Fold = Callable[[Builder, Value, int, bool], tuple[Value, slice]]


def _folded(build: Builder, dy: Value, axis: int, sides: tuple[int, int], fold: Fold) -> Value:
    """The middle of dy, with both sides added to what they repeat."""
    before, after = sides
    middle = _cut(build, dy, axis, before, -after or END) if any(sides) else dy
    dx = middle
    for is_before, width in ((True, before), (False, after)):
        if width:
            span = (0, before) if is_before else (-after, END)
            part, places = fold(build, _cut(build, dy, axis, *span), axis, is_before)
            dx = build.Add(dx, uncut(build, part, middle, axis, places))
    return dx


def _reflect(build: Builder, side: Value, axis: int, before: bool) -> tuple[Value, slice]:
    """A mirror beside the border, which is not repeated."""
    width = _width(side, axis)
    places = slice(1, width + 1, 1) if before else slice(-1 - width, -1, 1)
    return _reversed(build, side, axis), places


def _edge(build: Builder, side: Value, axis: int, before: bool) -> tuple[Value, slice]:
    """The border, repeated."""
    total = build.ReduceSum(side, build.index_constant((axis,)), keepdims=1)
    return total, slice(0, 1, 1) if before else slice(-1, END, 1)


def _wrap(build: Builder, side: Value, axis: int, before: bool) -> tuple[Value, slice]:
    """The other end."""
    width = _width(side, axis)
    return side, slice(-width, END, 1) if before else slice(0, width, 1)


def _width(side: Value, axis: int) -> int:
    width = side.shape[axis]
    assert isinstance(width, int)
    return width


FOLDS: Mapping[str, Fold] = {"edge": _edge, "reflect": _reflect, "wrap": _wrap}


def infer_trilu(call: OpCall) -> Sequence[TensorType]:
    """x (*A, M, N), and optionally the diagonal k => y like x, zero beyond the diagonal."""
    x = call.type(0)
    if x.rank < 2:
        raise InferenceError(f"Trilu takes matrices, not {x}")
    if call.has(1) and equal(call.type(1).size, 1) is False:
        raise InferenceError(f"Trilu takes one diagonal, not {call.type(1)}")
    return (x,)


def trilu(build: Builder, call: VjpCall) -> Cotangents:
    """A triangle of x: the same triangle of dy."""
    return [build.Trilu(call.cotangent, *call.inputs[1:], **call.attributes)]


def infer_reverse_sequence(call: OpCall) -> Sequence[TensorType]:
    """x and a length per sample => y like x, with the first elements of each sample reversed.

    Samples lie on `batch_axis`, their elements on `time_axis`; these are the first two axes.
    """
    x, lengths = call.type(0), call.type(1)
    batch, time = call.attributes["batch_axis"], call.attributes["time_axis"]
    if x.rank < 2 or {batch, time} != {0, 1}:
        raise InferenceError(f"ReverseSequence cannot reverse {x} on axis {time} for axis {batch}")
    if lengths.rank != 1 or equal(lengths.shape[0], x.shape[batch]) is False:
        raise InferenceError(f"ReverseSequence needs a length per sample of {x}, not {lengths}")
    most = x.shape[time]
    for length in numbers_of(call.constants[1]):
        if isinstance(most, int) and not 0 <= length <= most:
            raise InferenceError(f"ReverseSequence needs lengths from 0 to {most}, not {length}")
    return (x,)


def reverse_at_least_one(
    build: Builder, operands: Operands, call: OpCall
) -> Sequence[Value] | None:
    """Gives ReverseSequence lengths of 1 for 0, of which onnxruntime before 1.32 yields zeros."""
    x, lengths = present(operands)
    known = call.known(1)
    if known is not None and 0 not in known:
        return None
    none = build.Equal(lengths, build.constant(0, lengths.dtype))
    lengths = build.Where(none, build.constant(1, lengths.dtype), lengths)
    return build.op(call.op_type, (x, lengths), call.attributes)


def reverse_sequence(build: Builder, call: VjpCall) -> Cotangents:
    """Each sample of dy is reversed as that of x was."""
    return [build.ReverseSequence(call.cotangent, call.input(1), **call.attributes)]


define(
    OpDef(
        "Slice",
        13,
        infer=infer_slice,
        cost=free,
        sees=elementwise,
        known=slice_values,
        vjp=slice_,
        moves=Moves.SOME,
    ),
    OpDef(
        "Gather",
        13,
        infer=infer_gather,
        cost=free,
        sees=gathered,
        attributes={"axis": 0},
        known=gather_values,
        vjp=gather,
        moves=Moves.SOME,
        roles=(Role.WEIGHT, Role.OTHER),  # the table of an embedding
        notation=notation.fixed("x[i]", "∑ g at each i"),
    ),
    OpDef(
        "Split",
        18,
        infer=infer_split,
        cost=free,
        sees=elementwise,
        attributes={"axis": 0, "num_outputs": None},
        vjp=split,
        moves=Moves.SOME,
    ),
    OpDef(
        "Pad",
        21,
        infer=infer_pad,
        cost=free,
        sees=elementwise,
        attributes={"mode": "constant"},
        vjp=pad,
    ),
    OpDef(
        "Trilu",
        14,
        infer=infer_trilu,
        cost=free,
        sees=elementwise,
        attributes={"upper": 1},
        vjp=trilu,
    ),
    OpDef(
        "ReverseSequence",
        10,
        infer=infer_reverse_sequence,
        cost=free,
        sees=throughout,
        attributes={"batch_axis": 1, "time_axis": 0},
        vjp=reverse_sequence,
        decompose=reverse_at_least_one,
        moves=Moves.ALL,
    ),
)
