"""Layers that enlarge images and shuffle channels; none has weights."""

from typing import Literal

from ..expressions.arguments import PerAxis, Positive
from ..ir.graph import Value
from ..ir.types import DType
from .activation import channel_axis
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import as_before, channels_first, describe, per_axis

MAX_FACTOR = 2**24  # ONNX states scales in float32, which is exact up to here

RESIZE = {
    "nearest": {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    },
    "linear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
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
