"""Merges: layers that take the tensors of parallel branches."""

from collections.abc import Sequence

from ..dim import equal
from ..graph import Value
from ..layer_builder import LayerBuilder
from ..layerdef import layer
from ..types import BroadcastError, author_size, broadcast
from .activation import channel_axis


@layer("ADD")
def add(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The sum of the branches (ONNX `Add`); extents of 1 broadcast."""
    return folded(build, "Add", xs)


@layer("CONCAT")
def concat(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The branches side by side on the channels (ONNX `Concat`)."""
    first = xs[0]
    axis = channel_axis(first)
    for other in xs[1:]:
        if other.type.rank != first.type.rank or any(
            equal(a, b) is False and i != axis
            for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True))
        ):
            raise unmergeable(build, xs, "all extents but the channels must agree")
    return build.op("Concat", xs, {"axis": axis})[0]


def folded(build: LayerBuilder, op_type: str, xs: Sequence[Value]) -> Value:
    """A binary operator over the branches from left to right, with the language's broadcasting."""
    aligned = align(build, xs)
    try:
        broadcast([x.shape for x in aligned])
    except BroadcastError:
        raise unmergeable(build, xs, "extents must agree or be 1") from None
    total = aligned[0]
    for x in aligned[1:]:
        total = build.op(op_type, (total, x))[0]
    return total


def align(build: LayerBuilder, xs: Sequence[Value]) -> list[Value]:
    """Vectors beside images gain spatial axes of 1, so that they align with the channels."""
    rank = max(x.type.rank for x in xs)
    if rank < 4:
        return list(xs)
    return [_as_image(build, x, rank) if x.type.rank == 2 else x for x in xs]


def _as_image(build: LayerBuilder, x: Value, rank: int) -> Value:
    (channels,) = build.concrete(x, (1,))
    shape = build.index_constant((0, channels, *(1,) * (rank - 2)))
    return build.Reshape(x, shape)


def unmergeable(build: LayerBuilder, xs: Sequence[Value], rule: str) -> Exception:
    """An error that lists what the branches bring."""
    sizes = " and ".join(author_size(x.type) for x in xs)
    return build.fail("E202", f"cannot merge {sizes}: {rule}")
