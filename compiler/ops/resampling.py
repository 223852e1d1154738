"""Operators that change an image's extents by interpolation or by moving channels: all linear."""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ..ir.builder import Builder
from ..ir.dim import Dim, equal, unknown
from ..ir.graph import Node, Value
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import DType, TensorType
from .building import AxisExtent, extent, number, reshape_like, vector
from .cuts import UnknownValueError, are_known, known_value
from .opdef import Cost, Cotangents, Moves, OpDef, VjpCall, define, free
from .receptive_field import Field, Slide, slid

# How many neighbours along an axis interpolation weighs.
NEIGHBOURS = {"nearest": 1, "linear": 2, "cubic": 4}

CROP = "tf_crop_and_resize"
POLICY, STRETCH = "keep_aspect_ratio_policy", "stretch"
# Of the scales of all axes, the one that all get.
POLICIES: Mapping[str, Callable[[Iterable[Fraction]], Fraction]] = {
    "not_larger": min,
    "not_smaller": max,
}


class ResizedAxis(NamedTuple):
    """What becomes of an axis: its extent, and the scale where it is known."""

    after: Dim
    scale: Fraction | None


def infer_resize(call: OpCall) -> Sequence[TensorType]:
    """x (*S), a region of it that a mode crops, scales or sizes => y (*floor(S scale)).

    Where scales or sizes are unknown, the extents of these axes are, too.
    """
    x, axes = call.type(0), call.attributes["axes"]
    crops = call.attributes["coordinate_transformation_mode"] == CROP
    if sum(map(call.has, (2, 3))) != 1 or (crops and not call.has(1)):
        raise InferenceError("Resize needs either scales or sizes, and a region where it crops")
    given = call.vector(2 if call.has(2) else 3)
    if given is None or (crops and call.has(2) and not are_known(call, 1)):
        open_axes = [axis % x.rank for axis in (range(x.rank) if axes is None else axes)]
        return (x.with_shape(unknown() if i in open_axes else e for i, e in enumerate(x.shape)),)
    if len(given) != (x.rank if axes is None else len(axes)):
        raise InferenceError(f"Resize needs scales or sizes, one per axis of {x}")
    if any(isinstance(number, int | float) and number <= 0 for number in given):
        raise InferenceError(f"Resize needs scales or sizes above 0, not {given}")
    scales, sizes = (given, None) if call.has(2) else (None, given)
    region = call.vector(1) if crops else None
    changes = changes_of(x.shape, scales, sizes, axes, region, call.attributes[POLICY])
    shape = tuple(changes[i].after if i in changes else e for i, e in enumerate(x.shape))
    if x.rank > 2 and sizes is not None and equal(shape[0], x.shape[0]) is False:
        raise InferenceError(f"Resize cannot change the batch of {x} to {shape[0]}")
    return (x.with_shape(shape),)


def changes_of(
    shape: Sequence[Dim],
    scales: Sequence[float] | None,
    sizes: Sequence[Dim] | None,
    axes: Sequence[int] | None,
    region: Sequence[float] | None = None,
    policy: str = STRETCH,
) -> Mapping[int, ResizedAxis]:
    """What becomes of each axis that scales or sizes are given for, by `axes` or else in order.

    Args:
        shape: The extents before.
        scales: By how much axes grow, or None.
        sizes: What their extents become, or None.
        axes: Which axes; all where it is None.
        region: Of what share of each axis scales are meant: all starts, then all ends.
        policy: `not_larger` and `not_smaller` scale all axes alike, so that no size is exceeded, or
            none missed.
    """
    rank = len(shape)
    places = [axis % rank for axis in (range(rank) if axes is None else axes)]
    if len(set(places)) < len(places) or not all(-rank <= axis < rank for axis in axes or ()):
        raise InferenceError(f"Resize needs axes within {rank}, not {axes}")
    if sizes is None:
        factors = [Fraction(_single(scale)) for scale in scales or ()]
        starts, ends = (
            region[: len(places)] if region else [0] * len(places),
            region[len(places) :] if region else [1] * len(places),
        )
        shares = [Fraction(end) - Fraction(start) for start, end in zip(starts, ends, strict=True)]
        return {
            i: ResizedAxis(_scaled(shape[i], f * share), f)
            for i, f, share in zip(places, factors, shares, strict=True)
        }
    ratios = [_ratio(n, shape[i]) for i, n in zip(places, sizes, strict=True)]
    if policy != STRETCH and None not in ratios:
        scale = POLICIES[policy](ratio for ratio in ratios if ratio is not None)
        return {i: ResizedAxis(_scaled(shape[i], scale, Fraction(1, 2)), scale) for i in places}
    return {i: ResizedAxis(n, r) for i, n, r in zip(places, sizes, ratios, strict=True)}


