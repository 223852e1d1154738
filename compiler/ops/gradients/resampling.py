"""Gradients of interpolation, and of channels that move into space: both are linear."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ...builder import Builder
from ...graph import Value
from ...opdef import Vjp, VjpCall
from ...types import DType
from .shapes import number
from .shaping import Extent, extent, reshape_like, vector

Parts = Sequence[Value | None]


def resize(build: Builder, call: VjpCall) -> Parts:
    """y = M x along each axis that changes: dx = MT dy."""
    x, dx = call.input(0), call.cotangent
    scales = _scales(build, call)
    for axis, scale in enumerate(scales):
        if scale == 1 or (scale is None and x.shape[axis] == dx.shape[axis]):
            continue
        factor = _factor(x, axis, dx, scale)
        if factor is not None and _repeats(call.attributes, factor):
            dx = _summed(build, dx, x, axis, factor)
        else:
            matrix = _matrix(build, x, dx, axis, scale, call.attributes)
            dx = _multiplied(build, matrix, dx, axis)
    return [dx]


def _scales(build: Builder, call: VjpCall) -> Sequence[float | None]:
    """Each axis's scale, or None where extents tell it."""
    rank, axes = len(call.input(0).shape), call.attributes["axes"]
    if not _given(call, 2):
        return (None,) * rank
    places = [axis % rank for axis in (range(rank) if axes is None else axes)]
    known = dict(zip(places, build.known(call.input(2)), strict=True))
    return [known.get(axis, 1.0) for axis in range(rank)]


def _given(call: VjpCall, index: int) -> bool:
    return index < len(call.inputs) and call.inputs[index] is not None


def _factor(x: Value, axis: int, y: Value, scale: float | None) -> int | None:
    """By how much an axis grows, where that is a whole number."""
    if scale is not None:
        exact = Fraction(scale)
        return exact.numerator if exact.denominator == 1 else None
    before, after = x.shape[axis], y.shape[axis]
    if not isinstance(before, int) or not isinstance(after, int) or not before:
        return None
    return after // before if after % before == 0 else None


def _repeats(attributes: Mapping[str, Any], factor: int) -> bool:
    """Whether every element is repeated so many times, and nothing else."""
    if attributes["mode"] != "nearest":
        return False
    place = attributes["coordinate_transformation_mode"], attributes["nearest_mode"]
    return place == ("asymmetric", "floor") or (
        place[0] == "half_pixel" and place[1].startswith("round")
    )


def _summed(build: Builder, dy: Value, x: Value, axis: int, factor: int) -> Value:
    """Sums of as many neighbours as each element was repeated."""
    extents = [extent(dy, i) for i in range(len(dy.shape))]
    extents[axis : axis + 1] = [extent(x, axis), factor]
    column = build.Reshape(dy, vector(build, extents))
    return build.ReduceSum(column, build.index_constant((axis + 1,)), keepdims=0)


def _matrix(
    build: Builder,
    x: Value,
    y: Value,
    axis: int,
    scale: float | None,
    attributes: Mapping[str, Any],
) -> Value:
    """MT (before, after): what interpolation makes of the rows of a unit matrix."""
    before = extent(x, axis)
    attributes = {**attributes, "axes": None}
    ones = build.Expand(number(build, 1.0, x), vector(build, [before, before]))
    unit = build.Trilu(build.Trilu(ones, upper=1), upper=0)
    if scale is not None:
        scales = build.constant((1.0, scale), DType.FLOAT32)
        return build.Resize(unit, None, scales, **attributes)
    sizes = vector(build, [before, extent(y, axis)])
    return build.Resize(unit, None, None, sizes, **attributes)


def _multiplied(build: Builder, matrix: Value, dy: Value, axis: int) -> Value:
    """matrix (before, after) times dy (..., after, ...) along an axis."""
    last = len(dy.shape) - 1
    if axis == last:
        return build.MatMul(dy, build.Transpose(matrix, perm=(1, 0)))
    if axis == last - 1:
        return build.MatMul(matrix, dy)
    perm = [i for i in range(last + 1) if i != axis] + [axis]
    moved = _multiplied(build, matrix, build.Transpose(dy, perm=tuple(perm)), last)
    return build.Transpose(moved, perm=tuple(map(perm.index, range(last + 1))))


def depth_to_space(build: Builder, call: VjpCall) -> Parts:
    """Blocks of channels as blocks of space: back to channels in the same order."""
    x, dy, block = call.input(0), call.cotangent, call.attributes["blocksize"]
    height, width = (extent(x, axis) for axis in (2, 3))
    kept = extent(dy, 1)
    batch: Extent = 0
    blocks = vector(build, [batch, kept, height, block, width, block])
    apart = build.Reshape(dy, blocks)
    order = (0, 1, 3, 5, 2, 4) if call.attributes["mode"] == "CRD" else (0, 3, 5, 1, 2, 4)
    return [reshape_like(build, build.Transpose(apart, perm=order), x)]


RULES: Mapping[str, Vjp] = {"DepthToSpace": depth_to_space, "Resize": resize}
