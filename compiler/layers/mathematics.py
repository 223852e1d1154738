"""Mathematics: functions of each element, reductions, and a learned factor per channel."""

from collections.abc import Sequence
from typing import Literal

from ..expressions.arguments import Flag, Initializer, Numbers
from ..ir.graph import Value
from ..ir.initializers import ONES
from .activation import channel_axis, define_map, per_channel, real
from .axes import AxisNames, placed_axis
from .layer_builder import LayerBuilder
from .layerdef import layer

define_map("SQUARE", "x^2", lambda build, x: build.Mul(x, x))
define_map("SQRT", "The square root; none of a negative number", lambda build, x: build.Sqrt(x))
define_map("EXP", "e^x", lambda build, x: build.Exp(x))
define_map("LOG", "The natural logarithm", lambda build, x: build.Log(x))
define_map("RECIPROCAL", "1 / x", lambda build, x: build.Reciprocal(x))
define_map("ABS", "|x|", lambda build, x: build.Abs(x))
define_map("NEG", "-x", lambda build, x: build.Neg(x))


@layer("SCALE")
def scale(
    build: LayerBuilder,
    x: Value,
    *,
    init: Initializer = ONES,
    weight: Numbers | None = None,
) -> Value:
    """Each channel times a learned factor; the weight is (channels)."""
    (channels,) = build.concrete(real(build, x), (channel_axis(x),))
    factors = build.weight((channels,), init=init, literal=weight)
    return build.Mul(x, per_channel(build, factors, x))


REDUCTION_OPERATORS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
}


@layer("REDUCE", choice="mode")
def reduce(
    build: LayerBuilder,
    x: Value,
    *,
    mode: Literal["sum", "mean", "max", "min", "prod"] = "sum",
    axis: AxisNames | None = None,
    keep: Flag = False,
) -> Value:
    """One number for all elements along some axes, by default along all but the batch.

    The axes are dropped, but channels that are reduced stay as one channel, as every tensor has
    channels: 28x28x6 becomes 28x28x1, 28x6, 6, or, over all axes, a vector of 1. `keep` leaves
    an extent of 1 in place of every axis.
    """
    if real(build, x).type.rank < 2:  # one number for each sample already
        x = build.Unsqueeze(x, build.index_constant((1,)))
    named = range(x.type.rank - 1) if axis is None else axis
    if not named:
        raise build.fail("E103", "needs at least one axis to reduce", at="axis")
    axes = tuple(sorted({placed_axis(build, x, name) for name in named}))
    (y,) = build.op(REDUCTION_OPERATORS[mode], (x, build.index_constant(axes)), {"keepdims": 1})
    return y if keep else _without(build, y, [a for a in axes if a != channel_axis(x)])


def _without(build: LayerBuilder, x: Value, axes: Sequence[int]) -> Value:
    """`x` without spatial axes of extent 1; channels go after the last one that is left."""
    if not axes:
        return x
    y = build.Squeeze(x, build.index_constant(tuple(axes)))
    lies_in_front = x.type.rank >= 4 and y.type.rank == 3
    return build.Transpose(y, perm=(0, 2, 1)) if lies_in_front else y
