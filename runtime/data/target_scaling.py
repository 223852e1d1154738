"""Targets of the training part -> what is subtracted and multiplied, for losses, and undone."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ...compiler.training.standard import Standard
from ...compiler.training.terms import Term
from ..kerneldef import Array
from .faults import unfit
from .preprocessing import PREPROCESSORS, FittedArrays

Parts = Callable[[], Iterator[Array]]


def fit_targets(
    choices: Mapping[str, Term], parts: Callable[[str], Parts]
) -> dict[str, FittedArrays]:
    """Fit what is done to targets before a loss takes them, by the output's name.

    Args:
        choices: Preprocessing by the output's name.
        parts: For an output, its targets in the training part, in pieces and its output's shape,
            again each time; NaN is what is not known.

    Raises:
        NetError: E530, no target of an output is known, or `scale` maps all to one number.
    """
    for output, term in choices.items():
        if all(np.isnan(part).all() for part in parts(output)()):
            raise unfit(
                f"`{term.name}` needs targets of `{output}`, and all in the training part are"
                " missing",
                "look at how the file writes numbers, or train on other samples",
            )
    return {
        output: PREPROCESSORS[term.name].fit(parts(output), **term.arguments)
        for output, term in choices.items()
    }


def standard_of(arrays: FittedArrays) -> Standard:
    """What was fitted to the targets of an output, as the graph of a loss takes it."""
    return Standard(
        np.asarray(arrays.get("shift", np.zeros(1, np.float32))),
        np.asarray(arrays.get("factor", np.ones(1, np.float32))),
    )


def scaled(targets: Array, output: str, standards: Mapping[str, Standard]) -> Array:
    """Targets of an output as its loss takes them."""
    own = standards.get(output)
    return targets if own is None else np.asarray((targets - own.shift) * own.factor)


def restored(outputs: Mapping[str, Array], fitted: Mapping[str, FittedArrays]) -> dict[str, Array]:
    """Outputs in the unit of the data, of such that were trained on scaled targets."""
    found = dict(outputs)
    for output, arrays in fitted.items():
        if output in found:
            own = standard_of(arrays)
            found[output] = (found[output] / own.factor + own.shift).astype(found[output].dtype)
    return found
