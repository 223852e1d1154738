"""A network and what is differentiated -> its chain rule, with formulas and an input's numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .compiler.emit.chain_rule import ChainRule, LossBox, differentiate
from .compiler.emit.circuit import Circuit, circuit_of
from .compiler.ir.builder import Builder
from .compiler.ir.graph import Graph, Output
from .compiler.model import Model
from .compiler.passes.set_mode import set_mode
from .compiler.training.losses import LOSSES
from .compiler.training.objective import LOSS, Objective, add_loss
from .compiler.training.output_fit import fit
from .compiler.training.regularizers import REGULARIZERS, penalty_scope
from .compiler.training.terms import Term
from .gradients import objective_of, own_value, with_targets
from .runtime.engines.executor import run
from .runtime.engines.plan import plan
from .runtime.kerneldef import Array
from .runtime.weights.initialize import initialize

if TYPE_CHECKING:
    from .training import Loss


MOST_WRITTEN = 4  # of an array that are written on an arrow; of larger ones, the extents


@dataclass(frozen=True)
class Differentiated:
    """A chain rule, its losses as formulas, numbers on wires, and the graph with its layers."""

    rule: ChainRule
    losses: list[LossBox]
    numbers: Mapping[Output, str]
    graph: Graph

    def circuit(self) -> Circuit:
        """Parts and wires, operator by operator."""
        return circuit_of(self.rule, self.losses, self.numbers)


def chain_rule(
    model: Model,
    *,
    loss: "Loss | None" = None,
    of: str | None = None,
    inputs: Mapping[str, Array] | None = None,
    targets: Mapping[str, Array] | None = None,
    state: Mapping[str, Array] | None = None,
    seed: int = 0,
) -> "Differentiated":
    """Forward and backward graph, with formulas and numbers.

    Args:
        model: The network.
        loss: What is differentiated; where neither it nor a `train` block names a loss, the only
            output, or the sum of all outputs.
        of: A value of the network to differentiate in place of a loss.
        inputs: A batch by the input's name, whose numbers are shown on the arrows; with a loss,
            `targets` by the output's name as well.
        targets: See `inputs`.
        state: Weights for the numbers; drawn with `seed` where it is None.
        seed: See `state`.

    Raises:
        NetError: There is no gradient (E131), or an input does not fit.
    """
    feeds: dict[str, Any] = dict(inputs or {})
    has_loss = of is None and (loss is not None or model.recipe is not None)
    own_value(model, loss, of)
    boxes: list[LossBox] = []
    layered = model.graph
    if not has_loss:
        graph = set_mode(model.graph, training=False)
    else:
        objective = objective_of(model, loss)
        layered = add_loss(model.graph, objective)
        if inputs is None:
            graph = set_mode(layered, training=False)
        else:
            graph, feeds = with_targets(model, feeds, targets or {}, loss=loss, training=False)
        boxes = _loss_boxes(graph, objective, feeds)
    rule = differentiate(graph, of=LOSS if has_loss else of)
    found = {} if inputs is None else _numbers(rule, feeds, state or initialize(graph, seed))
    return Differentiated(rule, boxes, found, layered)


def _loss_boxes(graph: Graph, objective: Objective, feeds: Mapping[str, Any]) -> list[LossBox]:
    """The losses of a graph as formulas; their probabilities become outputs `p` of it."""
    boxes: list[LossBox] = []
    targets = objective.target_names() | objective.inputs_as_targets()
    for output, term in objective.losses.items():
        target, scope = targets.get(output), f"{LOSS}.{output}"
        found = fit(graph, graph.outputs[output], term, name=output)
        type = None if target is None else graph.inputs[target].type
        formula = LOSSES[term.name].written(term, type)
        probabilities = None
        if formula.probabilities is not None:
            probabilities = "p" if len(objective.losses) == 1 else f"p.{output}"
            build = Builder(graph, scope=f"{scope}.p")
            value = found.ending.output
            graph.outputs[probabilities] = (
                value if found.fused else formula.probabilities(build, value, found.axis)
            )
        known = _partly_known(term, feeds.get(target) if target else None)
        text = f"{formula.loss}, where t is known" if known else formula.loss
        boxes.append(LossBox(scope, text, formula.gradient, output, target, probabilities))
    return [*boxes, *_penalty_boxes(objective)]


def _penalty_boxes(objective: Objective) -> Iterator[LossBox]:
    """The penalties of an objective as formulas."""
    for number, term in enumerate(objective.regularize):
        formula = REGULARIZERS[term.name].written(term)
        yield LossBox(penalty_scope(LOSS, number), formula.loss, formula.gradient)


def _partly_known(term: Term, target: Array | None) -> bool:
    """Whether some targets count for nothing: NaN, or the class that the loss ignores."""
    if target is None:
        return False
    if target.dtype.kind == "f":
        return bool(np.isnan(target).any())
    return bool((target == term.arguments.get("ignore_index", -100)).any())


def _numbers(
    rule: ChainRule, feeds: Mapping[str, Any], state: Mapping[str, Array]
) -> dict[Output, str]:
    """The labels of the arrows: the values of the whole graph for an input."""
    values = {f"{node}:{output}": value for (node, output), value in rule.shown().items()}
    graph: Graph = rule.graph
    kept = graph.outputs
    graph.outputs = values
    arrays = run(plan(graph), feeds, state)
    graph.outputs = kept
    return {(value.node, value.output): spell_array(arrays[name]) for name, value in values.items()}


def spell_array(array: Array) -> str:
    """Numbers as shown on an arrow; only the extents of large arrays."""
    if array.size > MOST_WRITTEN:
        return "\N{MULTIPLICATION SIGN}".join(map(str, array.shape))
    numbers = [_spell(number) for number in array.ravel().tolist()]
    if array.size == 1:
        return numbers[0]
    rows = array.reshape(-1, array.shape[-1])
    if len(rows) == 1:
        return f"[{', '.join(numbers)}]"
    width = array.shape[-1]
    lines = [", ".join(numbers[i : i + width]) for i in range(0, array.size, width)]
    return f"[{'; '.join(lines)}]"


def _spell(number: float) -> str:
    """A number with three digits, and a real minus sign; -0 is 0."""
    return f"{number + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")
