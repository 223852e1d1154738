"""Pools over any number of spatial axes."""

from collections.abc import Sequence
from math import prod

from ..opdef import Cost, OpCall, defop
from ..types import DType, TensorType
from ..windows import window_of


def infer_pool(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S) => y (N, C, *windows), and on demand the maxima's flat indices as int64."""
    x = call.type(0)
    y = x.with_shape((*x.shape[:2], *window_of(call.attributes).output(x.shape[2:])))
    return (y, TensorType(DType.INT64, y.shape))[: call.outputs]


def pool_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per element of each window."""
    return Cost(elementwise=outputs[0].size * prod(call.attributes["kernel_shape"]))


WINDOW = {"kernel_shape": None, "strides": None, "pads": None, "dilations": None, "ceil_mode": 0}

defop("MaxPool", infer=infer_pool, cost=pool_cost, attributes={**WINDOW, "storage_order": 0})
defop(
    "AveragePool", infer=infer_pool, cost=pool_cost, attributes={**WINDOW, "count_include_pad": 0}
)
