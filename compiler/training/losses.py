"""The losses: an output and a target -> one number, in ordinary operators.

A loss is one function: its keyword-only signature is its parameter list, as for layers, and
its row says all else. Means are PyTorch's; where nothing is left to average over (every class
index is ignored, no target is given), a loss is 0.
"""

from collections.abc import Mapping
from functools import partial
from math import log

from ..expressions.arguments import (
    Flag,
    Integer,
    NonNegativeReal,
    OptionalProbability,
    PositiveReal,
    Rate,
)
from ..ir.builder import Builder
from ..ir.graph import Value
from ..ops.building import plus, times
from ..ops.opdef import Yields
from .averages import MaskedTarget, masked_mean, of_batch, sample_mean
from .class_losses import along, indexed_margins, mean_log_likelihood
from .lossdef import (
    AS_IS,
    BEFORE,
    CLASSES,
    COMPARING,
    DECISIONS,
    DISTRIBUTIONS,
    FOCUS,
    LOSSES,
    MASKS,
    NOTHING,
    NUMBERS,
    SIDES,
    ClassWeights,
    Doubt,
    Formula,
    Refusal,
    Verdict,
    YesWeights,
    ZeroKnowledge,
)

__all__ = ["LOSSES"]

loss = partial(LOSSES.enter, after=COMPARING)

LEAST_MISSED = 1e-12  # whose powers below 1 have finite gradients
DROPPED = Refusal("put the `DROPOUT` before the last layer that has weights")

# What losses take that turn logits into probabilities of classes.
CLASS_LOGITS: Mapping[Yields, Verdict] = {
    Yields.PROBABILITIES: BEFORE,
    Yields.LOG_PROBABILITIES: BEFORE,
    Yields.PROBABILITY: Refusal(
        "use `binary_cross_entropy` for classes that are not mutually exclusive, or end in"
        " `SOFTMAX`"
    ),
    Yields.ACTIVATIONS: Refusal("end in `SOFTMAX`, or in a layer without an activation"),
    Yields.NOISE: DROPPED,
    Yields.ANYTHING: AS_IS,
}

# What losses take that turn logits into probabilities of yes.
DECISION_LOGITS: Mapping[Yields, Verdict] = {
    Yields.PROBABILITY: BEFORE,
    Yields.PROBABILITIES: Refusal(
        "use `cross_entropy` for mutually exclusive classes, or end in `SIGMOID`"
    ),
    Yields.LOG_PROBABILITIES: Refusal("use `cross_entropy` or `nll`, or end in `SIGMOID`"),
    Yields.ACTIVATIONS: Refusal("end in `SIGMOID`, or in a layer without an activation"),
    Yields.NOISE: DROPPED,
    Yields.ANYTHING: AS_IS,
}

# A loss of the difference between output and target, which fits everything.
of_difference = partial(
    loss,
    targets=NUMBERS,
    scores="logits",
    fits={
        Yields.PROBABILITIES: Doubt("use `cross_entropy`, whose gradient does not vanish there"),
        Yields.ANYTHING: AS_IS,
    },
    start=None,
)

# -log p of equally likely classes is ln K, whatever the target, also a smoothed one.
EQUALLY_LIKELY = ZeroKnowledge("ln {classes}", lambda classes, **_: log(classes))


def softmax(build: Builder, logits: Value, axis: int) -> Value:
    """The probabilities of classes that exclude each other."""
    return build.Softmax(logits, axis=axis)


def sigmoid(build: Builder, logits: Value, axis: int) -> Value:
    """The probability of yes, for each element."""
    return build.Sigmoid(logits)


def _smoothed(label_smoothing: float, **_: object) -> Formula:
    if not label_smoothing:
        return Formula("-1/N ∑ t log p", "(p - t) / N", softmax)
    s = f"{label_smoothing:g}"
    t = f"((1 - {s}) t + {s} / C)"
    return Formula(f"-1/N ∑ {t} log p", f"(p - {t}) / N", softmax)


def _focused(gamma: float, **_: object) -> Formula:
    focus = f"a (1 - q)^{gamma:g}"
    slope = f"±{focus} ({gamma:g} q log q + q - 1) / n"
    return Formula(f"-1/n ∑ {focus} log q", slope, sigmoid)


def _sides_or_classes(margin: float, *, indexed: bool, **_: object) -> Formula:
    m = f"{margin:g}"
    if not indexed:
        return Formula(f"1/n ∑ max(0, {m} - t y)", f"-t / n where t y < {m}")
    lacking = f"{m} - y[t] + y[i]"
    return Formula(
        f"1/n ∑ max(0, {lacking}), i ≠ t", f"1 / n where {lacking} > 0, at t minus their sum"
    )


