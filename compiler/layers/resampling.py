"""Layers that stretch images and shuffle channels; none has weights."""

import struct
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ..expressions.arguments import Flag, Kind, LabelName, PerAxis, Positive, PositiveReal, kind_of
from ..ir.graph import Value
from ..ir.types import DType
from .activation import channel_axis
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import as_before, channels_first, describe, per_axis

MAX_FACTOR = 2**24  # ONNX states scales in float32, which is exact up to here

RESIZE: Mapping[str, Mapping[str, Any]] = {
    "nearest": {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    },
    "linear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
    "cubic": {
        "mode": "cubic",
        "coordinate_transformation_mode": "half_pixel",
        "cubic_coeff_a": -0.75,
    },
}
INTERPOLATIONS = {
    "nearest": "nearest",
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
    "cubic": "cubic",
    "bicubic": "cubic",
}


@layer("UPSAMPLE", size="factor", counts="factor", choice="mode")
def upsample(
    build: LayerBuilder,
    x: Value,
    *,
    factor: PerAxis = 2,
    mode: Literal["nearest", "bilinear", "linear", "trilinear"] = "nearest",
) -> Value:
    """Enlarges every spatial axis by an integer factor (ONNX `Resize`).

    `nearest` repeats; the other three words mean the same, linear interpolation along every axis
    between the centres of elements: PyTorch's `align_corners=False`.
    """
    source = channels_first(build, x)
    factors = per_axis(build, factor, "factor", source.value.type.rank - 2)
    if max(factors) > MAX_FACTOR:
        raise build.fail("E404", f"enlarges at most {MAX_FACTOR:_} times", at="factor")
    scales = build.constant((1.0, 1.0, *map(float, factors)), DType.FLOAT32)
    attributes = RESIZE["nearest" if mode == "nearest" else "linear"]
    y = build.Resize(source.value, None, scales, **attributes)
    return as_before(build, y, source)


def _factors(value: Any) -> float | tuple[float, ...]:
    """A factor above 0, or one per axis."""
    if isinstance(value, list | tuple):
        return tuple(float(POSITIVE.convert(number)) for number in value)
    return float(POSITIVE.convert(value))


POSITIVE = kind_of(PositiveReal)
Factors = Annotated[
    float | tuple[float, ...], Kind("a number above 0, or one per axis as in `(2, 1.5)`", _factors)
]


@layer("RESIZE", size="size", number="factor", choice="mode")
def resize(
    build: LayerBuilder,
    x: Value,
    *,
    size: PerAxis | None = None,
    factor: Factors | None = None,
    like: LabelName | None = None,
    mode: Literal["nearest", "linear", "bilinear", "trilinear", "cubic", "bicubic"] = "nearest",
    align: Flag = False,
    antialias: Flag = False,
) -> Value:
    """Stretches the spatial axes to a size, by a factor, or to a tensor's size (ONNX `Resize`).

    As `torch.nn.functional.interpolate`: `nearest` takes the element at floor(i / factor), the
    others interpolate between the centres of elements or, with `align`, between those of the
    outermost elements, cubic ones with Keys' kernel (Keys 1981) of a = -0.75, or with
    `antialias` -0.5.

    Args:
        build: The builder.
        x: An image, a volume or a sequence.
        size: The spatial extents that are to come out.
        factor: By how much each axis grows, or all; extents are rounded down.
        like: A label of a tensor whose spatial extents are to come out.
        mode: How elements are interpolated; what is linear is so along every axis.
        align: Whether the outermost elements stay where they are.
        antialias: Whether an axis that shrinks is filtered before.
    """
    source = channels_first(build, x)
    rank = source.value.type.rank - 2
    build.only_given(size=size, factor=factor, like=like)
    kind = INTERPOLATIONS[mode]
    if align and kind == "nearest":
        message = "interpolates nothing where `mode` is `nearest`, so `align` says nothing"
        raise build.fail("E106", message, at="align", help="write `mode=linear`")
    attributes = resize_attributes(kind, align, antialias)
    if factor is not None:
        y = build.Resize(source.value, None, _scales(build, source.value, factor), **attributes)
    else:
        spatial = _sizes_like(build, source.value, like) if like else _sizes(build, size, rank)
        kept = build.Shape(source.value, start=0, end=2)
        (sizes,) = build.op("Concat", (kept, spatial), {"axis": 0})
        y = build.Resize(source.value, None, None, sizes, **attributes)
    return as_before(build, y, source)


def _scales(build: LayerBuilder, x: Value, factor: float | tuple[float, ...]) -> Value:
    """The scale of each axis of a tensor (N, C, *S).

    Raises:
        NetError: E201, there are more or fewer than axes, or one is too large; E203, one leaves
            nothing.
    """
    rank = x.type.rank - 2
    factors = factor if isinstance(factor, tuple) else (factor,) * rank
    if len(factors) != rank or max(factors) > MAX_FACTOR:
        message = f"takes {rank} factors up to {MAX_FACTOR:_}"
        raise build.fail("E201", message, at="factor")
    for extent, each in zip(x.shape[2:], factors, strict=True):
        if isinstance(extent, int) and extent * each < 1:
            message = f"leaves nothing of {describe(x)} by a factor of {each:g}"
            raise build.fail("E203", message, at="factor")
    return build.constant((1.0, 1.0, *map(_single_above, factors)), DType.FLOAT32)


