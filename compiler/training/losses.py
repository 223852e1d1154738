"""The table of losses: an output and a target -> one number, in ordinary operators.

A loss is one function: its keyword-only signature is its parameter list, as for layers. Means are
PyTorch's; where nothing is left to average over (every class index is ignored, no target is
given), a loss is 0.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log
from typing import Any, get_type_hints

from ..expressions.arguments import Flag, Integer, Kind, PositiveReal, Rate, kind_of
from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Value
from ..ir.types import DType, TensorType
from .averages import Given, masked_mean, sample_mean
from .class_losses import class_axis, indexed_margins, mean_log_likelihood, without_axis
from .terms import Term

LossFunction = Callable[..., Value]
Targets = Callable[[TensorType, int], tuple[TensorType, ...]]
Probabilities = Callable[[Builder, Value, int], Value]


@dataclass(frozen=True, slots=True)
class Formula:
    """How lectures write a loss, for pictures: y is the output, t the target, a hyphen a minus.

    Attributes:
        loss: The loss itself; N counts samples, or positions that have a class each, and n all
            elements of the output.
        gradient: Its derivative by what it takes.
        probabilities: What p stands for in them: a function of logits and the axis of the
            classes; None where there is no p.
    """

    loss: str
    gradient: str
    probabilities: Probabilities | None = None


@dataclass(frozen=True, slots=True)
class LossDef:
    """A row of the table of losses.

    Attributes:
        name: The loss's name in the language.
        function: `function(build, output, target, axis, **arguments)`, the mean as a scalar; the
            classes lie on `axis` of the output.
        accepts: The types of targets that it takes for an output with classes on an axis, the
            one that it takes by default first.
        kinds: What each argument accepts, in the order of the signature.
        defaults: The arguments that may be left out: all.
        number: Which argument takes a positional number.
        formula: How lectures write it, by its arguments and by whether targets are class indices.
    """

    name: str
    function: LossFunction
    accepts: Targets
    formula: Callable[..., Formula]
    kinds: Mapping[str, Kind]
    defaults: Mapping[str, Any]
    number: str | None

    def build(
        self, build: Builder, output: Value, target: Value, term: Term, *, axis: int | None = None
    ) -> Value:
        """The loss as a scalar of the output's element type.

        Args:
            build: A builder on the graph that holds `output` and `target`.
            output: What the loss takes, such as logits; see `output_fit.fit`.
            target: Of one of the types that `targets` names.
            term: The loss's arguments.
            axis: Where the classes lie in the output; the axis of its channels where it is None.
        """
        axis = class_axis(output.type) if axis is None else axis
        if target.dtype.is_float and len(target.shape) < len(output.shape):
            target = build.Unsqueeze(target, build.index_constant((axis,)))
        return self.function(build, output, target, axis, **{**self.defaults, **term.arguments})

    def written(self, term: Term, target: TensorType) -> Formula:
        """The loss of such a target with its arguments, as lectures write it."""
        indexed = not target.dtype.is_float
        return self.formula(indexed=indexed, **{**self.defaults, **term.arguments})

    def target(self, output: TensorType) -> TensorType:
        """The type of the target that an output of this type is compared with by default."""
        return self.targets(output)[0]

    def targets(self, output: TensorType, *, axis: int | None = None) -> tuple[TensorType, ...]:
        """The types of all targets that it takes for an output of this type."""
        return self.accepts(output, class_axis(output) if axis is None else axis)

    def classes(self, output: TensorType, target: TensorType, *, axis: int | None = None) -> Dim:
        """How many classes a target of indices counts, which must be below; 0 for real numbers."""
        if target.dtype.is_float:
            return 0
        return output.shape[class_axis(output) if axis is None else axis]


LOSSES: dict[str, LossDef] = {}


def alike(output: TensorType, axis: int) -> tuple[TensorType, ...]:
    """Targets of the output's own type; a single channel's axis may be left out."""
    if output.rank < 2 or output.shape[axis] != 1:
        return (output,)
    return (output, output.with_shape(without_axis(output.shape, axis)))


def classified(output: TensorType, axis: int) -> tuple[TensorType, ...]:
    """A class index per position, or a probability (such as one-hot) for each class."""
    return (TensorType(DType.INT64, without_axis(output.shape, axis)), output)


def decided(output: TensorType, axis: int) -> tuple[TensorType, ...]:
    """Yes or no for each element, or with several channels rather the index of the right one."""
    if output.rank < 2 or output.shape[axis] == 1:
        return alike(output, axis)
    return classified(output, axis)


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


def _sides_or_classes(margin: float, *, indexed: bool) -> Formula:
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


def loss(
    name: str,
    *,
    formula: Callable[..., Formula],
    accepts: Targets = alike,
    number: str | None = None,
) -> Callable[[LossFunction], LossFunction]:
    """Enter the decorated function into the table of losses."""

    def register(function: LossFunction) -> LossFunction:
        if name in LOSSES:
            raise ValueError(f"loss {name} is defined twice")
        hints = get_type_hints(function, include_extras=True)
        signature = inspect.signature(function).parameters.values()
        arguments = [p for p in signature if p.kind is inspect.Parameter.KEYWORD_ONLY]
        LOSSES[name] = LossDef(
            name=name,
            function=function,
            accepts=accepts,
            kinds={p.name: kind_of(hints[p.name]) for p in arguments},
            defaults={p.name: p.default for p in arguments},
            number=number,
            formula=formula,
        )
        return function

    return register


@loss(
    "cross_entropy",
    formula=_smoothed,
    accepts=classified,
)
def cross_entropy(
    build: Builder,
    logits: Value,
    target: Value,
    axis: int,
    *,
    ignore_index: Integer = -100,
    label_smoothing: Rate = 0.0,
) -> Value:
    """-log softmax(logits)[target], PyTorch's `CrossEntropyLoss`, the mean over all positions.

    Targets are class indices, or probabilities t of all classes: -sum t log softmax(logits).
    Positions of the class `ignore_index` count for nothing. With label smoothing the target is
    (1 - s) t + s / C (Szegedy et al. 2016, section 7).
    """
    predicted = build.LogSoftmax(logits, axis=axis)
    return mean_log_likelihood(
        build, predicted, target, axis, ignore_index=ignore_index, smoothing=label_smoothing
    )


@loss("nll", formula=lambda **_: Formula("-1/N ∑ t y", "-t / N"), accepts=classified)
def negative_log_likelihood(
    build: Builder, predicted: Value, target: Value, axis: int, *, ignore_index: Integer = -100
) -> Value:
    """-log p[target] of log-probabilities, PyTorch's `NLLLoss`, the mean over all positions."""
    return mean_log_likelihood(build, predicted, target, axis, ignore_index=ignore_index)


