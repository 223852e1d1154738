"""The training part's classes -> weights with which each class counts as much as any other."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.training.class_losses import class_axis
from ...compiler.training.lossdef import (
    CLASS_WEIGHTS,
    POS_WEIGHT,
    balances_classes,
    balances_yes,
)
from ...compiler.training.objective import Objective
from ...compiler.training.terms import Term
from ...grammar.diagnostics import error
from ..feeding.samples import Samples
from ..feeding.targets import TargetFeed
from ..kerneldef import Array

READ_AT_ONCE = 256  # samples


def balanced(objective: Objective, graph: Graph, part: Samples, labels: Array | None) -> Objective:
    """The objective with numbers in place of `balanced`, of `class_weights` and `pos_weight`.

    Args:
        objective: What training minimises.
        graph: The network.
        part: The training part.
        labels: The classes of its first target that is a label, (n,), where these are known.

    Raises:
        NetError: E133, targets are no indices of classes.
    """
    losses = dict(objective.losses)
    for output, term in losses.items():
        if balances_classes(term):
            target = part.wiring.targets[output]
            weights = balanced_weights(_counts(term, output, target, part, labels))
            losses[output] = replace(term, arguments={**term.arguments, CLASS_WEIGHTS: weights})
        elif balances_yes(term):
            target, type = part.wiring.targets[output], graph.outputs[output].type
            own = type.rank > 1 and target.type.rank == type.rank
            weight = _noes_for_a_yes(target, part, class_axis(type) if own else None)
            losses[output] = replace(term, arguments={**term.arguments, POS_WEIGHT: weight})
    return replace(objective, losses=losses)


def balanced_weights(counts: Array) -> tuple[float, ...]:
    """n / (k c) for a class with c of n positions, k being the number of classes that occur.

    scikit-learn's `class_weight="balanced"` (King and Zeng 2001). What does not occur weighs 1.
    """
    occurring = counts > 0
    total, classes = counts.sum(), np.count_nonzero(occurring)
    weights = np.where(occurring, total / (classes * np.maximum(counts, 1)), 1.0)
    return tuple(map(float, weights))


def _noes_for_a_yes(
    target: TargetFeed, part: Samples, axis: int | None
) -> float | tuple[float, ...]:
    """How many noes there are for each yes, for each channel; 1 where there are not both.

    With it as `pos_weight`, yes and no weigh alike in all.
    """
    yes = no = np.zeros(1)
    for feeds in part.still(READ_AT_ONCE):
        given = feeds[target.name].astype(np.float64)
        others = tuple(place for place in range(given.ndim) if place != axis)
        yes = yes + np.nansum(given, axis=others)
        no = no + np.nansum(1 - given, axis=others)
    weights = np.where((yes > 0) & (no > 0), no / np.where(yes > 0, yes, 1.0), 1.0)
    found = tuple(map(float, weights.reshape(-1)))
    return found if len(found) > 1 else found[0]


def _counts(
    term: Term, output: str, target: TargetFeed, part: Samples, labels: Array | None
) -> Array:
    """How many positions each class has, (K,)."""
    if not target.classes:
        raise error(
            "E133",
            f"the target of `{output}` holds real numbers, and `{CLASS_WEIGHTS}=balanced` counts"
            " indices of classes",
            term.span,
            help=f"list a number for each class: `{CLASS_WEIGHTS}=[1, 3]`",
        )
    counts = np.zeros(target.classes, np.int64)
    for indices in _indices(target, part, labels):
        kept = indices[indices != target.ignored]
        counts += np.bincount(kept.ravel(), minlength=target.classes)
    return counts


def _indices(target: TargetFeed, part: Samples, labels: Array | None) -> Iterator[Array]:
    """The training part's classes, without pictures where labels are known."""
    about = part.data.about
    first = next((name for name, kind in about.kinds.items() if kind == "label"), None)
    if labels is not None and target.source == first:
        yield labels[part.indices].astype(np.int64)
        return
    for feeds in part.still(READ_AT_ONCE):
        yield feeds[target.name]
