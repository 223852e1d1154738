"""Normalizations, and the dropout that training puts beside them."""

from collections.abc import Sequence

from ..dim import Dim, equal
from ..opdef import Cost, InferenceError, OpCall, defop
from ..types import DType, TensorType
from .centring import (
    normalize_axes,
    normalize_batches,
    normalize_channels,
    normalize_groups,
    normalize_positions,
)
from .cuts import axis_of
from .elementwise import infer_real, infer_same
from .gradients.normalization import RULES


def infer_batch_normalization(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), four vectors (C) => y like x, and in training the running mean and variance."""
    for index in range(1, 5):
        _check_vector(call, index, call.type(0).shape[1:2])
    statistics = call.type(3)
    return (call.type(0), statistics, statistics)[: call.outputs]


def two_per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A multiplication and an addition per element: the rest folds into scale and shift."""
    return Cost(elementwise=outputs[0].size * 2)


def softmax_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """An exponential, an addition and a division per element."""
    return Cost(elementwise=outputs[0].size * 3)


def infer_layer_normalization(call: OpCall) -> Sequence[TensorType]:
    """x (*A, *B) split at `axis`, scale and bias like B => y like x, and on demand two statistics.

    These are the mean and 1 / sqrt(variance + epsilon), each (*A, 1, ...).
    """
    x, axis = call.type(0), call.attributes["axis"] % max(call.type(0).rank, 1)
    for index in range(1, len(call.inputs)):
        if call.has(index):
            _check_vector(call, index, x.shape[axis:])
    reduced = x.with_shape((*x.shape[:axis], *(1,) * (x.rank - axis)))
    return (x, reduced, reduced)[: call.outputs]


def infer_channelwise(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), scale and bias (C) => y like x."""
    x = call.type(0)
    if x.rank < 2:
        raise InferenceError(f"{call.op_type} needs channels, not {x}")
    for index in (1, 2):
        _check_vector(call, index, x.shape[1:2])
    groups = call.attributes.get("num_groups") or 1
    if isinstance(x.shape[1], int) and x.shape[1] % groups:
        raise InferenceError(f"{call.op_type} cannot split the channels of {x} into {groups}")
    return (x,)


def _check_vector(call: OpCall, index: int, shape: Sequence[Dim]) -> None:
    """A scale or a bias has the extents that are scaled."""
    found = call.type(index).shape
    if len(found) != len(shape) or any(
        equal(a, b) is False for a, b in zip(found, shape, strict=True)
    ):
        raise InferenceError(f"{call.op_type} cannot scale {call.type(0)} by {call.type(index)}")


def statistics_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Per element 1 operation for the mean, 3 for the variance, and 2 to scale and shift."""
    return Cost(elementwise=outputs[0].size * 6)


def lrn_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Per element a square, `size` additions, a product, an addition, a power and a division."""
    return Cost(elementwise=outputs[0].size * (call.attributes["size"] + 5))


def infer_lp_normalization(call: OpCall) -> Sequence[TensorType]:
    """x of real numbers, an axis, and p of 1 or 2 => y like x."""
    (x,) = infer_real(call)
    axis_of(call, call.attributes["axis"], x.rank)
    if call.attributes["p"] not in (1, 2):
        raise InferenceError(f"LpNormalization's p must be 1 or 2, not {call.attributes['p']}")
    return (x,)


def infer_mean_variance(call: OpCall) -> Sequence[TensorType]:
    """x of real numbers, and axes that it has => y like x."""
    (x,) = infer_real(call)
    for axis in call.attributes["axes"]:
        axis_of(call, axis, x.rank)
    return (x,)


def three_per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A power, an addition and a division per element."""
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
    optional_outputs=True,
    decompose=normalize_batches,
    vjp=RULES["BatchNormalization"],
)
defop(
    "LpNormalization",
    infer=infer_lp_normalization,
    cost=three_per_element,
    attributes={"axis": -1, "p": 2},
    vjp=RULES["LpNormalization"],
)
defop(
    "MeanVarianceNormalization",
    infer=infer_mean_variance,
    cost=statistics_cost,
    attributes={"axes": (0, 2, 3)},
    decompose=normalize_axes,
)
defop("Softmax", infer=infer_same, cost=softmax_cost, attributes={"axis": -1}, vjp=RULES["Softmax"])
defop(
    "LogSoftmax",
    infer=infer_same,
    cost=softmax_cost,
    attributes={"axis": -1},
    vjp=RULES["LogSoftmax"],
)
defop(
    "Dropout",
    infer=infer_dropout,
    cost=dropout_cost,
    attributes={"seed": None},
    optional_outputs=True,
    vjp=RULES["Dropout"],
)
defop(
    "LayerNormalization",
    infer=infer_layer_normalization,
    cost=statistics_cost,
    attributes={"axis": -1, "epsilon": 1e-5, "stash_type": 1},
    optional_outputs=True,
    decompose=normalize_positions,
    vjp=RULES["LayerNormalization"],
)
defop(
    "InstanceNormalization",
    infer=infer_channelwise,
    cost=statistics_cost,
    attributes={"epsilon": 1e-5},
    decompose=normalize_channels,
    vjp=RULES["InstanceNormalization"],
)
defop(
    "GroupNormalization",
    infer=infer_channelwise,
    cost=statistics_cost,
    attributes={"epsilon": 1e-5, "num_groups": None, "stash_type": 1},
    decompose=normalize_groups,
    vjp=RULES["GroupNormalization"],
)
defop(
    "LRN",
    infer=infer_same,
    cost=lrn_cost,
    attributes={"alpha": 1e-4, "beta": 0.75, "bias": 1.0, "size": None},
    vjp=RULES["LRN"],
)
