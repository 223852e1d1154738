"""Pools over any number of spatial axes; what a window gets goes back to what it saw."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim, equal, unknown
from ..ir.graph import Node, Value
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import DType, Shape, TensorType
from ..ir.windows import Window, window_of
from . import double_precision, notation
from .building import count, extent, number, reshape_like, shape_value, times, vector, zeros_like
from .cuts import length_of
from .double_precision import in_double_precision
from .functions import absolute as sign_of
from .indexing import cropped
from .kinks import chosen
from .opdef import Cost, Cotangents, OpDef, Precision, VjpCall, define, free
from .receptive_field import Field, Slide, everything, slid, window
from .window_attributes import NOT_SET, settle_pool

GEOMETRY = ("kernel_shape", "strides", "pads", "dilations", "ceil_mode")
POOL_ATTRIBUTES = {
    "kernel_shape": REQUIRED,
    "strides": None,
    "pads": None,
    "dilations": None,
    "ceil_mode": 0,
}


def infer_pool(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S) => y (N, C, *windows), and on demand the maxima's flat indices as int64."""
    x = call.type(0)
    y = x.with_shape((*x.shape[:2], *window_of(call.attributes).output(x.shape[2:])))
    return (y, TensorType(DType.INT64, y.shape))[: call.outputs]


def pool_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per element of each window."""
    return Cost(elementwise=outputs[0].size * prod(call.attributes["kernel_shape"]))


def max_pool(build: Builder, call: VjpCall) -> Cotangents:
    """The maximum of each window: dy goes to the first of equal maxima."""
    arguments = (call.input(0), call.outputs[0], call.cotangent)
    return [build.op("netc.MaxPoolGrad", arguments, geometry_of(call))[0]]


def _max_pool_kinks(build: Builder, node: Node, results: Sequence[Value]) -> Sequence[Value]:
    return [build.again(node, node.inputs, outputs=2)[1]]


def average_pool(build: Builder, call: VjpCall) -> Cotangents:
    """The mean of n elements: dy / n to each."""
    x, window = call.input(0), window_of(call.attributes)
    counted = bool(call.attributes["count_include_pad"])
    if all(isinstance(dim, int) for dim in x.shape[2:]):
        dy = _shares(build, call.cotangent, x, window, counted)
    else:
        dy = build.Div(call.cotangent, _counts(build, x, window, counted))
    return [spread(build, dy, x, window)]


def _shares(build: Builder, dy: Value, x: Value, window: Window, counted: bool) -> Value:
    """dy divided by how many elements each window has, axis by axis."""
    for axis, (length, windows) in enumerate(zip(x.shape[2:], dy.shape[2:], strict=True)):
        assert isinstance(length, int)
        assert isinstance(windows, int)
        counts = _elements(window, axis, length, windows, counted)
        if len(set(counts)) == 1:
            dy = times(build, dy, 1.0 / counts[0])
        else:
            depth = window.rank - 1 - axis
            column = tuple(_nested(1.0 / n, depth) for n in counts)
            dy = build.Mul(dy, build.constant(column, dy.dtype))
    return dy


def _elements(window: Window, axis: int, length: int, windows: int, counted: bool) -> list[int]:
    """How many elements, of padding only where it is counted, each window has on an axis."""
    first = -window.before[axis] if counted else 0
    last = length + (window.after[axis] if counted else 0)
    stride, dilation = window.strides[axis], window.dilations[axis]
    starts = [o * stride - window.before[axis] for o in range(windows)]
    taps = [k * dilation for k in range(window.kernel[axis])]
    return [max(sum(first <= start + tap < last for tap in taps), 1) for start in starts]


def _nested(number: float, depth: int) -> Any:
    for _ in range(depth):
        number = (number,)  # type: ignore[assignment]  # tuples of tuples
    return number


def _counts(build: Builder, x: Value, window: Window, counted: bool) -> Value:
    """How many elements each window has, found by a convolution of ones: (1, 1, *windows)."""
    one, spatial = number(build, 1.0, x), range(2, 2 + window.rank)
    extents = vector(build, [1, 1, *(extent(x, axis) for axis in spatial)])
    data = build.Expand(one, extents)
    before, after = window.before, window.after
    if counted and any(window.pads):
        sides = build.index_constant(window.pads)
        data = build.Pad(data, sides, one, build.index_constant(tuple(spatial)))
        before = after = (0,) * window.rank
    if window.ceil:
        after = tuple(a + s - 1 for a, s in zip(after, window.strides, strict=True))
    ones = build.Expand(one, build.index_constant((1, 1, *window.kernel)))
    return build.Conv(data, ones, **replace(window, before=before, after=after).attributes)


def spread(build: Builder, dy: Value, x: Value, window: Window) -> Value:
    """Each element of dy, added to all of x's places that its window sees."""
    if _tiles(window) and all(isinstance(dim, int) for dim in x.shape[2:]):
        return _repeated(build, dy, x, window)
    after, extra, open_axes = _afters(dy, x, window)
    taps = (x.shape[1], 1, *window.kernel)
    ones = build.Expand(number(build, 1.0, dy), build.index_constant(taps))
    attributes = replace(window, after=after).attributes
    output_padding = extra if any(extra) else None
    dx = build.ConvTranspose(
        dy, ones, **attributes, group=x.shape[1], output_padding=output_padding
    )
    return cropped(build, dx, x, open_axes)


