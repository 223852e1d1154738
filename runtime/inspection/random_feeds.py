"""A network and its losses -> inputs and targets of the right types, drawn at random."""

import sys
from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ir.types import HolderType, TensorType
from ...compiler.training.lossdef import Values
from ...compiler.training.losses import LOSSES
from ...compiler.training.objective import Objective
from ...compiler.training.output_fit import fit, target_type
from ...grammar.diagnostics import error
from ..arrays.feeds import spell
from ..engines.lookups import lookups
from ..kerneldef import Array
from ..weights.initialize import stream

BATCH_NAME = "N"
MOST_NUMBERS = sys.maxsize // 8  # of 8 bytes each, that can be addressed


def random_feeds(
    graph: Graph, objective: Objective, *, batch: int, seed: int = 0
) -> dict[str, Array]:
    """Inputs, normal or below the size of the table that they look up, and targets, by name.

    Args:
        graph: The network.
        objective: Its losses.
        batch: How many samples.
        seed: For the draw; each array has its own stream.

    Raises:
        NetError: E565, an extent other than the batch is open; E507, nothing can hold so many
            numbers; or outputs and losses do not fit.
    """
    feeds: dict[str, Array] = {}
    tables = lookups(graph)
    for name, value in graph.inputs.items():
        shape = _shape(name, value.type, batch)
        random = stream(seed, f"input {name}")
        if value.dtype.is_float:
            feeds[name] = random.standard_normal(shape).astype(value.dtype.value)
        else:
            feeds[name] = random.integers(0, tables[name].rows if name in tables else 2, shape)
    for output, name in objective.target_names().items():
        feeds[name] = _target(graph, objective, output, batch, stream(seed, f"target {output}"))
    return feeds


def _target(
    graph: Graph, objective: Objective, output: str, batch: int, random: np.random.Generator
) -> Array:
    """A target of the type that a loss takes by default."""
    term, value = objective.losses[output], graph.outputs[output]
    type = target_type(graph, value, term, name=output)
    axis = fit(graph, value, term, name=output).axis
    shape = _shape(output, type, batch)
    if not type.dtype.is_float:
        classes = LOSSES[term.name].classes(value.type, type, axis=axis)
        return random.integers(0, classes if isinstance(classes, int) else 2, shape)
    drawn = DRAWN[LOSSES[term.name].targets.values](random, shape, axis)
    return drawn.astype(np.float32)


def _distributions(random: np.random.Generator, shape: tuple[int, ...], axis: int) -> Array:
    """Probabilities that sum to 1 along an axis."""
    drawn = random.random(shape)
    shares: Array = drawn / drawn.sum(axis=axis, keepdims=True)
    return shares


# How targets of real numbers are drawn, by what they say.
DRAWN: Mapping[Values, Callable[[np.random.Generator, tuple[int, ...], int], Array]] = {
    Values.NUMBERS: lambda random, shape, axis: random.standard_normal(shape),
    Values.SIDES: lambda random, shape, axis: random.standard_normal(shape),
    Values.PROBABILITY: lambda random, shape, axis: random.random(shape),
    Values.SOUGHT: lambda random, shape, axis: random.random(shape),
    Values.PROBABILITIES: _distributions,
}


def _shape(name: str, type: TensorType, batch: int) -> tuple[int, ...]:
    if isinstance(type, HolderType):
        help = "cut the network where its inputs are tensors"
        raise error("E565", f"`{name}` is {type}, which is not drawn at random", help=help)
    bound = type.bind({BATCH_NAME: batch})
    shape = tuple(extent for extent in bound.shape if isinstance(extent, int))
    if len(shape) < type.rank:
        raise error(
            "E565",
            f"`{name}` has open extents: {type}",
            help="name data in a `train` block, or give the input a size",
        )
    if prod(shape) > MOST_NUMBERS:
        raise error("E507", f"there is not enough memory for `{name}`: {spell(shape)} numbers")
    return shape