def _half_or_mean(half: bool, **_: object) -> Formula:
    if half:
        return Formula("1/2N ∑ (y - t)²", "(y - t) / N")
    return Formula("1/n ∑ (y - t)²", "2 (y - t) / n")


@loss(
    "cross_entropy",
    formula=_smoothed,
    targets=CLASSES,
    scores="logits",
    fits=CLASS_LOGITS,
    start=EQUALLY_LIKELY,
)
def cross_entropy(
    build: Builder,
    logits: Value,
    target: Value,
    axis: int,
    *,
    ignore_index: Integer = -100,
    label_smoothing: Rate = 0.0,
    class_weights: ClassWeights | None = None,
) -> Value:
    """-log softmax(logits)[target], PyTorch's `CrossEntropyLoss`, the mean over all positions.

    Targets are class indices, or probabilities t of all classes: -sum t log softmax(logits).
    Positions of the class `ignore_index` count for nothing. With label smoothing the target is
    (1 - s) t + s / C (Szegedy et al. 2016, section 7). With weights of classes, positions count as
    much as their classes weigh.
    """
    predicted = build.LogSoftmax(logits, axis=axis)
    return mean_log_likelihood(
        build,
        predicted,
        target,
        axis,
        ignore_index=ignore_index,
        smoothing=label_smoothing,
        weights=class_weights,
    )


@loss(
    "nll",
    formula=lambda **_: Formula("-1/N ∑ t y", "-t / N"),
    targets=CLASSES,
    scores="log_probabilities",
    fits={
        Yields.LOG_PROBABILITIES: AS_IS,
        Yields.LOGARITHM: AS_IS,
        Yields.PROBABILITIES: Refusal(
            "end in `LOGSOFTMAX`, or use `cross_entropy`, which takes `SOFTMAX`"
        ),
        Yields.ANYTHING: Refusal(
            "it takes log-probabilities: end in `LOGSOFTMAX`, or use `cross_entropy`"
        ),
    },
    start=EQUALLY_LIKELY,
)
def negative_log_likelihood(
    build: Builder,
    predicted: Value,
    target: Value,
    axis: int,
    *,
    ignore_index: Integer = -100,
    class_weights: ClassWeights | None = None,
) -> Value:
    """-log p[target] of log-probabilities, PyTorch's `NLLLoss`, the mean over all positions."""
    return mean_log_likelihood(
        build, predicted, target, axis, ignore_index=ignore_index, weights=class_weights
    )


@loss(
    "kl_divergence",
    formula=lambda **_: Formula("1/N ∑ t log(t / p)", "(p - t) / N", softmax),
    targets=DISTRIBUTIONS,
    scores="logits",
    fits=CLASS_LOGITS,
    start=None,
)
def kl_divergence(build: Builder, logits: Value, target: Value, axis: int) -> Value:
    """Sum t log(t / softmax(logits)), 0 where t is 0, over each sample, the mean over the samples.

    PyTorch's `KLDivLoss(reduction="batchmean")` on log-probabilities (Kullback and Leibler 1951).
    """
    zero, one = (build.constant(number, target.dtype) for number in (0.0, 1.0))
    known = build.Log(build.Where(build.Greater(target, zero), target, one))
    missed = build.Sub(known, build.LogSoftmax(logits, axis=axis))
    return sample_mean(build, build.Mul(target, missed))


@loss(
    "binary_cross_entropy",
    formula=lambda **_: Formula("-1/n ∑ (t log p + (1 - t) log(1 - p))", "(p - t) / n", sigmoid),
    targets=DECISIONS,
    scores="logits",
    fits=DECISION_LOGITS,
    start=ZeroKnowledge("ln 2", lambda **_: log(2.0)),
)
def binary_cross_entropy(
    build: Builder, logits: Value, target: Value, axis: int, *, pos_weight: YesWeights = 1.0
) -> Value:
    """-w t log p - (1 - t) log(1 - p) with p = sigmoid(x), the mean over all elements.

    PyTorch's `BCEWithLogitsLoss`, as max(0, x) + log(1 + exp(-|x|)) - x t, which never overflows.
    The weight w of yes is one number, or one for each channel.
    """
    given = MaskedTarget.of(build, target, logits.dtype)
    error = _decided(build, logits, given.target)
    if pos_weight != 1.0:
        weights = (pos_weight,) if isinstance(pos_weight, float) else pos_weight
        more = along(build, [weight - 1.0 for weight in weights], logits, axis)
        missed = build.Mul(given.target, build.Softplus(build.Neg(logits)))
        error = build.Add(error, build.Mul(more, missed))
    return masked_mean(build, given.only(build, error), given.mask)