def _tiles(window: Window) -> bool:
    """Whether windows lie side by side."""
    return window.strides == window.kernel and set(window.dilations) == {1}


def _repeated(build: Builder, dy: Value, x: Value, window: Window) -> Value:
    """Every element of dy repeated to fill its window, and cropped to x's extents.

    `Expand` between two `Reshape`s says the same and takes onnxruntime 40 times as long.
    """
    scales = (1.0, 1.0, *map(float, window.kernel))
    place = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    dx = build.Resize(dy, None, build.constant(scales, DType.FLOAT32), mode="nearest", **place)
    extents, lengths = _known(x.shape[2:]), _known(dx.shape[2:])
    sides = list(zip(extents, lengths, window.before, strict=True))
    pads = [-before for _, _, before in sides]
    pads += [full - length + before for full, length, before in sides]
    if not any(pads):
        return dx
    axes = build.index_constant(tuple(range(2, 2 + window.rank)))
    return build.Pad(dx, build.index_constant(tuple(pads)), None, axes)


def _known(shape: Sequence[Dim]) -> list[int]:
    """Extents that are known to be numbers."""
    return [dim for dim in shape if isinstance(dim, int)]


def _afters(
    dy: Value, x: Value, window: Window
) -> tuple[tuple[int, ...], tuple[int, ...], list[int]]:
    """Paddings after and extra rows such that dy spreads over x's extents.

    Where these are not known, axes that get all rows that can be, and are to be cropped.
    """
    after, extra, open_axes = list(window.after), [0] * window.rank, []
    reached = window.scattered(dy.shape[2:])
    for axis, (full, least) in enumerate(zip(x.shape[2:], reached, strict=True)):
        rest = full - least
        if isinstance(rest, int):
            after[axis] += max(-rest, 0)  # windows that `ceil` adds see what is not padding either
            extra[axis] = max(rest, 0)
        else:
            after[axis], extra[axis] = 0, window.strides[axis] - 1
            open_axes.append(2 + axis)
    return tuple(after), tuple(extra), open_axes


def lp_pool_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A power and an addition per element of each window, and the root of their sum."""
    taps = prod(call.attributes["kernel_shape"])
    return Cost(elementwise=outputs[0].size * (2 * taps + 1))


def lp_pool(build: Builder, call: VjpCall) -> Cotangents:
    """y = (sum |x|^p)^(1/p): dx = sign(x) |x|^(p - 1) times the sum of dy y^(1 - p), 0 at y = 0."""
    x, y, dy, p = call.input(0), call.outputs[0], call.cotangent, call.attributes["p"]
    zero, one = number(build, 0.0, y), number(build, 1.0, y)
    safe = build.Where(build.Equal(y, zero), one, y)
    if p == 2:
        slope, dy = x, build.Div(dy, safe)
    else:
        slope = sign_of(build, x, x)
        if p != 1:
            slope = build.Mul(slope, build.Pow(build.Abs(x), number(build, p - 1.0, x)))
            dy = build.Mul(dy, build.Pow(safe, number(build, 1.0 - p, y)))
    return [build.Mul(slope, spread(build, dy, x, window_of(call.attributes)))]


def stochastic_pool_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A square and two sums per element of each window, and the quotient of the sums."""
    taps = prod(call.attributes["kernel_shape"])
    return Cost(elementwise=outputs[0].size * (3 * taps + 1))


def infer_global_pool(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S) => y (N, C, 1, ...)."""
    x = call.type(0)
    if x.rank < 3:
        raise InferenceError(f"{call.op_type} needs spatial axes, not {x}")
    return (x.with_shape((*x.shape[:2], *(1,) * (x.rank - 2))),)


def global_pool_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per input element."""
    return Cost(elementwise=call.type(0).size)


def global_average_pool(build: Builder, call: VjpCall) -> Cotangents:
    """The mean of all positions: dy by their number to each."""
    x = call.input(0)
    share = build.Div(call.cotangent, count(build, x, range(2, len(x.shape))))
    return [build.Expand(share, shape_value(build, x))]


