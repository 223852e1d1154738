"""Convolutions over any number of spatial axes."""

from collections.abc import Sequence

from ..dim import Dim, equal
from ..opdef import Cost, InferenceError, OpCall, defop
from ..types import TensorType, product
from ..windows import window_of
from .gradients.convolution import RULES


def infer_conv(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), w (M, C / group, *K), b (M) => y (N, M, *floor((S + 2P - K) / stride) + 1)."""
    x, w = call.type(0), call.type(1)
    channels = w.shape[1] * call.attributes["group"]
    if x.rank != w.rank or x.shape[1] != channels:
        raise InferenceError(f"Conv cannot apply {w} to {x}")
    check_weights(call, w.shape[0])
    spatial = window_of(call.attributes).output(x.shape[2:])
    return (x.with_shape((x.shape[0], w.shape[0], *spatial)),)


def check_weights(call: OpCall, filters: Dim) -> None:
    """Refuse a kernel of other extents than `kernel_shape`, and a bias for other filters."""
    w, kernel, groups = call.type(1), call.attributes["kernel_shape"], call.attributes["group"]
    if w.shape[2:] != tuple(kernel) or (isinstance(filters, int) and filters % groups):
        size = "x".join(map(str, kernel))
        raise InferenceError(f"{call.op_type} has no {size} kernel in {groups} groups in {w}")
    if call.has(2) and (call.type(2).rank != 1 or equal(call.type(2).shape[0], filters) is False):
        raise InferenceError(f"{call.op_type} needs a bias of {filters}, not {call.type(2)}")


def conv_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Each output element takes C / group * K products; a bias adds one operation."""
    (y,) = outputs
    taps = product(call.type(1).shape[1:])
    return Cost(macs=y.size * taps, elementwise=y.size if call.has(2) else 0)


WINDOW = {"kernel_shape": None, "strides": None, "pads": None, "dilations": None, "group": 1}

defop("Conv", infer=infer_conv, cost=conv_cost, attributes=WINDOW, vjp=RULES["Conv"])