def _decided(build: Builder, logits: Value, target: Value) -> Value:
    """-t log p - (1 - t) log(1 - p) of each element."""
    return build.Sub(build.Softplus(logits), build.Mul(logits, target))


@loss(
    "focal",
    formula=_focused,
    targets=FOCUS,
    scores="logits",
    fits=DECISION_LOGITS,
    start=None,
    numbers=("gamma", "alpha"),
)
def focal(
    build: Builder,
    logits: Value,
    target: Value,
    axis: int,
    *,
    gamma: NonNegativeReal = 2.0,
    alpha: OptionalProbability = 0.25,
) -> Value:
    """Binary cross-entropy times (1 - q)^gamma, q what the target gets (Lin et al. 2017).

    q = p t + (1 - p)(1 - t), with p = sigmoid(x), the mean over all elements; yes is weighed by
    alpha and no by 1 - alpha. torchvision's `sigmoid_focal_loss`.
    """
    given = MaskedTarget.of(build, target, logits.dtype)
    t, p = given.target, build.Sigmoid(logits)
    missed = build.Sub(build.Add(p, t), build.Mul(times(build, p, 2.0), t))  # 1 - q
    least = build.constant(LEAST_MISSED, p.dtype)
    focus = build.Pow(build.Max(missed, least), build.constant(gamma, p.dtype))
    error = build.Mul(_decided(build, logits, t), focus)
    if alpha is not None:
        error = build.Mul(error, plus(build, times(build, t, 2 * alpha - 1), 1 - alpha))
    return masked_mean(build, given.only(build, error), given.mask)


@loss(
    "dice",
    formula=lambda smooth, **_: Formula(
        f"1 - mean (2 ∑ y t + {smooth:g}) / (∑ y + ∑ t + {smooth:g})",
        "-2 t / (∑ y + ∑ t) + 2 ∑ y t / (∑ y + ∑ t)²",
    ),
    targets=MASKS,
    scores="probabilities",
    fits={
        Yields.PROBABILITY: AS_IS,
        Yields.PROBABILITIES: AS_IS,
        Yields.ANYTHING: Refusal("it takes probabilities: end in `SIGMOID`, or in `SOFTMAX`"),
    },
    start=None,
    numbers=("smooth",),
)
def dice(
    build: Builder, output: Value, target: Value, axis: int, *, smooth: PositiveReal = 1e-5
) -> Value:
    """1 - (2 sum y t + s) / (sum y + sum t + s) over each channel's positions (Milletari 2016).

    The mean over samples and channels, as MONAI's `DiceLoss`. Class indices are masks of each
    class.
    """
    if not target.dtype.is_float:
        target = _one_hot(build, target, output, axis)
    given = MaskedTarget.of(build, target, output.dtype)
    axes = [i for i in range(1, output.type.rank) if i != axis]

    def total(x: Value) -> Value:
        return build.ReduceSum(x, build.index_constant(tuple(axes)), keepdims=0) if axes else x

    seen = given.only(build, output)
    shared = total(build.Mul(seen, given.target))
    sizes = build.Add(total(seen), total(given.target))
    found = build.Div(plus(build, times(build, shared, 2.0), smooth), plus(build, sizes, smooth))
    missed = build.Sub(build.constant(1.0, output.dtype), build.ReduceMean(found, keepdims=0))
    return of_batch(build, missed)


def _one_hot(build: Builder, index: Value, output: Value, axis: int) -> Value:
    """1 for the class of each position, and 0 for the others, in the output's shape."""
    classes = output.shape[axis]
    assert isinstance(classes, int)
    numbers = build.Cast(along(build, range(classes), output, axis), to=index.dtype)
    found = build.Equal(build.Unsqueeze(index, build.index_constant((axis,))), numbers)
    return build.Cast(found, to=output.dtype)


@of_difference("mse", formula=_half_or_mean)
def mean_squared_error(
    build: Builder, output: Value, target: Value, axis: int, *, half: Flag = False
) -> Value:
    """(y - t)^2, PyTorch's `MSELoss`, the mean over all elements.

    With `half` it is 1/2 sum (y - t)^2 over each sample's elements, the mean over the samples:
    the lectures' E, whose gradient with respect to one sample's output is y - t.
    """
    given = MaskedTarget.of(build, target, output.dtype)
    error = given.error(build, output)
    squares = build.Mul(error, error)
    if not half:
        return masked_mean(build, squares, given.mask)
    return build.Mul(build.constant(0.5, output.dtype), sample_mean(build, squares))


