"""What training minimises: a loss for each output that has one, and penalties on the weights."""

from collections.abc import Mapping
from dataclasses import field, replace

from ...grammar.diagnostics import error
from ...grammar.records import record
from ..ir.graph import Graph, Value
from ..ir.scalars import SCALARS, scalar_name
from ..ir.types import TensorType
from ..passes.rewrite import rewrite
from ..passes.shards import Shard
from .averages import LossBuilder, ShardBuilder, of_batch
from .losses import LOSSES
from .output_fit import (
    compared_input,
    each_loss,
    input_as_target,
    named_output,
    target_type,
    total_loss,
)
from .regularizers import penalty
from .standard import Standard
from .terms import Term

LOSS = "loss"
TARGET = "target"


@record
class Objective:
    """What training minimises.

    Attributes:
        losses: The loss of each output that has one, by the output's name.
        weights: What each loss is multiplied by; 1 where it is left out.
        regularize: Penalties on the weights.
        standards: In what unit outputs are trained, of those whose targets are brought to one of
            their own; targets and outputs of a graph with losses are in the unit of the data.
        complete: The outputs of whose targets nothing is to be left out, as far as data know.
    """

    losses: Mapping[str, Term]
    weights: Mapping[str, float] = field(default_factory=dict)
    regularize: tuple[Term, ...] = ()
    standards: Mapping[str, Standard] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()

    @property
    def is_of_numbers(self) -> bool:
        """Whether no loss is about classes or decisions."""
        return all(LOSSES[term.name].targets.task == "numbers" for term in self.losses.values())

    def target_names(self) -> dict[str, str]:
        """The name of each target that data give: `target` or, of several, `target.<output>`.

        Losses that compare an output with an input, or with nothing, have none.
        """
        given = [
            output
            for output, term in self.losses.items()
            if LOSSES[term.name].compares and input_as_target(term) is None
        ]
        if len(given) == 1:
            return dict.fromkeys(given, TARGET)
        return {output: f"{TARGET}.{output}" for output in given}

    def inputs_as_targets(self) -> dict[str, str]:
        """The input that is the target of an output, for each output that has such a target."""
        named = {output: input_as_target(term) for output, term in self.losses.items()}
        return {output: name for output, name in named.items() if name is not None}

    def loss_names(self) -> dict[str, str]:
        """What the loss of each output is called: `loss` or, of several, `loss.<output>`."""
        if len(self.losses) == 1:
            return dict.fromkeys(self.losses, LOSS)
        return {output: f"{LOSS}.{output}" for output in self.losses}

    @property
    def comparing(self) -> "Objective":
        """The losses that compare an output with a target, alone."""
        kept = {name: term for name, term in self.losses.items() if LOSSES[term.name].compares}
        return replace(self, losses=kept)


def add_loss(
    graph: Graph,
    objective: Objective,
    targets: Mapping[str, TensorType] | None = None,
    *,
    shards: bool = False,
) -> Graph:
    """A network with targets, as inputs, and the loss, as the output `loss`.

    Of several losses each is an output `loss.<output>`, too, without its weight.

    Args:
        graph: The network, mode-neutral; it stays as it is.
        objective: What to minimise.
        targets: The types of targets by the output's name, where they are not the losses' first
            choice; see `target_types`.
        shards: Whether the graph is to see a shard of each batch; losses are its parts then, which
            sum to those of the batch.

    Raises:
        NetError: Outputs and losses do not fit (E132), or a name is taken (E134).
    """
    target = rewrite(graph, {})
    build = LossBuilder(target, scope=LOSS)
    if shards:
        build = ShardBuilder(target, scope=LOSS, shard=Shard.of(build))
    check_free(target, LOSS)
    values: dict[str, Value] = {}
    for output, name in objective.target_names().items():
        check_free(target, name)
        term = objective.losses[output]
        value = named_output(target, output, term)
        type = (targets or {}).get(output) or target_type(target, value, term, name=output)
        values[output] = build.input(name, type)
    for output in objective.inputs_as_targets():
        values[output] = compared_input(target, output, objective.losses[output])
    for output, standard in objective.standards.items():
        values[output] = standard.scaled(build, values[output])
    losses = each_loss(build, target.outputs, values, objective.losses, objective.complete)
    for output, standard in objective.standards.items():
        target.outputs[output] = standard.restored(build, target.outputs[output])
    names = objective.loss_names()
    check_free(target, *names.values())
    loss = total_loss(build, losses, objective.weights)
    added = penalty(build, objective.regularize)
    target.outputs |= {names[output]: value for output, value in losses.items()}
    target.outputs[LOSS] = loss if added is None else build.Add(loss, of_batch(build, added))
    return target


def check_names(graph: Graph, objective: Objective) -> None:
    """Refuse a network that calls its own what any step of its training needs a name for.

    Raises:
        NetError: E134.
    """
    names = (*objective.target_names().values(), *objective.loss_names().values())
    check_free(graph, LOSS, *(scalar_name(graph, scalar) for scalar in SCALARS), *names)


def check_free(graph: Graph, *names: str) -> None:
    """Refuse a network that calls its own what training needs a name for.

    Raises:
        NetError: E134, an input, a weight or an output has such a name.
    """
    tables = {"an input": graph.inputs, "a weight": graph.parameters, "an output": graph.outputs}
    for kind, table in tables.items():
        for name in filter(table.__contains__, names):
            raise error(
                "E134",
                f"the network has {kind} `{name}`, a name that training needs for itself",
                graph.producer(table[name]).span,
                help="give it another name",
            )