def _single(number: float) -> float:
    """A number in single precision, in which ONNX has scales."""
    (rounded,) = struct.unpack("f", struct.pack("f", number))
    return float(rounded)


def _ratio(after: Dim, before: Dim) -> Fraction | None:
    if isinstance(after, int) and isinstance(before, int) and before:
        return Fraction(after, before)
    return None


def _scaled(extent: Dim, scale: Fraction, plus: Fraction = Fraction(0)) -> Dim:
    """floor(extent scale + plus)."""
    denominator = scale.denominator * plus.denominator
    shift = plus.numerator * scale.denominator
    return (extent * scale.numerator * plus.denominator + shift) // denominator


def resize_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Copying is free; interpolation takes one operation per neighbour: 2 or 4 per axis."""
    (y,) = outputs
    if call.attributes["mode"] == "nearest":
        return Cost()
    changed = sum(a != b for a, b in zip(call.type(0).shape, y.shape, strict=True))
    return Cost(elementwise=y.size * NEIGHBOURS[call.attributes["mode"]] ** changed)


def resize(build: Builder, call: VjpCall) -> Cotangents:
    """y = M x along each axis that changes: dx = MT dy."""
    x, dx = call.input(0), call.cotangent
    scales = _scales(build, call)
    for axis, scale in enumerate(scales):
        if scale == 1 or (scale is None and x.shape[axis] == dx.shape[axis]):
            continue
        factor = _factor(x, axis, dx, scale)
        if factor is not None and _repeats(call.attributes):
            dx = _summed(build, dx, x, axis, factor)
        else:
            matrix = _matrix(build, x, dx, axis, scale, _on_axis(build, call, axis))
            dx = _multiplied(build, matrix, dx, axis)
    return [dx]


def _scales(build: Builder, call: VjpCall) -> Sequence[float | None]:
    """Each axis's scale, or None where extents determine it."""
    rank = len(call.input(0).shape)
    if call.optional(2) is None:
        if call.attributes[POLICY] != STRETCH:
            raise UnknownValueError("Resize has a gradient where each axis is scaled by itself")
        return (None,) * rank
    known = dict(zip(_places(call), known_value(build, call, 2), strict=True))
    return [known.get(axis, 1.0) for axis in range(rank)]


def _places(call: VjpCall) -> list[int]:
    """The axes that arguments speak of."""
    rank, axes = len(call.input(0).shape), call.attributes["axes"]
    return [axis % rank for axis in (range(rank) if axes is None else axes)]


class OnAxis(NamedTuple):
    """How an axis is interpolated, for the second axis of a matrix.

    Attributes:
        attributes: Those of `Resize`.
        region: The region of a mode that crops.
    """

    attributes: Mapping[str, Any]
    region: Value | None


def _on_axis(build: Builder, call: VjpCall, axis: int) -> OnAxis:
    attributes = {**call.attributes, "axes": None, POLICY: STRETCH, "extrapolation_value": 0.0}
    if attributes["coordinate_transformation_mode"] != CROP:
        return OnAxis(attributes, None)
    region, place = known_value(build, call, 1), _places(call).index(axis)
    start, end = region[place], region[len(region) // 2 + place]
    return OnAxis(attributes, build.constant((0.0, float(start), 1.0, float(end)), DType.FLOAT32))


def _factor(x: Value, axis: int, y: Value, scale: float | None) -> int | None:
    """By how much an axis grows, where that is a whole number."""
    if scale is not None:
        exact = Fraction(scale)
        return exact.numerator if exact.denominator == 1 else None
    before, after = x.shape[axis], y.shape[axis]
    if not isinstance(before, int) or not isinstance(after, int) or not before:
        return None
    return after // before if after % before == 0 else None


def _repeats(attributes: Mapping[str, Any]) -> bool:
    """Whether every element is repeated as often as the scale says, and nothing else."""
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
    how: OnAxis,
) -> Value:
    """MT (before, after): what interpolation makes of the rows of a unit matrix."""
    before = extent(x, axis)
    ones = build.Expand(number(build, 1.0, x), vector(build, [before, before]))
    unit = build.Trilu(build.Trilu(ones, upper=1), upper=0)
    if scale is not None:
        scales = build.constant((1.0, scale), DType.FLOAT32)
        return build.Resize(unit, how.region, scales, **how.attributes)
    sizes = vector(build, [before, extent(y, axis)])
    return build.Resize(unit, how.region, None, sizes, **how.attributes)


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