@of_difference("mae", formula=lambda **_: Formula("1/n ∑ |y - t|", "sign(y - t) / n"))
def mean_absolute_error(build: Builder, output: Value, target: Value, axis: int) -> Value:
    """|y - t|, PyTorch's `L1Loss`, the mean over all elements."""
    given = MaskedTarget.of(build, target, output.dtype)
    return masked_mean(build, build.Abs(given.error(build, output)), given.mask)


@of_difference(
    "huber",
    formula=lambda delta, **_: Formula(
        f"1/n ∑ huber(y - t, δ={delta:g})", f"clip(y - t, ±{delta:g}) / n"
    ),
    numbers=("delta",),
)
def huber(
    build: Builder, output: Value, target: Value, axis: int, *, delta: PositiveReal = 1.0
) -> Value:
    """e^2 / 2 up to delta and delta (|e| - delta / 2) beyond, e = y - t (Huber 1964).

    PyTorch's `HuberLoss`, the mean over all elements: with c = e clipped to +-delta, c (e - c/2).
    """
    given = MaskedTarget.of(build, target, output.dtype)
    error = given.error(build, output)
    bounds = (build.constant(bound, output.dtype) for bound in (-delta, delta))
    clipped = build.Clip(error, *bounds)
    half = build.Mul(build.constant(0.5, output.dtype), clipped)
    return masked_mean(build, build.Mul(clipped, build.Sub(error, half)), given.mask)


@of_difference("log_cosh", formula=lambda **_: Formula("1/n ∑ log cosh(y - t)", "tanh(y - t) / n"))
def log_cosh(build: Builder, output: Value, target: Value, axis: int) -> Value:
    """log cosh(y - t), the mean over all elements.

    As log(1 + exp(2 e)) - e - log 2, which is |e| - log 2 for large errors, never overflows, and
    is smooth at 0, too: its gradient is tanh(e).
    """
    given = MaskedTarget.of(build, target, output.dtype)
    error = given.error(build, output)
    doubled = build.Mul(build.constant(2.0, error.dtype), error)
    raised = build.Sub(build.Softplus(doubled), error)
    lowered = build.Sub(raised, build.constant(log(2.0), error.dtype))
    return masked_mean(build, given.only(build, lowered), given.mask)


@loss(
    "hinge",
    formula=_sides_or_classes,
    targets=SIDES,
    scores="margins",
    fits={
        Yields.PROBABILITIES: Refusal(
            "it takes scores: remove the `SOFTMAX`, or use `cross_entropy`"
        ),
        Yields.LOG_PROBABILITIES: Refusal("it takes scores: remove the `LOGSOFTMAX`, or use `nll`"),
        Yields.PROBABILITY: Refusal(
            "it takes scores: remove the `SIGMOID`, or use `binary_cross_entropy`"
        ),
        Yields.ACTIVATIONS: Refusal(
            "it takes unbounded numbers: end in a layer without an activation, such as `FC` or"
            " `CONV`"
        ),
        Yields.NOISE: DROPPED,
        Yields.ANYTHING: AS_IS,
    },
    # A score of 0 falls short of every margin.
    start=ZeroKnowledge(
        "scores of 0", lambda classes, margin, **_: margin * (1 - 1 / classes if classes else 1)
    ),
    numbers=("margin",),
)
def hinge(
    build: Builder, scores: Value, target: Value, axis: int, *, margin: PositiveReal = 1.0
) -> Value:
    """max(0, margin - t y), t = 1 or -1, the mean over all elements: a linear SVM's.

    Targets of 0 and less are -1, so both {-1, 1} and {0, 1} will do. Of class indices, PyTorch's
    `MultiMarginLoss`: the sum over all wrong classes of max(0, margin - y[target] + y[i]), divided
    by the number of classes (Weston and Watkins 1999), the mean over all positions.
    """
    if not target.dtype.is_float:
        return indexed_margins(build, scores, target, axis, margin)
    given = MaskedTarget.of(build, target, scores.dtype)
    zero, one, minus = (build.constant(number, scores.dtype) for number in (0.0, 1.0, -1.0))
    side = build.Where(build.Greater(given.target, zero), one, minus)
    reached = build.Sub(build.constant(margin, scores.dtype), build.Mul(side, scores))
    return masked_mean(build, given.only(build, build.Relu(reached)), given.mask)


@LOSSES.enter(
    "minimize",
    formula=lambda **_: Formula("1/n ∑ y", "1 / n"),
    targets=NOTHING,
    scores="logits",
    fits={Yields.ANYTHING: AS_IS},
    start=None,
)
def minimize(build: Builder, output: Value, target: None, axis: int) -> Value:
    """The output as it is, the mean over all elements: a loss that the network computes itself.

    A divergence between distributions is one, or a penalty on activations.
    """
    return of_batch(build, build.ReduceMean(output, keepdims=0))
