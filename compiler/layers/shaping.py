"""Layers that rearrange the same elements: other extents, or another order of the axes."""

from ..expressions.arguments import PerAxis
from ..ir.graph import Value
from ..ir.types import author_size, product
from .axes import AxisNames, arranged, author_axis, axis_names, axis_places
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import describe


@layer("RESHAPE", size="size", counts="size")
def reshape(build: LayerBuilder, x: Value, *, size: PerAxis) -> Value:
    """The same elements in another size (ONNX `Reshape`).

    One number is a vector, two are a sequence of length x channels, three an image, four a
    volume. Elements keep their row-major order, channels first in images and volumes, as PyTorch
    keeps it. Between a sequence and an image or a volume, both count with their channels last, as
    the author writes them: 28x28x1 becomes 28 rows of 28, and positions stay positions where
    their number is the same, as 14x14x768 becomes 196x768, and back.
    """
    extents = (size,) if isinstance(size, int) else size
    if len(extents) > 4:
        raise build.fail("E201", "takes at most depth x height x width x channels", at="size")
    found = product(build.concrete(x, range(1, x.type.rank)))
    if product(extents) != found:
        wanted = "x".join(map(str, extents))
        raise build.fail(
            "E103",
            f"cannot make {wanted} of {describe(x)}: {product(extents):_} elements, not {found:_}",
            at="size",
        )
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
