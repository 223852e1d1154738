"""Normalizations, and the dropout that training puts beside them."""

from collections.abc import Sequence

from ..opdef import Cost, OpCall, defop
from ..types import DType, TensorType
from .elementwise import infer_same


def infer_batch_normalization(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), four vectors (C) => y like x, and in training the running mean and variance."""
    statistics = call.type(3)
    return (call.type(0), statistics, statistics)[: call.outputs]


def two_per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A multiplication and an addition per element: the rest folds into scale and shift."""
    return Cost(elementwise=outputs[0].size * 2)


def softmax_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """An exponential, an addition and a division per element."""
    return Cost(elementwise=outputs[0].size * 3)


def infer_dropout(call: OpCall) -> Sequence[TensorType]:
    """x => y like x, and on demand the mask."""
    x = call.type(0)
    return (x, TensorType(DType.BOOL, x.shape))[: call.outputs]


def dropout_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Nothing: at inference dropout is the identity, and costs are stated for inference."""
    return Cost()


defop(
    "BatchNormalization",
    infer=infer_batch_normalization,
    cost=two_per_element,
    attributes={"epsilon": 1e-5, "momentum": 0.9, "training_mode": 0},
)
defop("Softmax", infer=infer_same, cost=softmax_cost, attributes={"axis": -1})
defop("Dropout", infer=infer_dropout, cost=dropout_cost, attributes={"seed": None})
