"""Dense layers."""

from ..expressions.arguments import Flag, Initializer, Numbers, Positive
from ..ir.graph import Value
from ..ir.initializers import AUTO
from .activation import channel_axis
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import describe
from .weight_normalization import WeightNormalization, weight_of

HIDDEN_UNITS = 128


@layer("FC", counts="units")
def fully_connected(
    build: LayerBuilder,
    x: Value,
    *,
    units: Positive = HIDDEN_UNITS,
    bias: Flag = True,
    norm: WeightNormalization = "none",
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Dense layer on the flattened input (ONNX `Gemm`): y = x WT + b; W is (units, features)."""
    flat = flattened(build, x)
    (features,) = build.concrete(flat, (1,))
    w = weight_of(build, (units, features), norm, init=init, literal=weight)
    b = build.bias(units, literal=bias_value) if bias else None
    return build.Gemm(flat, w, b, transB=1)


@layer("LINEAR", counts="units")
def linear(
    build: LayerBuilder,
    x: Value,
    *,
    units: Positive = HIDDEN_UNITS,
    bias: Flag = True,
    norm: WeightNormalization = "none",
    init: Initializer = AUTO,
    weight: Numbers | None = None,
    bias_value: Numbers | None = None,
) -> Value:
    """Dense layer on the channels at every position: W is (units, channels), the bias (units).

    It is a `Gemm` on vectors, a `MatMul` on sequences, and on images and volumes a 1x1 `Conv`,
    which both engines run without moving the channels.
    """
    if x.type.rank < 2 or not x.dtype.is_float:
        raise build.fail("E201", f"needs real numbers, but its input is {describe(x)}")
    (channels,) = build.concrete(x, (channel_axis(x),))
    w = weight_of(build, (units, channels), norm, init=init, literal=weight)
    b = build.bias(units, literal=bias_value) if bias else None
    return projected(build, x, w, b)


def projected(build: LayerBuilder, x: Value, weight: Value, bias: Value | None) -> Value:
    """The channels of `x` mapped by a weight (units, channels) at every position."""
    rank = x.type.rank
    if rank == 2:
        return build.Gemm(x, weight, bias, transB=1)
    if rank == 3:
        y = build.MatMul(x, build.Transpose(weight, perm=(1, 0)))
        return y if bias is None else build.Add(y, bias)
    taps = build.Unsqueeze(weight, build.index_constant(tuple(range(2, rank))))
    ones = (1,) * (rank - 2)
    return build.Conv(
        x,
        taps,
        bias,
        kernel_shape=ones,
        strides=ones,
        pads=(0,) * (2 * rank - 4),
        dilations=ones,
    )


@layer("FLATTEN")
def flatten(build: LayerBuilder, x: Value) -> Value:
    """All axes but the batch as one, channels first and row-major (ONNX `Flatten`)."""
    return flattened(build, x)


def flattened(build: LayerBuilder, x: Value) -> Value:
    """`x` as (N, features)."""
    if x.type.rank < 1 or not x.dtype.is_float:
        raise build.fail("E201", f"needs real numbers, but its input is {describe(x)}")
    return x if x.type.rank == 2 else build.Flatten(x, axis=1)
