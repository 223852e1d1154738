"""A network's losses -> what the best answer costs that is the same for every sample."""

from collections.abc import Callable, Mapping

import numpy as np

from ...compiler.ir.graph import Graph, Value
from ...compiler.training.class_losses import class_axis
from ...compiler.training.losses import LOSSES
from ...compiler.training.objective import Objective
from ...compiler.training.output_fit import fit
from ...compiler.training.terms import Term
from ..kerneldef import Array
from ..training.parts import Target, Wiring
from .expected_loss import constant_loss

Guess = Callable[[Array, Term], float]


def guessed_loss(
    graph: Graph, objective: Objective, wiring: Wiring, feeds: Mapping[str, Array]
) -> float:
    """The loss, without penalties, of the best answer that is the same for all samples.

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
    for output, term in objective.losses.items():
        target = wiring.targets[output]
        found = _guessed(graph, output, term, target, feeds[target.name])
        total += objective.weights.get(output, 1.0) * found
    return total


def _guessed(graph: Graph, output: str, term: Term, target: Target, given: Array) -> float:
    value = graph.outputs[output]
    full = Term(term.kind, term.name, {**LOSSES[term.name].defaults, **term.arguments})
    if term.name in ("cross_entropy", "nll") or (term.name == "hinge" and target.classes):
        axis = fit(graph, value, term, name=output).axis
        return OF_CLASSES[term.name](_frequencies(value, axis, given, full), full)
    if term.name in OF_DECISIONS:
        return OF_DECISIONS[term.name](_yes(value, given, term), full)
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
    frequencies: Array = counts / max(counts.sum(), 1)
    return frequencies


def _yes(value: Value, given: Array, term: Term) -> Array:
    """How frequent yes is, for each label that has its own channel."""
    wide = given.astype(np.float64)
    if term.name == "hinge":
        wide = np.where(np.isnan(wide), wide, wide > 0)
    own = wide.ndim == len(value.shape) and wide.ndim > 1
    channel = class_axis(value.type) if own else None
    others = tuple(i for i in range(wide.ndim) if i != channel)
    yes: Array = np.clip(np.nanmean(wide, axis=others), 0.0, 1.0)
    return yes


def _entropy(frequencies: Array, term: Term) -> float:
    """-sum q log q, of frequencies that label smoothing has mixed."""
    smoothing = term.arguments.get("label_smoothing", 0.0)
    mixed = (1 - smoothing) * frequencies + smoothing / max(len(frequencies), 1)
    return float(_terms(mixed).sum())


def _entropies(yes: Array, term: Term) -> float:
    """The mean over the labels of the entropy of yes and no."""
    return float(np.mean(_terms(yes) + _terms(1 - yes)))


def _terms(q: Array) -> Array:
    """-q log q, which is 0 where q is."""
    return -q * np.log(np.where(q > 0, q, 1.0))


def _most_frequent(frequencies: Array, term: Term) -> float:
    """The hinge loss of scores that are the margin for the most frequent class, and else 0."""
    return float(term.arguments["margin"] * (1 - frequencies.max(initial=0.0)))


def _more_frequent(yes: Array, term: Term) -> float:
    """The hinge loss of scores at the margin, on the side of the more frequent answer."""
    return float(2 * term.arguments["margin"] * np.mean(np.minimum(yes, 1 - yes)))


OF_CLASSES: Mapping[str, Guess] = {
    "cross_entropy": _entropy,
    "nll": _entropy,
    "hinge": _most_frequent,
}
OF_DECISIONS: Mapping[str, Guess] = {
    "binary_cross_entropy": _entropies,
    "hinge": _more_frequent,
}
