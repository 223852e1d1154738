"""A network's losses -> what the best answer costs that is the same for every sample."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph, Value
from ...compiler.training.class_losses import class_axis
from ...compiler.training.lossdef import Values
from ...compiler.training.losses import LOSSES
from ...compiler.training.objective import Objective
from ...compiler.training.output_fit import fit
from ...compiler.training.terms import Term
from ..data.target_scaling import scaled
from ..feeding.targets import TargetFeed
from ..feeding.wiring import Wiring
from ..kerneldef import Array
from .expected_loss import constant_loss

SHARES = np.linspace(0.02, 0.98, 49)  # answers that are tried where none is known to be best
Guess = Callable[[Array, Mapping[str, Any]], float]


def guessed_loss(
    graph: Graph, objective: Objective, wiring: Wiring, feeds: Mapping[str, Array]
) -> float:
    """The loss of the best answer that is the same for all samples, of outputs that have targets.

    Of classes it is the entropy of their frequencies, ln K for K that are equally frequent; of
    numbers the loss of their mean or median, which for `mse` is the targets' variance.

    Args:
        graph: The network.
        objective: What is minimised.
        wiring: Its targets.
        feeds: A batch, whose targets determine which answer that is.

    Raises:
        NetError: Outputs and losses do not fit.
    """
    total = 0.0
    for output, term in objective.comparing.losses.items():
        target = wiring.targets[output]
        given = scaled(feeds[target.name], output, objective.standards)
        found = _guessed(graph, output, term, target, given)
        total += objective.weights.get(output, 1.0) * found
    return total


def _guessed(graph: Graph, output: str, term: Term, target: TargetFeed, given: Array) -> float:
    value = graph.outputs[output]
    row = LOSSES[term.name]
    if row.targets.values is Values.SOUGHT:
        return _sought(graph, output, term, target, given)
    task = row.targets.task_of(indexed=bool(target.classes))
    if task == "classes":
        axis = fit(graph, value, term, name=output).axis
        frequencies = _frequencies(value, axis, given, term)
        if given.dtype.kind == "f":
            answer = _log_likelihoods(frequencies, axis, given.shape, row.settled(term.arguments))
            return constant_loss(value.type, term, target, given, answer, axis=axis)
        return OF_CLASSES[row.targets.values](frequencies, row.settled(term.arguments))
    if task == "decisions":
        yes = _yes(value, given, row.targets.values)
        return OF_DECISIONS[row.targets.values](yes, row.settled(term.arguments))
    wide = given.astype(np.float64)
    answers = (np.nanmean(wide, axis=0), np.nanmedian(wide, axis=0))
    return min(constant_loss(value.type, term, target, given, answer) for answer in answers)


def _frequencies(value: Value, axis: int, given: Array, term: Term) -> Array:
    """How frequent each class is, (K,)."""
    if given.dtype.kind == "f":
        others = tuple(i for i in range(given.ndim) if i != axis)
        return np.asarray(given.mean(axis=others, dtype=np.float64))
    counted = given[(given >= 0) & (given != term.arguments.get("ignore_index"))]
    extent = value.shape[axis]
    counts = np.bincount(counted.ravel(), minlength=extent if isinstance(extent, int) else 0)
    weighed = counts * _weights(term, "class_weights")
    frequencies: Array = weighed / (weighed.sum() or 1)
    return frequencies


def _weights(term: Term, name: str) -> Array:
    """How much classes, or yes, weigh; 1 where nothing says so."""
    given = term.arguments.get(name)
    return np.asarray(1.0 if given is None else given, np.float64)


def _sought(graph: Graph, output: str, term: Term, target: TargetFeed, given: Array) -> float:
    """The least loss of an answer that is the same for all channels, too."""
    value = graph.outputs[output]
    found = fit(graph, value, term, name=output)
    odds = LOSSES[term.name].scores == "logits"
    answers = np.log(SHARES / (1 - SHARES)) if odds else SHARES
    return min(
        constant_loss(value.type, term, target, given, float(answer), axis=found.axis)
        for answer in answers
    )


def _yes(value: Value, given: Array, values: Values) -> Array:
    """How frequent yes is, for each label that has its own channel."""
    wide = given.astype(np.float64)
    if values is Values.SIDES:
        wide = np.where(np.isnan(wide), wide, wide > 0)
    own = wide.ndim == len(value.shape) and wide.ndim > 1
    channel = class_axis(value.type) if own else None
    others = tuple(i for i in range(wide.ndim) if i != channel)
    yes: Array = np.clip(np.nanmean(wide, axis=others), 0.0, 1.0)
    return yes


def _log_likelihoods(
    frequencies: Array, axis: int, shape: tuple[int, ...], arguments: Mapping[str, Any]
) -> Array:
    """One sample's answer, log q of each class on the axis, for targets of a shape."""
    mixed = np.maximum(_mixed(frequencies, arguments), np.finfo(np.float64).tiny)
    others = tuple(i - 1 for i in range(1, len(shape)) if i != axis)
    return np.broadcast_to(np.expand_dims(np.log(mixed), others), shape[1:])


def _mixed(frequencies: Array, arguments: Mapping[str, Any]) -> Array:
    """Frequencies that label smoothing, where a loss has it, has mixed with equal ones."""
    smoothing = arguments.get("label_smoothing", 0.0)
    mixed: Array = (1 - smoothing) * frequencies + smoothing / max(len(frequencies), 1)
    return mixed


def _entropy(frequencies: Array, arguments: Mapping[str, Any]) -> float:
    """-sum q log q."""
    return float(_terms(_mixed(frequencies, arguments)).sum())


def _entropies(yes: Array, arguments: Mapping[str, Any]) -> float:
    """The mean over the labels of the entropy of yes, as much as it weighs, and no."""
    weighed = yes * np.asarray(arguments["pos_weight"], np.float64)
    total = weighed + (1 - yes)
    share = weighed / total
    return float(np.mean(total * (_terms(share) + _terms(1 - share))))


def _terms(q: Array) -> Array:
    """-q log q, which is 0 where q is."""
    return -q * np.log(np.where(q > 0, q, 1.0))


def _most_frequent(frequencies: Array, arguments: Mapping[str, Any]) -> float:
    """The hinge loss of scores that are the margin for the most frequent class, and else 0."""
    return float(arguments["margin"] * (1 - frequencies.max(initial=0.0)))


def _more_frequent(yes: Array, arguments: Mapping[str, Any]) -> float:
    """The hinge loss of scores at the margin, on the side of the more frequent answer."""
    return float(2 * arguments["margin"] * np.mean(np.minimum(yes, 1 - yes)))


# What a guess costs, by what targets say.
OF_CLASSES: Mapping[Values, Guess] = {
    Values.PROBABILITIES: _entropy,
    Values.SIDES: _most_frequent,
}
OF_DECISIONS: Mapping[Values, Guess] = {
    Values.PROBABILITY: _entropies,
    Values.SIDES: _more_frequent,
}
