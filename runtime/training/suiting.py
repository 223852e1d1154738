"""A loss -> how its output is read, and which metrics suit it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ...compiler.ops.opdef import Yields
from .outputs import Boxes, OutputForm, Scores, Task


@dataclass(frozen=True, slots=True)
class Suit:
    """What suits a loss.

    Attributes:
        task: What its output is.
        scores: What its output holds where the last layer says nothing else.
        following: The metrics that training shows.
        evaluating: Those that an evaluation adds.
    """

    task: Task
    scores: Scores
    following: tuple[str, ...]
    evaluating: tuple[str, ...]


_CLASSES = ("balanced_accuracy", "precision", "recall", "f1")
_YES_OR_NO = ("precision", "recall", "f1", "roc_auc", "average_precision")
_NUMBERS = Suit("numbers", "logits", ("mae",), ("rmse", "r2"))

SUITS: Mapping[str, Suit] = {
    "binary_cross_entropy": Suit("decisions", "logits", ("accuracy",), _YES_OR_NO),
    "cross_entropy": Suit("classes", "logits", ("accuracy",), _CLASSES),
    "hinge": Suit("decisions", "margins", ("accuracy",), _YES_OR_NO),
    "huber": _NUMBERS,
    "log_cosh": _NUMBERS,
    "mae": _NUMBERS,
    "mse": _NUMBERS,
    "nll": Suit("classes", "log_probabilities", ("accuracy",), _CLASSES),
}

# What an output holds by what its last operator yields.
SCORES: Mapping[Yields, Scores] = {
    Yields.LOG_PROBABILITIES: "log_probabilities",
    Yields.PROBABILITY: "probabilities",
    Yields.PROBABILITIES: "probabilities",
}
FROM_TOP_5 = 10  # classes, from which on the five likeliest say something


def output_form(
    loss: str,
    *,
    ending: Yields = Yields.ANYTHING,
    axis: int | None = 1,
    indexed: bool = False,
    threshold: float | None = None,
    ignore_index: int | None = -100,
    names: tuple[str, ...] = (),
    boxes: Boxes = "corners",
) -> OutputForm:
    """How the output that has a loss is read.

    Args:
        loss: The loss's name.
        ending: What the output's last operator yields.
        axis: Where its classes or labels lie.
        indexed: Whether targets are indices of classes, which for `hinge` is not said by its name.
        threshold: The probability at or above which a sample counts as positive.
        ignore_index: The class that counts for nothing.
        names: The names of classes.
        boxes: What the four numbers of a box are.
    """
    suit = SUITS[loss]
    task: Task = "classes" if indexed and suit.task == "decisions" else suit.task
    scores = SCORES.get(ending, suit.scores)
    return OutputForm(task, axis, scores, threshold, ignore_index, names, boxes)


def suitable(
    loss: str, *, classes: int = 0, positions: bool = False, indexed: bool = False
) -> tuple[str, ...]:
    """The metrics to follow while training on a loss.

    Args:
        loss: The loss's name.
        classes: How many there are.
        positions: Whether each sample has many answers, such as a class for each pixel.
        indexed: Whether targets are indices of classes.
    """
    suit = SUITS[loss]
    if suit.task == "numbers":
        return suit.following
    return ("iou", *suit.following) if positions else suit.following


def thorough(
    loss: str, *, classes: int = 0, positions: bool = False, indexed: bool = False
) -> tuple[str, ...]:
    """The metrics of an evaluation: those to follow, and more. Arguments as `suitable` has."""
    suit = SUITS[loss]
    first = suitable(loss, classes=classes, positions=positions, indexed=indexed)
    if suit.task == "numbers":
        return (*first, *suit.evaluating)
    many = indexed or suit.task == "classes"
    more = _CLASSES if many else suit.evaluating
    if positions:  # every pixel's score would have to be kept
        more = tuple(name for name in more if name not in ("roc_auc", "average_precision"))
    elif many and classes == 2:
        more = (*more, "roc_auc", "average_precision")
    return (*first, *(["top_5"] if many and classes >= FROM_TOP_5 else []), *more)
