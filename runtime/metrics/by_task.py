"""The task of an output -> the metrics that suit it."""

from collections.abc import Mapping

from ...compiler.training.lossdef import Task

# The metrics that training shows, and those that an evaluation adds.
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
FROM_TOP_5 = 10  # classes, from which on the five likeliest say something


def training_metrics(task: Task, *, positions: bool = False) -> tuple[str, ...]:
    """The metrics to follow in training.

    Args:
        task: What the output is.
        positions: Whether each sample has many answers, such as a class for each pixel.
    """
    is_of_pixels = positions and task != "numbers"
    return ("iou", *FOLLOWING[task]) if is_of_pixels else FOLLOWING[task]


def evaluation_metrics(task: Task, *, classes: int = 0, positions: bool = False) -> tuple[str, ...]:
    """The metrics of an evaluation: those to follow, and more; `classes` counts them."""
    many, more = task == "classes", EVALUATING[task]
    if positions:  # every pixel's score would have to be kept
        more = tuple(name for name in more if name not in ("roc_auc", "average_precision"))
    elif many and classes == 2:
        more = (*more, "roc_auc", "average_precision")
    top = ["top_5"] if many and classes >= FROM_TOP_5 else []
    return (*training_metrics(task, positions=positions), *top, *more)
