"""Dropout, which is the identity at inference; `set_mode` settles it in training."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.signature import OpCall
from ..ir.types import DType, TensorType
from .opdef import Cotangents, OpDef, VjpCall, Yields, define, free
from .receptive_field import elementwise


def infer_dropout(call: OpCall) -> Sequence[TensorType]:
    """x => y like x, and on demand the mask."""
    x = call.type(0)
    return (x, TensorType(DType.BOOL, x.shape))[: call.outputs]


def dropout(build: Builder, call: VjpCall) -> Cotangents:
    """y = x at inference: dy. In training `set_mode` has put other operators in its place."""
    training = call.optional(2)
    if training is not None and build.known(training) is not False:
        raise ValueError(
            "the gradient of Dropout in training needs its noise: set_mode comes first"
        )
    return [call.cotangent]


define(
    OpDef(
        "Dropout",
        22,
        infer=infer_dropout,
        cost=free,  # costs are stated for inference
        sees=elementwise,
        attributes={"seed": None},
        optional_outputs=True,
        vjp=dropout,
        view=True,
        passes=True,
        yields=Yields.NOISE,
    )
)
