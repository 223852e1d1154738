"""`netc.MaxPoolGrad`: the gradient of a max-pool, which goes to the first of equal maxima."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import Value, present
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType
from ..ir.windows import Window, window_of
from .building import reshape_like, shape_value, zeros_like
from .opdef import Cost, Cotangents, OpDef, VjpCall, define
from .pooling import GEOMETRY, POOL_ATTRIBUTES, geometry_of, picked, pool_cost
from .receptive_field import everything


def infer_max_pool_grad(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), its maxima y (N, C, *windows), and dy like y => dx like x."""
    x, y, dy = (call.type(i) for i in range(3))
    window_of(call.attributes).output(x.shape[2:])
    if y != dy or x.dtype != y.dtype or x.rank != y.rank:
        raise InferenceError(f"MaxPoolGrad cannot take {y} and {dy} for {x}")
    return (x,)


def max_pool_grad_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """As the pool: one operation per element of each window."""
    return pool_cost(call, [call.type(1)])


def max_pool_grad(build: Builder, call: VjpCall) -> Cotangents:
    """dx of dy, given the gradient v with respect to it: v at each window's maximum.

    Nothing goes to x or y, which only say where the maxima are.
    """
    if not call.wanted[2]:
        return []
    indices = build.op("MaxPool", (call.input(0),), geometry_of(call), outputs=2)[1]
    return [None, None, picked(build, call.cotangent, indices)]


def decompose_max_pool_grad(
    build: Builder, inputs: Sequence[Value | None], call: OpCall
) -> Sequence[Value]:
    """dy at the indices of the maxima: `MaxUnpool`, or a sum where windows overlap."""
    x, y, dy = present(inputs)
    window = window_of(call.attributes)
    indices = _indices(build, x, y, {key: call.attributes[key] for key in GEOMETRY})
    if _apart(window):
        # The shape is given, and the indices say all. Windows of 1, as the kernel's true extents
        # would have onnxruntime refuse a shape that the last windows stand out of.
        ones = (1,) * window.rank
        return [build.MaxUnpool(dy, indices, shape_value(build, x), kernel_shape=ones)]
    flat = build.index_constant((-1,))
    zeros, places, updates = (build.Reshape(v, flat) for v in (zeros_like(build, x), indices, dy))
    dx = build.ScatterElements(zeros, places, updates, axis=0, reduction="add")
    return [reshape_like(build, dx, x)]


def _apart(window: Window) -> bool:
    """Whether no two windows share an element."""
    axes = zip(window.kernel, window.strides, window.reach, strict=True)
    return all(kernel == 1 or stride >= reach for kernel, stride, reach in axes)


def _indices(build: Builder, x: Value, y: Value, geometry: Mapping[str, Any]) -> Value:
    """Where the maxima are, from the pool itself where it yields them."""
    pool = build.graph.producer(y)
    if pool.op_type == "MaxPool" and pool.inputs == (x,) and len(pool.outputs) == 2:
        defaults = {"storage_order": 0, **dict.fromkeys(GEOMETRY), "ceil_mode": 0}
        if {**defaults, **pool.attributes} == {"storage_order": 0, **geometry}:
            return Value(y.node, 1, pool.outputs[1])
    return build.op("MaxPool", (x,), geometry, outputs=2)[1]


define(
    OpDef(
        "netc.MaxPoolGrad",
        1,
        domain="netc",
        infer=infer_max_pool_grad,
        cost=max_pool_grad_cost,
        sees=everything,
        attributes=POOL_ATTRIBUTES,
        vjp=max_pool_grad,
        decompose=decompose_max_pool_grad,
        asks={1: 2},  # the pool is to say where its maxima are
    )
)