def global_max_pool(build: Builder, call: VjpCall) -> Cotangents:
    """The maximum of all positions: dy goes to the first of equal maxima."""
    x = call.input(0)
    flat = build.index_constant((0, 0, -1))
    line = build.Reshape(x, flat)
    index = build.ArgMax(line, axis=2)
    share = build.Reshape(call.cotangent, flat)
    dx = build.ScatterElements(zeros_like(build, line), index, share, axis=2)
    return [reshape_like(build, dx, x)]


def infer_max_unpool(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), indices like x, and the output's shape => y (N, C, *T)."""
    x, indices = call.type(0), call.type(1)
    if indices.rank != x.rank or any(map(_differ, x.shape, indices.shape)):
        raise InferenceError(f"MaxUnpool needs an index per element of {x}, not {indices}")
    target = call.known(2) if call.has(2) else _unpooled(call)
    if target is None:
        target = tuple(unknown() for _ in range(length_of(call, 2)))
    return (x.with_shape(target),)


def _differ(a: Dim, b: Dim) -> bool:
    return equal(a, b) is False


def _unpooled(call: OpCall) -> Shape:
    """The smallest extents that make the windows: (N - 1) stride + K - padding."""
    x, window = call.type(0), window_of(call.attributes)
    geometry = zip(
        x.shape[2:], window.strides, window.kernel, window.before, window.after, strict=True
    )
    return (*x.shape[:2], *((n - 1) * s + k - b - a for n, s, k, b, a in geometry))


def max_unpool(build: Builder, call: VjpCall) -> Cotangents:
    """x put at indices: dy at them."""
    return [picked(build, call.cotangent, call.input(1))]


def picked(build: Builder, x: Value, indices: Value) -> Value:
    """The elements of x, flattened, at indices."""
    return build.Gather(build.Reshape(x, build.index_constant((-1,))), indices, axis=0)


def unpooled(node: Node, operands: Sequence[Field]) -> Field:
    """An element gets the value of its own window, or none; j /= S."""
    strides = window_of(node.attributes).strides
    slides = {axis: Slide(1, Fraction(1, s)) for axis, s in enumerate(strides, 2)}
    return tuple(slid(axis, slides) for axis in operands[0])


def geometry_of(call: VjpCall) -> dict[str, Any]:
    """The attributes of a window."""
    return {key: call.attributes[key] for key in GEOMETRY}


_pool = partial(OpDef, infer=infer_pool, sees=window, passes=True)

define(
    _pool(
        "MaxPool",
        22,
        cost=pool_cost,
        attributes={**POOL_ATTRIBUTES, "storage_order": 0, "auto_pad": NOT_SET},
        settles=settle_pool,
        optional_outputs=True,
        vjp=max_pool,
        kinks=_max_pool_kinks,
        notation=notation.fixed("max in each window", "g at each maximum"),
    ),
    _pool(
        "AveragePool",
        22,
        cost=pool_cost,
        attributes={**POOL_ATTRIBUTES, "count_include_pad": 0, "auto_pad": NOT_SET},
        settles=settle_pool,
        vjp=average_pool,
        notation=notation.fixed("mean in each window", "g / n in each window"),
    ),
    _pool(
        "LpPool",
        22,
        precision=Precision.FULL,
        cost=lp_pool_cost,
        attributes={**POOL_ATTRIBUTES, "p": 2, "auto_pad": NOT_SET},
        settles=settle_pool,
        vjp=lp_pool,
        notation=notation.lp_pool,
    ),
    # Only set_mode determines what this computes: docs/decisions/0007.
    _pool(
        "netc.StochasticPool",
        1,
        domain="netc",
        cost=stochastic_pool_cost,
        attributes=POOL_ATTRIBUTES,
    ),
    OpDef(
        "GlobalAveragePool",
        22,
        precision=Precision.FULL,
        infer=infer_global_pool,
        cost=global_pool_cost,
        sees=everything,
        vjp=global_average_pool,
        passes=True,
        decompose=in_double_precision(double_precision.global_mean),
        notation=notation.fixed("mean", "g / n"),
    ),
    OpDef(
        "GlobalMaxPool",
        22,
        infer=infer_global_pool,
        cost=global_pool_cost,
        sees=everything,
        vjp=global_max_pool,
        kinks=chosen,
        passes=True,
        decompose=in_double_precision(double_precision.global_maximum),
        notation=notation.fixed("max", notation.AT_MAXIMUM),
    ),
    OpDef(
        "MaxUnpool",
        22,
        infer=infer_max_unpool,
        cost=free,
        sees=unpooled,
        attributes={"kernel_shape": REQUIRED, "strides": None, "pads": None, "dilations": None},
        vjp=max_unpool,
        passes=True,
    ),
)
