"""BatchNormalization by the statistics of a batch that ranks share among themselves."""

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.types import DType
from ..ops.collective import summed


def synchronized(
    build: Builder, x: Value, scale: Value, bias: Value, epsilon: float
) -> tuple[Value, Value, Value]:
    """y = scale (x - mean) / sqrt(variance + epsilon) + bias, by all ranks' x (N, C, *S).

    The sum over the ranks is taken twice, of x and then of (x - mean)^2, which loses nothing where
    the mean is far from 0. Gradients go back through both sums.

    Returns:
        y, and the mean and unbiased variance of each channel, (C,).
    """
    axes = build.index_constant((0, *range(2, x.type.rank)))
    count = summed(build, build.Div(build.Size(x), build.Size(scale)))
    number = build.Cast(count, to=x.dtype)
    mean = build.Div(summed(build, build.ReduceSum(x, axes, keepdims=0)), number)

    def beside(channel: Value) -> Value:
        """Numbers of channels, broadcast against x."""
        return build.Unsqueeze(channel, axes)

    centred = build.Sub(x, beside(mean))
    squares = build.ReduceSum(build.Mul(centred, centred), axes, keepdims=0)
    variance = build.Div(summed(build, squares), number)
    deviation = build.Sqrt(build.Add(variance, build.constant(epsilon, x.dtype)))
    factor = build.Div(scale, deviation)
    y = build.Add(build.Mul(centred, beside(factor)), beside(bias))
    return y, mean, build.Mul(variance, unbiasing(build, count, x.dtype))


def unbiasing(build: Builder, count: Value, dtype: DType) -> Value:
    """n / (n - 1) for n numbers of each channel; 1 for one number, which has no spread."""
    one = build.index_constant(1)
    others = build.Max(build.Sub(count, one), one)
    return build.Div(*(build.Cast(number, to=dtype) for number in (count, others)))