def resize_attributes(kind: str, align: bool, antialias: bool) -> dict[str, Any]:
    """What `Resize` is called with by a way to interpolate and the layer's flags."""
    attributes: dict[str, Any] = {**RESIZE[kind]}
    if align:
        attributes["coordinate_transformation_mode"] = "align_corners"
    if antialias:
        attributes |= {"antialias": 1, "exclude_outside": 1}  # weights end with the image
        if kind == "cubic":
            attributes["cubic_coeff_a"] = -0.5
    return attributes


def _single_above(factor: float) -> float:
    """The least number of single precision that is not below, so that 10 times 1.3 is 13."""
    (bits,) = struct.unpack("<I", struct.pack("<f", factor))
    (single,) = struct.unpack("<f", struct.pack("<I", bits))
    if single < factor:
        (single,) = struct.unpack("<f", struct.pack("<I", bits + 1))
    return float(single)


def _sizes(build: LayerBuilder, size: int | tuple[int, ...] | None, rank: int) -> Value:
    return build.index_constant(per_axis(build, size or 1, "size", rank))


def _sizes_like(build: LayerBuilder, x: Value, label: str) -> Value:
    """The spatial extents of the tensor that a label names, for a tensor (N, C, *S).

    Raises:
        NetError: There is none, or it has other axes.
    """
    found = build.find(label)
    if found is None:
        raise build.fail("E101", f"finds no value `{label}`", at="like")
    other = channels_first(build, found).value
    if other.type.rank != x.type.rank:
        message = f"cannot stretch {describe(x)} to the size of `{label}`, {describe(found)}"
        raise build.fail("E201", message, at="like")
    known = tuple(extent for extent in other.shape[2:] if isinstance(extent, int))
    if len(known) == other.type.rank - 2:
        return build.index_constant(known)
    return build.Shape(other, start=2)


@layer("PIXELSHUFFLE", counts="factor")
def pixel_shuffle(build: LayerBuilder, x: Value, *, factor: Positive = 2) -> Value:
    """Moves channels into space (Shi et al. 2016; ONNX `DepthToSpace`, mode `CRD`).

    Channels shrink by the factor per spatial axis, which grows by it; as in PyTorch, the
    channels c r^2 ... (c + 1) r^2 - 1 become an r x r block of channel c.
    """
    source = channels_first(build, x)
    rank = source.value.type.rank - 2
    (channels,) = build.concrete(source.value, (1,))
    block = factor**rank
    if channels % block:
        size = "x".join([str(factor)] * rank)
        raise build.fail(
            "E204",
            f"cannot spread {channels} channels over blocks of {size}: it takes a multiple of "
            f"{block}",
            at="factor",
        )
    if rank == 2:
        return build.DepthToSpace(source.value, blocksize=factor, mode="CRD")
    return as_before(build, _depth_to_space(build, source.value, factor), source)


def _depth_to_space(build: LayerBuilder, x: Value, factor: int) -> Value:
    """`DepthToSpace` for any rank: (N, C r^d, *S) => (N, C, *(S r))."""
    channels, *extents = build.concrete(x, range(1, x.type.rank))
    rank = len(extents)
    kept = channels // factor**rank
    x = build.Reshape(x, build.index_constant((0, kept, *(factor,) * rank, *extents)))
    interleaved = [axis for i in range(rank) for axis in (2 + rank + i, 2 + i)]
    x = build.Transpose(x, perm=(0, 1, *interleaved))
    return build.Reshape(x, build.index_constant((0, kept, *(e * factor for e in extents))))


@layer("CHANNELSHUFFLE", counts="groups")
def channel_shuffle(build: LayerBuilder, x: Value, *, groups: Positive) -> Value:
    """Deals the channels of each group out to all (Zhang et al. 2018, ShuffleNet).

    Channel i of group g becomes channel i * groups + g, as in PyTorch.
    """
    if x.type.rank < 2:
        raise build.fail("E201", f"needs channels, but its input is {describe(x)}")
    axis = channel_axis(x)
    extents = build.concrete(x, range(1, x.type.rank))
    channels = extents[axis - 1]
    if channels % groups:
        raise build.fail(
            "E204", f"cannot split {channels} channels into {groups} groups", at="groups"
        )
    dealt = (*extents[: axis - 1], groups, channels // groups, *extents[axis:])
    perm = list(range(len(dealt) + 1))
    perm[axis], perm[axis + 1] = axis + 1, axis
    y = build.Reshape(x, build.index_constant((0, *dealt)))
    y = build.Transpose(y, perm=tuple(perm))
    return build.Reshape(y, build.index_constant((0, *extents)))
