"""Noise, which is nothing at inference; `set_mode` settles it in training."""

from collections.abc import Sequence

from ..ir.signature import InferenceError, OpCall
from ..ir.types import BroadcastError, TensorType, broadcast
from .opdef import OpDef, define, free
from .receptive_field import elementwise


def infer_noise(call: OpCall) -> Sequence[TensorType]:
    """x, and a deviation that broadcasts to it => y like x."""
    x, deviation = call.type(0), call.type(1)
    try:
        fits = broadcast([x.shape, deviation.shape]) == x.shape
    except BroadcastError:
        fits = False
    if not fits or x.dtype != deviation.dtype:
        raise InferenceError(f"the deviation {deviation} does not fit the mean {x}")
    return (x,)


# Only set_mode determines what this computes, as for stochastic pooling: docs/decisions/0007.
define(
    OpDef(
        "netc.Noise",
        1,
        domain="netc",
        infer=infer_noise,
        cost=free,  # costs are stated for inference
        sees=elementwise,
        attributes={"distribution": "normal", "always": 0},
        view=True,
        passes=True,
    )
)
