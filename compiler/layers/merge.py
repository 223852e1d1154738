"""Merges: layers that take the tensors of parallel branches.

Extents of 1 broadcast, and a vector aligns with the channels of a sequence, image or volume.
"""

from collections.abc import Sequence
from itertools import groupby

from ..ir.dim import Dim
from ..ir.graph import Value
from ..ir.types import BroadcastError, Shape, broadcast
from .activation import channel_axis
from .axes import AxisName, placed_axis
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import describe

NUMBER_WORDS = {2: "two", 3: "three"}


@layer("ADD")
def add(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The sum of the branches (ONNX `Add`)."""
    return folded(build, "Add", xs)


@layer("MUL")
def multiply(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The product of the branches, element by element (ONNX `Mul`)."""
    return folded(build, "Mul", xs)


@layer("SUB")
def subtract(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The first branch less the second (ONNX `Sub`)."""
    return folded(build, "Sub", _two(build, xs))


@layer("MAX")
def maximum(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The largest of the branches at each element (ONNX `Max`)."""
    return build.op("Max", aligned(build, xs))[0]


@layer("MEAN")
def mean(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The mean of the branches at each element (ONNX `Mean`)."""
    return build.op("Mean", aligned(build, xs))[0]


@layer("DOT")
def dot(build: LayerBuilder, xs: Sequence[Value]) -> Value:
    """The dot product of two branches over the channels (ONNX `Mul`, `ReduceSum`).

    Two vectors give one number, anything else one channel at every position.
    """
    a, b = aligned(build, _two(build, xs))
    product = build.Mul(a, b)
    axes = build.index_constant((channel_axis(product),))
    return build.ReduceSum(product, axes, keepdims=1)


@layer("CONCAT", counts="axis", choice="axis")
def concat(build: LayerBuilder, xs: Sequence[Value], *, axis: AxisName = "channels") -> Value:
    """The branches side by side on the channels, or on another axis (ONNX `Concat`).

    Along the other axes extents of 1 repeat (ONNX `Expand`), as the batch of a `PARAM` does.
    """
    parts = _of_one_rank(build, _of_one_type(build, xs))
    first = parts[0]
    place = channel_axis(first) if axis == "channels" else placed_axis(build, first, axis)
    shared = [(*x.shape[:place], *x.shape[place + 1 :]) for x in parts]
    try:
        common = broadcast(shared)
    except BroadcastError:
        rule = f"all extents but the {_name(axis)} must agree"
        raise unmergeable(build, xs, rule) from None
    parts = [_repeated(build, x, parts, common, place) for x in parts]
    return build.op("Concat", parts, {"axis": place})[0]


def folded(build: LayerBuilder, op_type: str, xs: Sequence[Value]) -> Value:
    """A binary operator over the branches from left to right, with the language's broadcasting."""
    total, *others = aligned(build, xs)
    for x in others:
        total = build.op(op_type, (total, x))[0]
    return total


def aligned(build: LayerBuilder, xs: Sequence[Value]) -> list[Value]:
    """The branches in shapes that broadcast.

    Raises:
        NetError: E202, they do not, or are not all real numbers of one type.
    """
    for x in xs:
        if not x.dtype.is_float:
            raise unmergeable(build, xs, "it needs real numbers")
    parts = _of_one_rank(build, _of_one_type(build, xs))
    try:
        broadcast([x.shape for x in parts])
    except BroadcastError:
        raise unmergeable(build, xs, "extents must agree or be 1") from None
    return parts


def _of_one_type(build: LayerBuilder, xs: Sequence[Value]) -> Sequence[Value]:
    if len({x.dtype for x in xs}) > 1:
        names = " and ".join(dict.fromkeys(x.dtype.value for x in xs))
        raise unmergeable(build, xs, f"elements are of {names}")
    return xs


def _of_one_rank(build: LayerBuilder, xs: Sequence[Value]) -> list[Value]:
    """The branches with one number of axes: vectors gain axes of 1 around their channels."""
    rank = max(2, *(x.type.rank for x in xs))
    if any(2 < x.type.rank < rank for x in xs):
        raise unmergeable(build, xs, "only a vector broadcasts to a tensor of higher rank")
    return [_widened(build, x, rank) for x in xs]


def _widened(build: LayerBuilder, x: Value, rank: int) -> Value:
    """A vector (N, C) as (N, 1, C) beside a sequence, as (N, C, 1, ...) beside an image.

    One number for each sample, (N), stands for a vector of 1.
    """
    if x.type.rank == rank:
        return x
    if x.type.rank == 1:
        x = build.Reshape(x, build.index_constant((0, 1)))
    if rank <= 2:
        return x
    channels = x.shape[1] if isinstance(x.shape[1], int) else -1
    shape = (0, 1, channels) if rank == 3 else (0, channels, *(1,) * (rank - 2))
    return build.Reshape(x, build.index_constant(shape))


def _repeated(
    build: LayerBuilder, x: Value, parts: Sequence[Value], common: Shape, place: int
) -> Value:
    """`x` with its extents of 1 repeated to the common ones, but for those on axis `place`."""
    wanted = [*common[:place], 1, *common[place:]]
    target = [extent if own == 1 else 1 for own, extent in zip(x.shape, wanted, strict=True)]
    if all(extent == 1 for extent in target):
        return x
    return build.Expand(x, _shape(build, parts, target))


def _shape(build: LayerBuilder, parts: Sequence[Value], target: Sequence[Dim]) -> Value:
    """Extents as a vector; symbolic ones are read off a part that has them."""
    pieces: list[Value] = []
    for symbolic, run in groupby(enumerate(target), lambda place: not isinstance(place[1], int)):
        if not symbolic:
            pieces.append(build.index_constant(tuple(extent for _, extent in run)))
            continue
        for axis, extent in run:
            source = next(x for x in parts if x.shape[axis] == extent)
            pieces.append(build.Shape(source, start=axis, end=axis + 1))
    return build.Concat(*pieces, axis=0) if len(pieces) > 1 else pieces[0]


def _two(build: LayerBuilder, xs: Sequence[Value]) -> Sequence[Value]:
    if len(xs) != 2:
        raise unmergeable(
            build, xs, f"it takes two branches, not {NUMBER_WORDS.get(len(xs), len(xs))}"
        )
    return xs


def _name(axis: int | str) -> str:
    return axis if isinstance(axis, str) else f"axis {axis}"


def unmergeable(build: LayerBuilder, xs: Sequence[Value], rule: str) -> Exception:
    """An error that names each branch's size and the layer it comes from."""
    sizes = " and ".join(map(describe, xs))
    mixed = len({x.dtype for x in xs}) > 1
    notes = [f"branch {i} is {_origin(build, x, typed=mixed)}" for i, x in enumerate(xs, start=1)]
    return build.fail("E202", f"cannot merge {sizes}: {rule}", notes=notes)


def _origin(build: LayerBuilder, x: Value, *, typed: bool) -> str:
    """A tensor, its element type where that matters, and the layer that it comes from."""
    size = f"{describe(x)} of {x.dtype.value}" if typed and x.dtype.is_float else describe(x)
    scope = build.graph.producer(x).scope
    return f"{size} from `{scope}`" if scope else size
