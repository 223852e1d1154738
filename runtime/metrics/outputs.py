"""A network's outputs and targets, as they come in batches -> scores and answers in plain tables.

What an output means (one of several classes, yes or no, numbers) is said once, by an
`OutputForm`; metrics then need not know about axes, logits or ignored positions.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...compiler.training.lossdef import Scores, Task
from ...grammar.diagnostics import NetError, error
from ..kerneldef import Array

Boxes = Literal["corners", "size", "center"]

# Where an unsaid threshold lies: at even odds, which is 0 for margins.
THRESHOLDS: dict[Scores, float] = {
    "logits": 0.5,
    "log_probabilities": 0.5,
    "probabilities": 0.5,
    "margins": 0.0,
}


@dataclass(frozen=True, slots=True)
class OutputForm:
    """How an output and its target are read.

    Attributes:
        task: `classes`, one of several for each position; `decisions`, yes or no for each
            element; `numbers`, such as coordinates.
        axis: Where classes, or the labels of decisions, lie in the output; None where an element
            is all there is to a decision. It counts as in the whole batch: 1 for (N, C, H, W).
        scores: What the output holds for classes and decisions.
        threshold: From which probability (for margins: score) on the answer is yes, or the second
            one of two classes; None for even odds, which for classes is the largest score.
        ignore_index: The class of positions that count for nothing; None where there is none.
        names: The names of the classes or labels, or nothing.
        boxes: What the four numbers of a box are: (x1, y1, x2, y2), (x, y, width, height), or
            (center x, center y, width, height).
    """

    task: Task
    axis: int | None = 1
    scores: Scores = "logits"
    threshold: float | None = None
    ignore_index: int | None = -100
    names: tuple[str, ...] = ()
    boxes: Boxes = "corners"


def table(form: OutputForm, output: Array, target: Array) -> tuple[Array, Array]:
    """Scores and answers, a row for each position that counts.

    Args:
        form: How they are read; its task is `classes` or `decisions`.
        output: Of shape (N, ...) with the classes or labels on the form's axis.
        target: For classes the index for each position, or a number (one-hot) for each class.
            For decisions of the output's shape, where a single label's axis may be left out;
            NaN is not known.

    Returns:
        For classes, scores of shape (P, K) and the index of the right class (P,). For decisions,
        scores (P, L) and 1 for yes, 0 for no and -1 for not known (P, L).

    Raises:
        NetError: E551, they do not fit together, or the output holds NaN.
    """
    output, target = np.asarray(output), np.asarray(target)
    if np.isnan(output).any():
        count = int(np.isnan(output).sum())
        raise unfit(
            f"{count} of {output.size} scores are not numbers",
            "a network that predicts NaN has no accuracy: find the step at which it broke",
        )
    read = _labelled if form.task == "classes" else _decided
    return read(form, output, target)


def _labelled(form: OutputForm, output: Array, target: Array) -> tuple[Array, Array]:
    axis = _axis(form, output)
    if target.ndim == output.ndim and target.shape == output.shape:
        target = _likeliest(target, axis)
    positions = output.shape[:axis] + output.shape[axis + 1 :]
    if target.shape != positions:
        raise _shapes(output, target)
    scores = np.moveaxis(output, axis, -1).reshape(-1, output.shape[axis])
    index = target.reshape(-1)
    kept = index != form.ignore_index
    if not kept.all():
        scores, index = scores[kept], index[kept]
    return scores, _checked(index, scores.shape[1], form)


def _likeliest(target: Array, axis: int) -> Array:
    """The class that a target of probabilities names."""
    index: Array = np.argmax(target, axis=axis)
    return index


def _checked(index: Array, classes: int, form: OutputForm) -> Array:
    """The indices of classes as integers, none of them out of range."""
    with np.errstate(invalid="ignore"):  # NaN is found below
        whole = index.astype(np.int64)
    if index.dtype.kind == "f" and not (whole == index).all():
        raise unfit("the target holds classes that are not integers", "give class indices")
    wrong = whole[(whole < 0) | (whole >= classes)]
    if wrong.size:
        raise unfit(
            f"the target holds class {wrong[0]}, and the output has {classes} classes",
            f"classes count from 0 to {classes - 1}"
            + ("" if form.ignore_index is None else f"; {form.ignore_index} is left out"),
        )
    return whole


def _decided(form: OutputForm, output: Array, target: Array) -> tuple[Array, Array]:
    axis = None if form.axis is None or output.ndim < 2 else _axis(form, output)
    if axis is not None and output.shape[axis] == 1 and target.ndim == output.ndim - 1:
        target = np.expand_dims(target, axis)
    if target.shape != output.shape:
        raise _shapes(output, target)
    # Targets of margins are 1 and -1, or 1 and 0; others are probabilities.
    yes = target > 0 if form.scores == "margins" else target >= 0.5
    answers = np.where(np.isnan(target), -1, yes).astype(np.int8)
    if axis is None:
        return output.reshape(-1, 1), answers.reshape(-1, 1)
    labels = output.shape[axis]
    return (
        np.moveaxis(output, axis, -1).reshape(-1, labels),
        np.moveaxis(answers, axis, -1).reshape(-1, labels),
    )


def predicted(form: OutputForm, scores: Array) -> Array:
    """The class for each row of scores (P, K) as (P,), or yes or no for each of (P, L).

    Raises:
        NetError: E551, a threshold for more than two classes.
    """
    threshold = form.threshold
    if form.task == "decisions":
        least = THRESHOLDS[form.scores] if threshold is None else threshold
        answers: Array = (positive_scores(form, scores) >= least).astype(np.int64)
        return answers
    if threshold is None:
        largest: Array = np.argmax(scores, axis=1)
        return largest
    if scores.shape[1] != 2:
        raise unfit(
            f"a threshold decides between two classes, but there are {scores.shape[1]}",
            "leave the threshold out: the class with the largest score is taken",
        )
    second: Array = (positive_scores(form, scores)[:, 1] >= threshold).astype(np.int64)
    return second


def positive_scores(form: OutputForm, scores: Array) -> Array:
    """Scores as probabilities, in float64; margins as they are, of two classes their difference.

    Classes (P, K) add up to 1; decisions (P, L) are each by itself.
    """
    x = scores.astype(np.float64)
    if form.scores == "probabilities":
        return x
    if form.scores == "margins":
        if form.task == "classes" and x.shape[1] == 2:
            return x - x[:, ::-1]
        return x
    if form.scores == "log_probabilities":
        powers: Array = np.exp(x)
        return powers
    return softmax(x) if form.task == "classes" else sigmoid(x)


def softmax(x: Array) -> Array:
    """exp x / sum exp x along the last axis, without overflow."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp -x), without overflow."""
    power = np.exp(-np.abs(x))
    result: Array = np.where(x >= 0, 1.0, power) / (1.0 + power)
    return result


def _axis(form: OutputForm, output: Array) -> int:
    if form.axis is None or not -output.ndim <= form.axis < output.ndim:
        raise unfit(
            f"an output of shape {output.shape} has no axis of classes",
            "end in a layer with a unit or channel for each class",
        )
    return form.axis % output.ndim


def unfit(what: str, help: str) -> NetError:
    """The error for a metric that does not fit what it is to measure."""
    return error("E551", what, help=help)


def _shapes(output: Array, target: Array) -> NetError:
    return unfit(
        f"an output of shape {output.shape} cannot be compared with a target of shape"
        f" {target.shape}",
        "give a target for each output",
    )
