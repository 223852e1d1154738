"""What rules build with: numbers of a type, extents as values, sums that undo broadcasting."""

from collections.abc import Sequence
from math import prod

from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Value
from .cuts import END

AxisExtent = int | tuple[Value, int]


def shape_value(build: Builder, x: Value) -> Value:
    """x's extents as a vector: a constant where all are known, else `Shape`."""
    known = tuple(dim for dim in x.shape if isinstance(dim, int))
    return build.index_constant(known) if len(known) == len(x.shape) else build.Shape(x)


def by_group(build: Builder, x: Value, groups: int) -> Value:
    """The extents (N, groups, C / groups, *S) of x (N, C, *S); a batch may be empty."""
    channels = x.shape[1]
    head = (0, groups, channels // groups if isinstance(channels, int) else -1)
    positions = tuple(dim for dim in x.shape[2:] if isinstance(dim, int))
    if len(positions) == len(x.shape) - 2:
        return build.index_constant((*head, *positions))
    # onnxruntime writes -1 for an open extent at the end of a Concat that a Reshape reads, which
    # an empty batch leaves undefined; after a Slice it does not.
    longer = build.Concat(build.index_constant((1, *head)), build.Shape(x, start=2), axis=0)
    return build.Slice(longer, build.index_constant((1,)), build.index_constant((END,)))


def count(build: Builder, x: Value, axes: Sequence[int]) -> Value:
    """How many elements x's axes hold, as a scalar of its element type."""
    known = [dim for dim in (x.shape[axis] for axis in axes) if isinstance(dim, int)]
    if len(known) == len(axes):
        return number(build, float(prod(known)), x)
    extents = build.Gather(build.Shape(x), build.index_constant(tuple(axes)), axis=0)
    return build.Cast(build.ReduceProd(extents, keepdims=0), to=x.dtype)


def number(build: Builder, value: float, like: Value) -> Value:
    """A scalar constant of the element type of `like`."""
    return build.constant(value, like.dtype)


def times(build: Builder, x: Value, factor: float) -> Value:
    """A number times x."""
    return build.Mul(x, number(build, factor, x))


def plus(build: Builder, x: Value, term: float) -> Value:
    """x plus a number."""
    return build.Add(x, number(build, term, x))


def indicator(build: Builder, condition: Value, like: Value) -> Value:
    """1 where a condition holds, else 0, of the element type of `like`."""
    return build.Cast(condition, to=like.dtype)


def zeros_like(build: Builder, x: Value) -> Value:
    """Zeros of x's type."""
    return build.Expand(number(build, 0.0, x), shape_value(build, x))


def reshape_like(build: Builder, y: Value, x: Value) -> Value:
    """y's elements in x's shape; the batch is left to the engine where it alone is symbolic."""
    if y.shape == x.shape:
        return y
    open_extents = [dim for dim in x.shape if not isinstance(dim, int)]
    if len(open_extents) > 1 or 0 in x.shape:
        return build.Reshape(y, shape_value(build, x), allowzero=1)
    target = tuple(dim if isinstance(dim, int) else -1 for dim in x.shape)
    return build.Reshape(y, build.index_constant(target))


def extent(x: Value, axis: int) -> AxisExtent:
    """An extent of x for `vector`: the number, or where it is to be read."""
    dim: Dim = x.shape[axis]
    return dim if isinstance(dim, int) else (x, axis % len(x.shape))


def vector(build: Builder, extents: Sequence[AxisExtent]) -> Value:
    """Extents as a vector: a constant where all are known, else joined as the engine runs."""
    known = tuple(e for e in extents if isinstance(e, int))
    if len(known) == len(extents):
        return build.index_constant(known)
    parts = [
        build.index_constant((e,))
        if isinstance(e, int)
        else build.Shape(e[0], start=e[1], end=e[1] + 1)
        for e in extents
    ]
    return build.op("Concat", parts, {"axis": 0})[0]


def sum_to(build: Builder, dy: Value, x: Value) -> Value:
    """Sum a gradient over the axes along which x was broadcast, so that it has x's shape."""
    if dy.shape == x.shape:
        return dy
    added = len(dy.shape) - len(x.shape)
    axes = tuple(
        axis
        for axis, extent in enumerate(dy.shape)
        if axis < added or (x.shape[axis - added] == 1 and extent != 1)
    )
    if axes == tuple(range(added)):
        return build.ReduceSum(dy, build.index_constant(axes), keepdims=0) if axes else dy
    if axes:
        dy = build.ReduceSum(dy, build.index_constant(axes), keepdims=1)
    return build.Reshape(dy, shape_value(build, x)) if added else dy
