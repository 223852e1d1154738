"""Normalizations, and the dropout that training puts beside them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..dim import Dim, equal
from ..opdef import Cost, InferenceError, OpCall, defop
from ..types import DType, TensorType
from .cuts import axis_of
from .elementwise import infer_real, infer_same
from .gradients.normalization import RULES
from .gradients.shapes import by_group, shape_value

if TYPE_CHECKING:
    from ..builder import Builder
    from ..graph import Value


def infer_batch_normalization(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), four vectors (C) => y like x, and in training the running mean and variance."""
    statistics = call.type(3)
    return (call.type(0), statistics, statistics)[: call.outputs]


def spare_statistics(
    build: "Builder", operands: "Sequence[Value | None]", call: OpCall
) -> "Sequence[Value] | None":
    """Gives BatchNormalization in training copies of the running statistics.

    onnxruntime writes the new statistics over the old ones, even where these are the caller's own
    arrays or are read elsewhere, unless the new ones are outputs of the model. The copies are
    negations of negations, because it would optimise an `Identity` away; equal copies for several
    nodes would become one, but each node moves statistics that the one before has left.
    """
    if not call.attributes["training_mode"] or call.outputs == 1:
        return None
    *rest, mean, variance = operands
    copies = (build.Neg(build.Neg(old)) for old in (mean, variance))
    return build.op(call.op_type, (*rest, *copies), call.attributes, outputs=call.outputs)


def normalize_groups(
    build: "Builder", operands: "Sequence[Value | None]", call: OpCall
) -> "Sequence[Value]":
    """Builds GroupNormalization from InstanceNormalization, whose channels are the groups.

    onnxruntime computes the variance of a group as E[x^2] - E[x]^2, which cancels where the mean
    is large beside the deviation, and becomes negative; that of a channel it computes from
    centred numbers. The first subtraction leaves less of the mean than rounding would.
    """
    x, scale, shift = operands[:3]
    assert x is not None
    assert scale is not None
    assert shift is not None
    groups = call.attributes["num_groups"]
    rows = build.Reshape(x, by_group(build, x, groups))
    epsilon = call.attributes["epsilon"]
    if x.dtype is DType.FLOAT64:
        u = _standardized(build, rows, epsilon)
    else:
        one, zero = (build.constant((number,) * groups, x.dtype) for number in (1.0, 0.0))
        u = build.InstanceNormalization(_centred(build, rows), one, zero, epsilon=epsilon)
    return [_scaled(build, build.Reshape(u, shape_value(build, x)), scale, shift)]


def normalize_channels(
    build: "Builder", operands: "Sequence[Value | None]", call: OpCall
) -> "Sequence[Value] | None":
    """Builds InstanceNormalization of float64, which onnxruntime lacks, from arithmetic."""
    x, scale, shift = operands
    assert x is not None
    assert scale is not None
    assert shift is not None
    if x.dtype is not DType.FLOAT64:
        return None
    return [_scaled(build, _standardized(build, x, call.attributes["epsilon"]), scale, shift)]


def _position_axes(build: "Builder", x: "Value") -> "Value":
    return build.index_constant(tuple(range(2, x.type.rank)))


def _centred(build: "Builder", x: "Value") -> "Value":
    return build.Sub(x, build.ReduceMean(x, _position_axes(build, x), keepdims=1))


def _standardized(build: "Builder", x: "Value", epsilon: float) -> "Value":
    """Each channel with mean 0 and variance 1 over its positions, in two passes."""
    centred = _centred(build, x)
    squares = build.Mul(centred, centred)
    variance = build.ReduceMean(squares, _position_axes(build, x), keepdims=1)
    return build.Div(centred, build.Sqrt(build.Add(variance, build.constant(epsilon, x.dtype))))


def _scaled(build: "Builder", u: "Value", scale: "Value", shift: "Value") -> "Value":
    """The channels of (N, C, *S) times `scale` plus `shift`, both (C)."""
    if trailing := tuple(range(1, u.type.rank - 1)):
        ones = build.index_constant(trailing)
        scale, shift = (build.Unsqueeze(vector, ones) for vector in (scale, shift))
    return build.Add(build.Mul(u, scale), shift)


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
    decompose=spare_statistics,
    vjp=RULES["BatchNormalization"],
)
defop(
    "LpNormalization",
    infer=infer_lp_normalization,
    cost=three_per_element,
    attributes={"axis": -1, "p": 2},
    vjp=RULES["LpNormalization"],
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
