"""Gradients of operators that pick elements, or put some around a tensor: the transposed moves."""

from collections.abc import Callable, Mapping, Sequence

from ...builder import Builder
from ...dim import Polynomial
from ...graph import Value
from ...opdef import Vjp, VjpCall
from ..cuts import END, START, padding, slices
from . import shaping
from .shapes import number, shape_value
from .shaping import extent, reshape_like, vector, zeros_like

Parts = Sequence[Value | None]


def slice_(build: Builder, call: VjpCall) -> Parts:
    """y = x[cuts]: dy at the cuts, 0 elsewhere."""
    dx = call.cotangent
    for axis, cut in reversed(slices(build.call("Slice", call.inputs)).items()):
        dx = uncut(build, dx, call.input(0), axis, cut)
    return [dx]


def gather(build: Builder, call: VjpCall) -> Parts:
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
        kept: list[shaping.Extent] = [extent(x, i) for i in range(len(x.shape))]
        kept[axis] = -1
        dy = build.Reshape(dy, vector(build, kept))
        indices = build.Reshape(indices, build.index_constant((-1,)))
    column = tuple(-1 if i == axis else 1 for i in range(len(x.shape)))
    wide = build.Reshape(indices, build.index_constant(column))
    places = build.Expand(wide, shape_value(build, dy))
    zeros = zeros_like(build, x)
    return [build.ScatterElements(zeros, places, dy, axis=axis, reduction="add")]


def pad(build: Builder, call: VjpCall) -> Parts:
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


def reverse_sequence(build: Builder, call: VjpCall) -> Parts:
    """Each sample of dy is reversed as that of x was."""
    return [build.ReverseSequence(call.cotangent, call.input(1), **call.attributes)]


def trilu(build: Builder, call: VjpCall) -> Parts:
    """A triangle of x: the same triangle of dy."""
    return [build.Trilu(call.cotangent, *call.inputs[1:], **call.attributes)]


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
    extents: list[shaping.Extent] = [extent(y, i) for i in range(len(y.shape))]
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


Fold = Callable[[Builder, Value, int, bool], tuple[Value, slice]]
"""What a side of dy, which is (before or not) x, adds to: the summands, and their places."""


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

RULES: Mapping[str, Vjp] = {
    "Gather": gather,
    "Pad": pad,
    "ReverseSequence": reverse_sequence,
    "Slice": slice_,
    "Split": shaping.split,
    "Trilu": trilu,
}
