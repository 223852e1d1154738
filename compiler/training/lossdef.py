"""The table of losses: all that netc knows of each loss, in one row."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY
from enum import Enum
from typing import Annotated, Any, Literal

from ...grammar.records import record
from ..expressions.arguments import FactorList, Factors, LabelName, kind_of, or_word
from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Value
from ..ir.types import DType, TensorType
from ..ops.opdef import Yields
from .class_losses import class_axis, without_axis
from .terms import Term, TermDef, TermTable, keyword_arguments

Probabilities = Callable[[Builder, Value, int], Value]

# One of several classes for each position, yes or no for each element, or numbers.
Task = Literal["classes", "decisions", "numbers"]
# What an output holds of classes and decisions.
Scores = Literal["logits", "log_probabilities", "probabilities", "margins"]


@record
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


@record
class Refusal:
    """That a loss does not take an output, and what to do instead."""

    help: str


@record
class Doubt:
    """That a loss takes an output as it is, but learns slowly, and what to do instead."""

    help: str


AS_IS: Literal["as is"] = "as is"
BEFORE: Literal["before"] = "before"  # the loss takes what comes before the output's last layer

Verdict = Literal["as is", "before"] | Refusal | Doubt


@record
class ZeroKnowledge:
    """The value of a loss while a network knows nothing, for any targets.

    Attributes:
        text: Where the number comes from, `{classes}` being how many there are.
        value: `value(classes, **arguments)`; 0 classes where targets are no indices of classes.
    """

    text: str
    value: Callable[..., float]


class Values(Enum):
    """What real numbers in a target say."""

    NUMBERS = "numbers"
    PROBABILITY = "how likely yes is"
    PROBABILITIES = "how likely each class is"
    SIDES = "yes where they are above 0"
    SOUGHT = "how likely yes is, where no formula says which constant answer is best"


@record
class LossTargets:
    """What a loss compares an output with.

    Attributes:
        task: What the output is while its targets are no indices of classes.
        types: The types that are taken for an output with classes on an axis, the one that is
            taken by default first; none where the output is not compared.
        values: What their real numbers say.
    """

    task: Task
    types: Callable[[TensorType, int], tuple[TensorType, ...]]
    values: Values

    def task_of(self, *, indexed: bool) -> Task:
        """What the output is, by whether targets are indices of classes."""
        return "classes" if indexed else self.task


@record
class LossDef(TermDef):
    """A row of the table of losses.

    Its function is `function(build, output, target, axis, **arguments)`, the mean as a scalar; the
    classes lie on `axis` of the output, and the target is None where there is none. All arguments
    have defaults.

    Attributes:
        formula: How lectures write it, by its arguments and by whether targets are class indices.
        targets: What it compares an output with.
        scores: What the output holds where its last layer says nothing else.
        fits: By what an output's last operator yields, what becomes of it; `Yields.ANYTHING`
            stands for all that are not listed.
        start: Its first value; None where that depends on the targets.
    """

    _: KW_ONLY
    formula: Callable[..., Formula]
    targets: LossTargets
    scores: Scores
    fits: Mapping[Yields, Verdict]
    start: ZeroKnowledge | None

    @property
    def compares(self) -> bool:
        """Whether it compares an output with a target."""
        return self.targets is not NOTHING

    def begins(self, term: Term) -> ZeroKnowledge | None:
        """A term's first value; None where that depends on targets, as weights do."""
        weights = (term.arguments.get(name) for name in PER_CHANNEL)
        return self.start if all(given in (None, 1.0) for given in weights) else None

    def build(
        self,
        build: Builder,
        output: Value,
        target: Value | None,
        term: Term,
        *,
        axis: int | None = None,
    ) -> Value:
        """The loss as a scalar of the output's element type.

        Args:
            build: A builder on the graph that holds `output` and `target`.
            output: What the loss takes, such as logits; see `output_fit.fit`.
            target: Of one of the types that `target_types` names; None where it compares nothing.
            term: The loss's arguments.
            axis: Where the classes lie in the output; the axis of its channels where it is None.
        """
        axis = class_axis(output.type) if axis is None else axis
        if target is not None and target.dtype.is_float and len(target.shape) < len(output.shape):
            target = build.Unsqueeze(target, build.index_constant((axis,)))
        options = {n: v for n, v in self.settled(term.arguments).items() if n != INPUT_AS_TARGET}
        if balances_classes(term):  # without a training part, all classes are as frequent
            options[CLASS_WEIGHTS] = None
        if balances_yes(term):
            options[POS_WEIGHT] = 1.0
        loss: Value = self.function(build, output, target, axis, **options)
        return loss

    def written(self, term: Term, target: TensorType | None) -> Formula:
        """The loss of such a target with its arguments, as lectures write it."""
        indexed = target is not None and not target.dtype.is_float
        return self.formula(indexed=indexed, **self.settled(term.arguments))

    def verdict(self, kind: Yields) -> Verdict:
        """What becomes of an output whose last operator yields such numbers."""
        return self.fits.get(kind, self.fits[Yields.ANYTHING])

    def target_types(
        self, output: TensorType, *, axis: int | None = None
    ) -> tuple[TensorType, ...]:
        """The types of all targets that it takes for an output of this type, its default first."""
        return self.targets.types(output, class_axis(output) if axis is None else axis)

    def classes(self, output: TensorType, target: TensorType, *, axis: int | None = None) -> Dim:
        """How many classes a target of indices counts, which must be below; 0 for real numbers."""
        if target.dtype.is_float:
            return 0
        return output.shape[class_axis(output) if axis is None else axis]


CLASS_WEIGHTS = "class_weights"
POS_WEIGHT = "pos_weight"
PER_CHANNEL = (CLASS_WEIGHTS, POS_WEIGHT)  # arguments that list a number for each channel
BALANCED = "balanced"
ClassWeights = Annotated[Any, or_word(kind_of(FactorList), BALANCED)]
YesWeights = Annotated[Any, or_word(kind_of(Factors), BALANCED)]
LOSSES = TermTable("loss", "loss", LossDef)
INPUT_AS_TARGET = "target"


def _of_comparisons(*, target: LabelName | None = None) -> None:
    """What every loss takes that compares: an input in place of a target that data give."""


def balances_classes(term: Term) -> bool:
    """Whether all classes are to count as much, however frequent they are in the training part."""
    return term.arguments.get(CLASS_WEIGHTS) == BALANCED


def balances_yes(term: Term) -> bool:
    """Whether yes and no are to count as much, however frequent they are in the training part."""
    return term.arguments.get(POS_WEIGHT) == BALANCED


COMPARING = keyword_arguments(_of_comparisons)


def nothing(output: TensorType, axis: int) -> tuple[TensorType, ...]:
    """No target."""
    return ()


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


CLASSES = LossTargets("classes", classified, Values.PROBABILITIES)
DISTRIBUTIONS = LossTargets("classes", alike, Values.PROBABILITIES)
DECISIONS = LossTargets("decisions", alike, Values.PROBABILITY)
FOCUS = LossTargets("decisions", alike, Values.SOUGHT)
MASKS = LossTargets("decisions", decided, Values.SOUGHT)
SIDES = LossTargets("decisions", decided, Values.SIDES)
NUMBERS = LossTargets("numbers", alike, Values.NUMBERS)
NOTHING = LossTargets("numbers", nothing, Values.NUMBERS)
