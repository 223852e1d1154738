"""Losses of class indices, or of a probability for each class, in ordinary operators."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.types import Shape, TensorType
from .averages import chosen, is_complete, masked_mean, of_batch, ratio


def class_axis(output: TensorType) -> int:
    """The axis of the classes: 1 in (N, C, H, W), the last one in (N, L, C) and (N, C)."""
    return 1 if output.rank >= 4 else max(output.rank - 1, 0)


def without_axis(shape: Shape, axis: int) -> Shape:
    """A shape with one axis less: that of the class indices for an output."""
    return (*shape[:axis], *shape[axis + 1 :])


def mean_log_likelihood(
    build: Builder,
    predicted: Value,
    target: Value,
    axis: int,
    *,
    ignore_index: int,
    smoothing: float = 0.0,
    weights: Sequence[float] | None = None,
) -> Value:
    """-sum w t log p over the classes, the mean over the positions; `predicted` is log p.

    For class indices t is 1 for the class and 0 elsewhere, and where the index is `ignore_index`,
    the position is left out; a complete target has none of these. With smoothing s, t is
    (1 - s) t + s / C. Where classes have weights w, a position of an index counts as much as its
    class weighs, as in PyTorch.
    """
    axes = build.index_constant((axis,))
    if weights is not None:
        predicted = build.Mul(predicted, along(build, weights, predicted, axis))
    if target.dtype.is_float:
        likelihood = build.ReduceSum(build.Mul(target, predicted), axes, keepdims=1)
        kept = None
    else:
        index, kept = build.Unsqueeze(target, axes), None
        if not is_complete(build):
            kept = build.Not(build.Equal(index, build.constant(ignore_index, index.dtype)))
            index = build.Where(kept, index, build.constant(0, index.dtype))
        likelihood = build.GatherElements(predicted, index, axis=axis)
    if smoothing:
        mean = build.ReduceMean(predicted, axes, keepdims=1)
        likelihood = _mixed(build, likelihood, mean, smoothing)
    if kept is not None:
        likelihood = chosen(build, kept, likelihood)
    if target.dtype.is_float or weights is None:
        return build.Neg(masked_mean(build, likelihood, kept))
    weighed = build.Gather(build.constant(tuple(weights), likelihood.dtype), index, axis=0)
    weighed = weighed if kept is None else chosen(build, kept, weighed)
    return build.Neg(ratio(build, likelihood, weighed))


def along(build: Builder, numbers: Sequence[float], x: Value, axis: int) -> Value:
    """Numbers, one for each element of an axis of x, with extents of one for its later axes."""
    vector = build.constant(tuple(numbers), x.dtype)
    later = x.type.rank - 1 - axis
    return (
        build.Unsqueeze(vector, build.index_constant(tuple(range(1, later + 1))))
        if later
        else vector
    )


def _mixed(build: Builder, likelihood: Value, mean: Value, smoothing: float) -> Value:
    """(1 - s) times the target's log-likelihood plus s times the mean of all classes'."""
    kept, spread = (build.constant(s, mean.dtype) for s in (1.0 - smoothing, smoothing))
    return build.Add(build.Mul(kept, likelihood), build.Mul(spread, mean))


def indexed_margins(
    build: Builder, scores: Value, target: Value, axis: int, margin: float
) -> Value:
    """Sum over the wrong classes of max(0, margin - y[target] + y[i]) / C, averaged.

    The right class's own term is the margin, for any scores, and is taken off again.
    """
    axes = build.index_constant((axis,))
    right = build.GatherElements(scores, build.Unsqueeze(target, axes), axis=axis)
    lacking = build.Add(build.Sub(scores, right), build.constant(margin, scores.dtype))
    sums = build.ReduceSum(build.Relu(lacking), axes, keepdims=0)
    wrong = build.Sub(sums, build.constant(margin, scores.dtype))
    classes = build.Cast(build.Shape(scores, start=axis, end=axis + 1), to=scores.dtype)
    mean = of_batch(build, build.ReduceMean(wrong, keepdims=0))
    return build.Div(mean, build.Squeeze(classes, build.index_constant((0,))))
