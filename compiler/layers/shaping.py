"""Layers that rearrange the same elements: other extents, or another order of the axes."""

from math import prod
from typing import Annotated, Any

from ..expressions.arguments import Kind, Mismatch, PerAxis, kind_of, spell
from ..ir.dim import equal
from ..ir.graph import Value
from ..ir.types import author_size, product
from .axes import AxisNames, arranged, author_axis, axis_names, axis_places
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import describe

REST = -1  # in a size, the extent that is left over


def _new_size(value: Any) -> int | tuple[int, ...]:
    """A size in which one extent may be -1."""
    extents = value if isinstance(value, tuple) else (value,)
    if extents.count(REST) > 1:
        raise Mismatch("one extent at most is what is left over")
    kind_of(PerAxis).convert(tuple(1 if extent == REST else extent for extent in extents))
    return value if isinstance(value, tuple) else int(value)


NewSize = Annotated[
    int | tuple[int, ...],
    Kind("a size such as `7x7x64`, of which one extent may be `-1`", _new_size),
]


@layer("RESHAPE", size="size", counts="size")
def reshape(build: LayerBuilder, x: Value, *, size: NewSize) -> Value:
    """The same elements in another size (ONNX `Reshape`).

    One number is a vector, two are a sequence of length x channels, three an image, four a
    volume. Elements keep their row-major order, channels first in images and volumes, as PyTorch
    keeps it. Between a sequence and an image or a volume, both count with their channels last, as
    the author writes them: 28x28x1 becomes 28 rows of 28, and positions stay positions where
    their number is the same, as 14x14x768 becomes 196x768, and back. An extent of -1 is what is
    left over, also where inputs alone determine it.
    """
    extents = (size,) if isinstance(size, int) else size
    if len(extents) > 4:
        raise build.fail("E201", "takes at most depth x height x width x channels", at="size")
    found, given = product(x.shape[1:]), prod(e for e in extents if e != REST)
    if REST not in extents and not isinstance(found, int):
        message = f"needs an input with known extents, but its input is {describe(x)}"
        help = f"`{REST}` stands for an extent that is left over, as in `RESHAPE(({REST}, 16))`"
        raise build.fail("E201", message, help=help)
    rest = found // given if REST in extents else 1
    if rest == 0 or not equal(given * rest, found):
        is_whole = REST not in extents
        wanted = "x".join(map(str, extents)) if is_whole else spell(extents)
        elements = f"{given:_} elements" if is_whole else f"a multiple of {given:_} elements"
        count = f"{found:_}" if isinstance(found, int) else found
        message = f"cannot make {wanted} of {describe(x)}: {elements}, not {count}"
        raise build.fail("E103", message, at="size")
    if isinstance(rest, int):
        extents = tuple(rest if extent == REST else extent for extent in extents)
    return _relaid(build, x, extents)


def _relaid(build: LayerBuilder, x: Value, extents: tuple[int, ...]) -> Value:
    """Reshape, in memory's order or, between sequences and images, in the author's."""
    rank, after = x.type.rank, len(extents) + 1
    if rank > 3 and after == 3:
        if x.shape[1] == extents[-1]:  # positions stay positions: PyTorch's `flatten(2)`
            y = build.Reshape(x, build.index_constant((0, extents[-1], extents[0])))
            return build.Transpose(y, perm=(0, 2, 1))
        x = build.Transpose(x, perm=(0, *axis_places(rank)))
    if rank == 3 and after > 3:
        if x.shape[2] == extents[-1]:
            x = build.Transpose(x, perm=(0, 2, 1))
        else:
            y = build.Reshape(x, build.index_constant((0, *extents)))
            return build.Transpose(y, perm=(0, after - 1, *range(1, after - 1)))
    first = (extents[-1], *extents[:-1]) if after > 3 else extents
    return build.Reshape(x, build.index_constant((0, *first)))


@layer("PERMUTE", size="axes", choice="axes")
def permute(build: LayerBuilder, x: Value, *, axes: AxisNames) -> Value:
    """Reorders the axes (ONNX `Transpose`): the output's axis i is the input's axis `axes[i]`.

    Axes are named, or numbered from 0, as the author sees them: without the batch, channels last.
    """
    order = [author_axis(build, x, axis, at="axes") for axis in axes]
    names = axis_names(x)
    if sorted(order) != list(range(len(names))):
        raise build.fail(
            "E103",
            f"needs each axis of {author_size(x.type)} once",
            at="axes",
            help=f"the axes are {', '.join(map(str, names))}",
        )
    places = axis_places(x.type.rank)
    return arranged(build, x, [places[axis] for axis in order])
