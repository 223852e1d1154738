"""`netc.BatchNormalizationGrad`: the gradient of a batch normalization in training."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Value, present
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import TensorType
from .building import count
from .channels import Channels, inverse_root, through_statistics
from .normalization import GRADIENT
from .opdef import Cost, OpDef, Precision, define
from .receptive_field import everything


def infer_gradient(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, *S), dy like x, scale, mean and variance (C) => dx like x, dscale and dshift (C)."""
    x, dy, scale, *statistics = (call.type(i) for i in range(5))
    if x != dy or x.rank < 2 or any(each != scale for each in statistics):
        raise InferenceError(f"{GRADIENT} cannot take {dy} for {x}")
    return (x, scale, scale)


def gradient_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Per element 1 operation to centre, 3 for the two sums, and 5 for dx."""
    return Cost(elementwise=outputs[0].size * 9)


def gradient_of_batches(
    build: Builder, inputs: Sequence[Value | None], call: OpCall
) -> Sequence[Value]:
    """dx by the rule of `normalization`, dscale = sum u dy, dshift = sum dy."""
    x, dy, scale, mean, variance = present(inputs)
    channels = Channels(build, x)
    centred = build.Sub(x, channels.spread(mean))
    r = inverse_root(build, variance, call.attributes["epsilon"])
    n = count(build, x, channels.axes)
    dscale = build.Mul(channels.total(build.Mul(dy, centred)), r)
    dshift = channels.total(dy)
    means = (build.Div(dshift, n), build.Div(build.Mul(dscale, r), n))
    factor, *rest = map(channels.spread, (build.Mul(scale, r), *means))
    return [through_statistics(build, factor, dy, centred, *rest), dscale, dshift]


define(
    OpDef(
        GRADIENT,
        1,
        domain="netc",
        infer=infer_gradient,
        cost=gradient_cost,
        sees=everything,
        precision=Precision.FULL,
        attributes={"epsilon": REQUIRED},
        function=gradient_of_batches,
        decompose=gradient_of_batches,
    )
)
