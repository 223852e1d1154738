"""A network's losses -> what the best answer costs: one for all samples, or one for each."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph, Value
from ...compiler.training.class_losses import class_axis
from ...compiler.training.lossdef import BALANCED, CLASS_WEIGHTS, POS_WEIGHT, Values
from ...compiler.training.losses import LOSSES
from ...compiler.training.objective import Objective
from ...compiler.training.output_fit import fit
from ...compiler.training.terms import Term
from ..feeding.targets import TargetFeed
from ..feeding.wiring import Wiring
from ..kerneldef import Array
from .expected_loss import constant_loss, weighted_sum

SHARES = np.linspace(0.02, 0.98, 49)  # answers that are tried where none is known to be best
LEAST = np.finfo(np.float64).tiny  # whose logarithm is finite
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
    return weighted_sum(_guessed, graph, objective, wiring, feeds)


def _guessed(graph: Graph, output: str, term: Term, target: TargetFeed, given: Array) -> float:
    value = graph.outputs[output]
    row = LOSSES[term.name]
    if row.targets.values is Values.SOUGHT:
        return _sought(graph, output, term, target, given)
    task = row.targets.task_of(indexed=bool(target.classes))
    if task == "classes":
        axis = fit(graph, value, term, name=output).axis
        arguments = row.settled(term.arguments)
        if given.dtype.kind == "f":
            others = tuple(i for i in range(given.ndim) if i != axis)
            means = given.mean(axis=others, keepdims=True, dtype=np.float64)
            answer = np.broadcast_to(_log_likelihoods(means, axis, arguments), given.shape)
            return constant_loss(value.type, term, target, given, answer, axis=axis)
        return OF_CLASSES[row.targets.values](_frequencies(value, axis, given, term), arguments)
    if task == "decisions":
        yes = _yes(value, given, row.targets.values)
        return OF_DECISIONS[row.targets.values](yes, row.settled(term.arguments))
    wide = given.astype(np.float64)
    answers = (np.nanmean(wide, axis=0), np.nanmedian(wide, axis=0))
    return min(constant_loss(value.type, term, target, given, answer) for answer in answers)


def least_loss(
    graph: Graph, objective: Objective, wiring: Wiring, feeds: Mapping[str, Array]
) -> float:
    """The loss of the best answer to each sample, below which no training can bring it.

    That is 0 but for probabilities as targets, and for smoothed labels, which cost their entropy.

    Args:
        graph: The network.
        objective: What is minimised.
        wiring: Its targets.
        feeds: A batch.

    Raises:
        NetError: Outputs and losses do not fit.
    """
    return weighted_sum(_least, graph, objective, wiring, feeds, standardized=False)


def _least(graph: Graph, output: str, term: Term, target: TargetFeed, given: Array) -> float:
    value, row = graph.outputs[output], LOSSES[term.name]
    arguments = row.settled(term.arguments)
    if row.targets.values is Values.PROBABILITY:
        own = given.ndim == len(value.shape)
        last = np.moveaxis(given, class_axis(value.type), -1) if own else given[..., None]
        return _entropies(last.astype(np.float64), arguments)
    if row.targets.values is not Values.PROBABILITIES:
        return 0.0
    axis = fit(graph, value, term, name=output).axis
    if given.dtype.kind == "f":
        answer = _log_likelihoods(given.astype(np.float64), axis, arguments)
        return constant_loss(value.type, term, target, given, answer, axis=axis)
    frequencies = _frequencies(value, axis, given, term)
    costs = _entropies_of(_wanted(np.eye(len(frequencies)), arguments))
    return float(frequencies @ costs / _mean_weight(frequencies, arguments))


def _frequencies(value: Value, axis: int, given: Array, term: Term) -> Array:
    """How frequent each class is, (K,)."""
    counted = given[(given >= 0) & (given != term.arguments.get("ignore_index"))]
    extent = value.shape[axis]
    counts = np.bincount(counted.ravel(), minlength=extent if isinstance(extent, int) else 0)
    frequencies: Array = counts / (counts.sum() or 1)
    return frequencies


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


def _weights(arguments: Mapping[str, Any]) -> Array:
    """How much classes weigh; 1 where a loss has no weights, or all are alike."""
    given = arguments.get(CLASS_WEIGHTS)
    return np.asarray(1.0 if given in (None, BALANCED) else given, np.float64)


def _wanted(probabilities: Array, arguments: Mapping[str, Any]) -> Array:
    """What a loss multiplies -log q of each class by, w ((1 - s) t + s / K), on the last axis."""
    smoothing = arguments.get("label_smoothing", 0.0)
    mixed = (1 - smoothing) * probabilities + smoothing / max(probabilities.shape[-1], 1)
    wanted: Array = _weights(arguments) * mixed
    return wanted


def _mean_weight(frequencies: Array, arguments: Mapping[str, Any]) -> float:
    """What the loss of class indices is divided by."""
    return float((frequencies * _weights(arguments)).sum()) or 1.0


def _log_likelihoods(probabilities: Array, axis: int, arguments: Mapping[str, Any]) -> Array:
    """The best answer to targets that are always these: log q of the classes on an axis."""
    wanted = _wanted(np.moveaxis(probabilities, axis, -1), arguments)
    shares = wanted / np.maximum(wanted.sum(axis=-1, keepdims=True), LEAST)
    return np.moveaxis(np.log(np.maximum(shares, LEAST)), -1, axis)


def _entropies_of(wanted: Array) -> Array:
    """The least -sum a log q over the last axis, that of q = a / sum a."""
    total = wanted.sum(axis=-1, keepdims=True)
    costs: Array = (total * _terms(wanted / np.maximum(total, LEAST))).sum(axis=-1)
    return costs


def _entropy(frequencies: Array, arguments: Mapping[str, Any]) -> float:
    """That of the mean over all positions."""
    cost = float(_entropies_of(_wanted(frequencies, arguments)))
    return cost / _mean_weight(frequencies, arguments)


def _entropies(yes: Array, arguments: Mapping[str, Any]) -> float:
    """The mean over all known labels of the entropy of yes, as much as it weighs, and no."""
    given = arguments[POS_WEIGHT]
    weighed = yes * np.asarray(1.0 if given == BALANCED else given, np.float64)
    total = weighed + (1 - yes)
    share = weighed / total
    return float(np.nanmean(total * (_terms(share) + _terms(1 - share))))


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