@loss(
    "binary_cross_entropy",
    formula=lambda **_: Formula("-1/n ∑ (t log p + (1 - t) log(1 - p))", "(p - t) / n", sigmoid),
)
def binary_cross_entropy(build: Builder, logits: Value, target: Value, axis: int) -> Value:
    """-t log p - (1 - t) log(1 - p) with p = sigmoid(x), the mean over all elements.

    PyTorch's `BCEWithLogitsLoss`, as max(0, x) + log(1 + exp(-|x|)) - x t, which never overflows.
    """
    given = Given.of(build, target, logits.dtype)
    error = build.Sub(build.Softplus(logits), build.Mul(logits, given.target))
    return masked_mean(build, given.only(build, error), given.mask)


@loss("mse", formula=_half_or_mean)
def mean_squared_error(
    build: Builder, output: Value, target: Value, axis: int, *, half: Flag = False
) -> Value:
    """(y - t)^2, PyTorch's `MSELoss`, the mean over all elements.

    With `half` it is 1/2 sum (y - t)^2 over each sample's elements, the mean over the samples:
    the lectures' E, whose gradient with respect to one sample's output is y - t.
    """
    given = Given.of(build, target, output.dtype)
    error = given.error(build, output)
    squares = build.Mul(error, error)
    if not half:
        return masked_mean(build, squares, given.mask)
    return build.Mul(build.constant(0.5, output.dtype), sample_mean(build, squares))


@loss("mae", formula=lambda **_: Formula("1/n ∑ |y - t|", "sign(y - t) / n"))
def mean_absolute_error(build: Builder, output: Value, target: Value, axis: int) -> Value:
    """|y - t|, PyTorch's `L1Loss`, the mean over all elements."""
    given = Given.of(build, target, output.dtype)
    return masked_mean(build, build.Abs(given.error(build, output)), given.mask)


@loss(
    "huber",
    formula=lambda delta, **_: Formula(
        f"1/n ∑ huber(y - t, δ={delta:g})", f"clip(y - t, ±{delta:g}) / n"
    ),
    number="delta",
)
def huber(
    build: Builder, output: Value, target: Value, axis: int, *, delta: PositiveReal = 1.0
) -> Value:
    """e^2 / 2 up to delta and delta (|e| - delta / 2) beyond, e = y - t (Huber 1964).

    PyTorch's `HuberLoss`, the mean over all elements: with c = e clipped to +-delta, c (e - c/2).
    """
    given = Given.of(build, target, output.dtype)
    error = given.error(build, output)
    bounds = (build.constant(bound, output.dtype) for bound in (-delta, delta))
    clipped = build.Clip(error, *bounds)
    half = build.Mul(build.constant(0.5, output.dtype), clipped)
    return masked_mean(build, build.Mul(clipped, build.Sub(error, half)), given.mask)


@loss("log_cosh", formula=lambda **_: Formula("1/n ∑ log cosh(y - t)", "tanh(y - t) / n"))
def log_cosh(build: Builder, output: Value, target: Value, axis: int) -> Value:
    """log cosh(y - t), the mean over all elements.

    As log(1 + exp(2 e)) - e - log 2, which is |e| - log 2 for large errors, never overflows, and
    is smooth at 0, too: its gradient is tanh(e).
    """
    given = Given.of(build, target, output.dtype)
    error = given.error(build, output)
    doubled = build.Mul(build.constant(2.0, error.dtype), error)
    raised = build.Sub(build.Softplus(doubled), error)
    lowered = build.Sub(raised, build.constant(log(2.0), error.dtype))
    return masked_mean(build, given.only(build, lowered), given.mask)


@loss(
    "hinge",
    formula=_sides_or_classes,
    accepts=decided,
    number="margin",
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
    given = Given.of(build, target, scores.dtype)
    zero, one, minus = (build.constant(number, scores.dtype) for number in (0.0, 1.0, -1.0))
    side = build.Where(build.Greater(given.target, zero), one, minus)
    reached = build.Sub(build.constant(margin, scores.dtype), build.Mul(side, scores))
    return masked_mean(build, given.only(build, build.Relu(reached)), given.mask)
