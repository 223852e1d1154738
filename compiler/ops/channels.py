"""What normalizations share: sums over channels, and the gradient through statistics."""

from ..ir.builder import Builder
from ..ir.graph import Value
from .building import plus


class Channels:
    """The channels of x (N, C, *S): vectors (C) beside them, and sums over all the rest."""

    def __init__(self, build: Builder, x: Value) -> None:
        self.build = build
        self.rank = len(x.shape)
        self.axes = (0, *range(2, self.rank))

    def spread(self, vector: Value) -> Value:
        """A vector as (C, 1, ...), so that it broadcasts."""
        ones = tuple(range(1, self.rank - 1))
        return self.build.Unsqueeze(vector, self.build.index_constant(ones)) if ones else vector

    def total(self, x: Value) -> Value:
        """The sum over each channel."""
        return self.build.ReduceSum(x, self.build.index_constant(self.axes), keepdims=0)

    def mean(self, x: Value) -> Value:
        """The mean of each channel."""
        return self.build.ReduceMean(x, self.build.index_constant(self.axes), keepdims=0)


def inverse_root(build: Builder, variance: Value, epsilon: float) -> Value:
    """1 / sqrt(variance + epsilon)."""
    return build.Reciprocal(build.Sqrt(plus(build, variance, epsilon)))


def through_statistics(
    build: Builder, factor: Value, du: Value, u: Value, mean: Value, slope: Value
) -> Value:
    """factor (du - mean - u slope)."""
    return build.Mul(factor, build.Sub(build.Sub(du, mean), build.Mul(u, slope)))
