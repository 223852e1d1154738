"""A network's losses -> what they come to while it knows nothing: its weights are close to 0."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import Graph
from ...compiler.ir.types import TensorType
from ...compiler.ops.opdef import Yields
from ...compiler.training.endings import ending
from ...compiler.training.losses import LOSSES
from ...compiler.training.objective import LOSS, Objective
from ...compiler.training.output_fit import fit
from ...compiler.training.terms import Term
from ..data.target_scaling import scaled
from ..engines.executor import run
from ..engines.plan import plan
from ..feeding.targets import TargetFeed
from ..feeding.wiring import Wiring
from ..kerneldef import Array


def expected_loss(
    graph: Graph, objective: Objective, wiring: Wiring, feeds: Mapping[str, Array]
) -> float:
    """The loss of a network whose weights are close to 0, of outputs that have targets.

    Args:
        graph: The network.
        objective: What is minimised.
        wiring: Its targets.
        feeds: A batch, whose targets determine what a constant answer costs in regression.

    Raises:
        NetError: Outputs and losses do not fit.
    """
    return weighted_sum(_of_output, graph, objective, wiring, feeds)


# The loss of an output of a graph: its name, its loss, its target, and what it is given.
OutputLoss = Callable[[Graph, str, Term, TargetFeed, Array], float]


def weighted_sum(
    of_output: OutputLoss,
    graph: Graph,
    objective: Objective,
    wiring: Wiring,
    feeds: Mapping[str, Array],
    *,
    standardized: bool = True,
) -> float:
    """The losses of the outputs that have targets, standardized or as they are, with weights."""
    total = 0.0
    for output, term in objective.comparing.losses.items():
        target = wiring.targets[output]
        given = feeds[target.name]
        if standardized:
            given = scaled(given, output, objective.standards)
        found = of_output(graph, output, term, target, given)
        total += objective.weights.get(output, 1.0) * found
    return total


def formula(graph: Graph, objective: Objective, wiring: Wiring) -> str:
    """Where an expected loss comes from, in words: `ln 10`; of several outputs each."""
    texts = []
    for output, term in objective.comparing.losses.items():
        start = LOSSES[term.name].begins(term)
        if start is None:
            texts.append(f"always answering {constant_answer(graph, output):g}")
        else:
            classes = _classes(graph, output, term, wiring.targets[output])
            texts.append(start.text.format(classes=classes))
    return " and ".join(texts)


def constant_answer(graph: Graph, output: str) -> float:
    """What an output is while all weights are 0."""
    found = ending(graph, graph.outputs[output])
    extent = graph.outputs[output].shape[found.axis] if found.axis is not None else 1
    answers = {
        Yields.PROBABILITY: 0.5,
        Yields.PROBABILITIES: 1 / extent if isinstance(extent, int) else 0.0,
    }
    return answers.get(found.kind, 0.0)


def _classes(graph: Graph, output: str, term: Term, target: TargetFeed) -> int:
    """How many classes a loss distinguishes; 0 where it is about numbers or yes and no."""
    if target.classes or LOSSES[term.name].targets.task != "classes":
        return target.classes
    value = graph.outputs[output]
    extent = value.shape[fit(graph, value, term, name=output).axis]
    return extent if isinstance(extent, int) else 0


def _of_output(graph: Graph, output: str, term: Term, target: TargetFeed, given: Array) -> float:
    row = LOSSES[term.name]
    if (start := row.begins(term)) is not None:
        classes = _classes(graph, output, term, target)
        return start.value(classes=classes, **row.settled(term.arguments))
    value = graph.outputs[output]
    found = fit(graph, value, term, name=output)
    answer = 0.0 if found.fused else constant_answer(graph, output)  # before it, logits are 0
    return constant_loss(value.type, term, target, given, answer, axis=found.axis)


def constant_loss(
    output: TensorType,
    term: Term,
    target: TargetFeed,
    given: Array,
    answer: float | Array,
    *,
    axis: int | None = None,
) -> float:
    """The loss of an answer, its classes on an axis: one number, one answer, or one per sample."""
    answers = Graph("constant")
    build = Builder(answers)
    given_answer, wanted = build.input("answer", output), build.input("target", target.type)
    answers.outputs[LOSS] = LOSSES[term.name].build(build, given_answer, wanted, term, axis=axis)
    feeds: dict[str, Any] = {
        "answer": _filled(_concrete(output, given), answer),
        "target": given,
    }
    return float(run(plan(answers, dtype="float64"), feeds, {})[LOSS])


def _filled(shape: tuple[int, ...], answer: float | Array) -> Array:
    """An answer for each sample, the same one where there are not as many."""
    size = np.size(answer)
    one = answer if size == 1 else np.reshape(answer, shape if size == prod(shape) else shape[1:])
    return np.broadcast_to(np.asarray(one, np.float64), shape)


def _concrete(output: TensorType, given: Array) -> tuple[int, ...]:
    """The output's extents, those that are open taken from the target."""
    shape = [e if isinstance(e, int) else None for e in output.shape]
    same_rank = len(shape) == given.ndim
    found = [
        given.shape[i] if e is None and (i == 0 or same_rank) else e for i, e in enumerate(shape)
    ]
    return tuple(1 if extent is None else extent for extent in found)
