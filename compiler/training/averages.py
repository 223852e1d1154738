"""Means over what is there: elements whose target is given, positions that are not ignored.

Where a graph sees a shard of a batch, it gives its part of the whole batch's mean: the parts of
all shards sum to that, whatever their sizes are, and however much each of them leaves out.
"""

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.graph import Graph, Value
from ..ir.types import DType
from ..ops.collective import summed
from ..passes.shards import Shard


class LossBuilder(Builder):
    """Builds the losses of a batch.

    Attributes:
        complete: Whether all of the target is given, so that nothing is to be left out.
    """

    complete = False


class ShardBuilder(LossBuilder):
    """Builds the losses of a shard of a batch."""

    def __init__(self, graph: Graph, *, scope: str, shard: Shard) -> None:
        super().__init__(graph, scope=scope)
        self.shard = shard


def is_complete(build: Builder) -> bool:
    """Whether all of the target is known to be given."""
    return isinstance(build, LossBuilder) and build.complete


def of_batch(build: Builder, mean: Value) -> Value:
    """A mean over the samples; of a shard, its part in that of the whole batch."""
    if not isinstance(build, ShardBuilder):
        return mean
    return build.Mul(mean, build.shard.share(build, mean.dtype))


def of_all(build: Builder, total: Value) -> Value:
    """What is summed over the samples of the whole batch."""
    return summed(build, total) if isinstance(build, ShardBuilder) else total


@record
class MaskedTarget:
    """A target in the output's element type, and which of its elements are given.

    NaN in a target of real numbers means that it is not given, such as a keypoint that was not
    annotated. Everything that touches such an element is chosen by `Where` before it can meet
    other numbers, since 0 NaN is NaN: it adds nothing, and its gradient is exactly 0.

    Attributes:
        target: The target with 0 for what is not given.
        mask: Truth where it is given; None where all is, as of integers, which have no NaN.
    """

    target: Value
    mask: Value | None

    @classmethod
    def of(cls, build: Builder, target: Value, dtype: DType) -> "MaskedTarget":
        """What is given of a target, for an output of `dtype`."""
        if is_complete(build) or not target.dtype.is_float:
            return cls(build.Cast(target, to=dtype), None)
        mask = build.Not(build.IsNaN(target))
        return cls(build.Where(mask, target, build.constant(0.0, target.dtype)), mask)

    def error(self, build: Builder, output: Value) -> Value:
        """output - target where the target is given, else 0."""
        return self.only(build, build.Sub(output, self.target))

    def only(self, build: Builder, x: Value) -> Value:
        """X where the target is given, else 0."""
        return x if self.mask is None else chosen(build, self.mask, x)


def chosen(build: Builder, mask: Value, x: Value) -> Value:
    """X where the mask is true, else 0."""
    return build.Where(mask, x, build.constant(0.0, x.dtype))


def masked_mean(build: Builder, x: Value, mask: Value | None) -> Value:
    """The sum of x, which is 0 where the mask is false, divided by how many are true.

    0 where none are. They are counted in integers: a float32 counts to 16,777,216.
    """
    if mask is None:
        return of_batch(build, build.ReduceMean(x, keepdims=0))
    count = of_all(build, build.ReduceSum(build.Cast(mask, to=DType.INT64), keepdims=0))
    at_least_one = build.Max(count, build.index_constant(1))
    return build.Div(build.ReduceSum(x, keepdims=0), build.Cast(at_least_one, to=x.dtype))


def ratio(build: Builder, x: Value, weights: Value) -> Value:
    """The sum of x divided by that of weights, and 0 where these are all 0."""
    total = of_all(build, build.ReduceSum(weights, keepdims=0))
    zero, one = (build.constant(number, x.dtype) for number in (0.0, 1.0))
    divisor = build.Where(build.Greater(total, zero), total, one)
    return build.Div(build.ReduceSum(x, keepdims=0), divisor)


def sample_mean(build: Builder, x: Value) -> Value:
    """The sum over each sample, the mean over the samples; x (N, *S)."""
    rank = len(x.shape)
    axes = tuple(range(1, rank))
    sums = build.ReduceSum(x, build.index_constant(axes), keepdims=0) if axes else x
    return of_batch(build, build.ReduceMean(sums, keepdims=0))
