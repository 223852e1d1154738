"""Gradients of operators that move data: the same data moved back."""

from collections.abc import Mapping, Sequence

from ...builder import Builder
from ...dim import Dim
from ...graph import Value
from ...opdef import Vjp, VjpCall
from .shapes import number, shape_value, sum_to

Parts = Sequence[Value | None]
Extent = int | tuple[Value, int]


def reshape(build: Builder, call: VjpCall) -> Parts:
    """The elements in another shape: those of dy in x's shape."""
    return [reshape_like(build, call.cotangent, call.input(0))]


def transpose(build: Builder, call: VjpCall) -> Parts:
    """Axis i is x's axis perm[i]: x's axis perm[i] is dy's axis i."""
    perm = call.attributes["perm"]
    return [build.Transpose(call.cotangent, perm=tuple(map(perm.index, range(len(perm)))))]


def concat(build: Builder, call: VjpCall) -> Parts:
    """Parts side by side: each gets its part of dy."""
    parts = [value for value in call.inputs if value is not None]
    axis = call.attributes["axis"]
    if len(parts) == 1:
        return [call.cotangent]
    extents = vector(build, [extent(part, axis) for part in parts])
    return build.op("Split", (call.cotangent, extents), {"axis": axis}, outputs=len(parts))


def split(build: Builder, call: VjpCall) -> Parts:
    """Parts of x: their dy side by side, 0 where nothing depends on one."""
    parts = [
        dy or zeros_like(build, y) for y, dy in zip(call.outputs, call.cotangents, strict=True)
    ]
    return [build.op("Concat", parts, {"axis": call.attributes["axis"]})[0]]


def expand(build: Builder, call: VjpCall) -> Parts:
    """x broadcast: dy summed over what was repeated."""
    return [sum_to(build, call.cotangent, call.input(0))]


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


def extent(x: Value, axis: int) -> Extent:
    """An extent of x for `vector`: the number, or where it is to be read."""
    dim: Dim = x.shape[axis]
    return dim if isinstance(dim, int) else (x, axis % len(x.shape))


def vector(build: Builder, extents: Sequence[Extent]) -> Value:
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


RULES: Mapping[str, Vjp] = {
    "Concat": concat,
    "Expand": expand,
    "Flatten": reshape,
    "Reshape": reshape,
    "Split": split,
    "Squeeze": reshape,
    "Transpose": transpose,
    "Unsqueeze": reshape,
}
