"""A loss -> how its output is read, and which metrics suit it."""

from collections.abc import Mapping

from ...compiler.ops.opdef import Yields
from ...compiler.training.lossdef import Scores, Task
from ...compiler.training.losses import LOSSES
from .outputs import Boxes, OutputForm

# By the task of an output, the metrics that training shows, and those that an evaluation adds.
FOLLOWING: Mapping[Task, tuple[str, ...]] = {
    "classes": ("accuracy",),
    "decisions": ("accuracy",),
    "numbers": ("mae",),
}
EVALUATING: Mapping[Task, tuple[str, ...]] = {
    "classes": ("balanced_accuracy", "precision", "recall", "f1"),
    "decisions": ("precision", "recall", "f1", "roc_auc", "average_precision"),
    "numbers": ("rmse", "r2"),
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
    row = LOSSES[loss]
    task = row.targets.task_of(indexed=indexed)
    scores = SCORES.get(ending, row.scores)
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
    task = LOSSES[loss].targets.task_of(indexed=indexed)
    is_of_pixels = positions and task != "numbers"
    return ("iou", *FOLLOWING[task]) if is_of_pixels else FOLLOWING[task]


def thorough(
    loss: str, *, classes: int = 0, positions: bool = False, indexed: bool = False
) -> tuple[str, ...]:
    """The metrics of an evaluation: those to follow, and more. Arguments as `suitable` has."""
    task = LOSSES[loss].targets.task_of(indexed=indexed)
    first = suitable(loss, classes=classes, positions=positions, indexed=indexed)
    many, more = task == "classes", EVALUATING[task]
    if positions:  # every pixel's score would have to be kept
        more = tuple(name for name in more if name not in ("roc_auc", "average_precision"))
    elif many and classes == 2:
        more = (*more, "roc_auc", "average_precision")
    return (*first, *(["top_5"] if many and classes >= FROM_TOP_5 else []), *more)