def resized(node: Node, operands: Sequence[Field]) -> Field:
    """Interpolation between neighbours; j is divided by the scale."""
    x, (y,) = node.input(0), node.outputs
    reach = NEIGHBOURS[node.attributes["mode"]]
    scales = [_growth(after, before) for after, before in zip(y.shape, x.shape, strict=True)]
    slides = {axis: Slide(reach, 1 / scale) for axis, scale in enumerate(scales) if scale != 1}
    return tuple(slid(axis, slides) for axis in operands[0])


def _growth(after: Dim, before: Dim) -> Fraction:
    """How often one extent goes into another; 1 where they are unknown."""
    sizes = [d if isinstance(d, int) else sum(c for _, c in d.terms) for d in (after, before)]
    return Fraction(*sizes) if all(size > 0 for size in sizes) else Fraction(1)


def infer_depth_to_space(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, H, W), blocks b x b => y (N, C / b^2, H b, W b)."""
    x, block = call.type(0), call.attributes["blocksize"]
    channels = x.shape[1] if x.rank == 4 else 1
    if not isinstance(channels, int) or channels % block**2:
        raise InferenceError(f"DepthToSpace cannot spread {x} over blocks of {block}x{block}")
    n, _, h, w = x.shape
    return (x.with_shape((n, channels // block**2, h * block, w * block)),)


def depth_to_space(build: Builder, call: VjpCall) -> Cotangents:
    """Blocks of channels as blocks of space: back to channels in the same order."""
    x, dy, block = call.input(0), call.cotangent, call.attributes["blocksize"]
    height, width = (extent(x, axis) for axis in (2, 3))
    kept = extent(dy, 1)
    batch: AxisExtent = 0
    blocks = vector(build, [batch, kept, height, block, width, block])
    apart = build.Reshape(dy, blocks)
    order = (0, 1, 3, 5, 2, 4) if call.attributes["mode"] == "CRD" else (0, 3, 5, 1, 2, 4)
    return [reshape_like(build, build.Transpose(apart, perm=order), x)]


def spread_over_blocks(node: Node, operands: Sequence[Field]) -> Field:
    """Elements of a block see the same; j is divided by the block's side."""
    slide = Slide(1, Fraction(1, node.attributes["blocksize"]))
    return tuple(slid(axis, {2: slide, 3: slide}) for axis in operands[0])


def infer_space_to_depth(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, H, W), blocks b x b => y (N, C b^2, H / b, W / b)."""
    x, block = call.type(0), call.attributes["blocksize"]
    if x.rank != 4 or block < 1 or any(isinstance(e, int) and e % block for e in x.shape[2:]):
        raise InferenceError(f"SpaceToDepth cannot stack blocks of {block}x{block} of {x}")
    n, c, h, w = x.shape
    return (x.with_shape((n, c * block**2, h // block, w // block)),)


def space_to_depth(build: Builder, call: VjpCall) -> Cotangents:
    """Blocks of space as channels: back to blocks."""
    block, mode = call.attributes["blocksize"], call.attributes["mode"] or "DCR"
    return [build.DepthToSpace(call.cotangent, blocksize=block, mode=mode)]


def seen_in_blocks(node: Node, operands: Sequence[Field]) -> Field:
    """An element sees one place of a block; j is multiplied by the block's side."""
    slide = Slide(1, node.attributes["blocksize"])
    return tuple(slid(axis, {2: slide, 3: slide}) for axis in operands[0])


define(
    OpDef(
        "Resize",
        19,
        infer=infer_resize,
        cost=resize_cost,
        sees=resized,
        attributes={
            "mode": "nearest",
            "coordinate_transformation_mode": "half_pixel",
            "nearest_mode": "round_prefer_floor",
            "axes": None,
            "cubic_coeff_a": -0.75,
            "exclude_outside": 0,
            "antialias": 0,
            "keep_aspect_ratio_policy": STRETCH,
            "extrapolation_value": 0.0,
        },
        vjp=resize,
        passes=True,
    ),
    OpDef(
        "DepthToSpace",
        13,
        infer=infer_depth_to_space,
        cost=free,
        sees=spread_over_blocks,
        attributes={"blocksize": REQUIRED, "mode": "DCR"},
        vjp=depth_to_space,
        passes=True,
    ),
    OpDef(
        "SpaceToDepth",
        13,
        infer=infer_space_to_depth,
        cost=free,
        sees=seen_in_blocks,
        attributes={"blocksize": REQUIRED, "mode": None},  # which opset 28 adds
        vjp=space_to_depth,
        moves=Moves.ALL,
        passes=True,
    ),
)
