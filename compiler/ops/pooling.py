"""Pools over any number of spatial axes."""

from collections.abc import Sequence
from math import prod

from ..dim import Dim, equal
from ..opdef import Cost, InferenceError, OpCall, defop, free
from ..types import DType, Shape, TensorType
from ..windows import window_of
from .double_precision import in_double_precision
from .gradients.pooling import RULES


def infer_pool(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S) => y (N, C, *windows), and on demand the maxima's flat indices as int64."""
    x = call.type(0)
    y = x.with_shape((*x.shape[:2], *window_of(call.attributes).output(x.shape[2:])))
    return (y, TensorType(DType.INT64, y.shape))[: call.outputs]


def pool_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per element of each window."""
    return Cost(elementwise=outputs[0].size * prod(call.attributes["kernel_shape"]))


def lp_pool_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A power and an addition per element of each window, and the root of their sum."""
    taps = prod(call.attributes["kernel_shape"])
    return Cost(elementwise=outputs[0].size * (2 * taps + 1))


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


def infer_max_unpool(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), indices like x, and the output's shape => y (N, C, *T)."""
    x, indices = call.type(0), call.type(1)
    if indices.rank != x.rank or any(map(_differ, x.shape, indices.shape)):
        raise InferenceError(f"MaxUnpool needs an index per element of {x}, not {indices}")
    target = call.constants[2] if call.has(2) else _unpooled(call)
    if target is None:
        raise InferenceError("MaxUnpool needs a shape known at compile time")
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


WINDOW = {"kernel_shape": None, "strides": None, "pads": None, "dilations": None, "ceil_mode": 0}

defop(
    "MaxPool",
    infer=infer_pool,
    cost=pool_cost,
    attributes={**WINDOW, "storage_order": 0},
    optional_outputs=True,
    vjp=RULES["MaxPool"],
)
defop(
    "AveragePool",
    infer=infer_pool,
    cost=pool_cost,
    attributes={**WINDOW, "count_include_pad": 0},
    vjp=RULES["AveragePool"],
)
defop(
    "LpPool",
    infer=infer_pool,
    cost=lp_pool_cost,
    attributes={**WINDOW, "p": 2},
    vjp=RULES["LpPool"],
)
# Only set_mode determines what this computes: docs/decisions/0007.
defop("netc.StochasticPool", infer=infer_pool, cost=stochastic_pool_cost, attributes=WINDOW)

for op_type in ("GlobalAveragePool", "GlobalMaxPool"):
    defop(
        op_type,
        infer=infer_global_pool,
        cost=global_pool_cost,
        decompose=in_double_precision(op_type),
        vjp=RULES[op_type],
    )

defop(
    "MaxUnpool",
    infer=infer_max_unpool,
    cost=free,
    attributes={"kernel_shape": None, "strides": None, "pads": None, "dilations": None},
    vjp=RULES["MaxUnpool"],
)
