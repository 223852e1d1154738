"""A network and a recipe -> one graph that is one step of training: loss, gradients, updates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import PARAMETER, Graph, Node, Value
from ..ir.types import TensorType
from ..ops.opdef import Operands
from ..passes.append_backward import append_gradients
from ..passes.eliminate_dead_nodes import eliminate_dead_nodes
from ..passes.pipeline import Pass, in_mode, run_passes
from ..passes.rewrite import rewrite
from ..passes.shards import SHARD_INPUTS
from ..passes.training_mode import NEXT
from .descent import AVERAGE, Descent, append_updates
from .factors import check_patterns
from .objective import Objective, add_loss, check_free, check_names
from .rank_sums import sum_over_ranks
from .weights import regularized


@dataclass(frozen=True, slots=True)
class TrainStep:
    """One step of training as one graph, which any engine can run.

    Attributes:
        graph: Its inputs are those of the network, the targets, the scalars `step` (from 0), `lr`
            and `momentum` (see `scalar_name`), and all state by name. Its outputs are those of the
            network, `loss`, and `<name>.next` for all state that changes. Gradients are its labels
            `<name>.grad`.
        state: The types of parameters, buffers and the optimizer's tensors, by name.
        slots: Those of the state that belong to the optimizer and start as zeros.
        targets: The types of the targets, by name.
        averages: Of weights whose moving average is kept, its name in the state by theirs.
    """

    graph: Graph
    state: Mapping[str, TensorType]
    slots: frozenset[str]
    targets: Mapping[str, TensorType]
    averages: Mapping[str, str]

    def averaged(self, state: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Weights as they are measured and saved: their averages where these are kept."""
        return {name: state[self.averages.get(name, name)] for name in names}


def train_step(
    graph: Graph,
    objective: Objective,
    descent: Descent,
    *,
    targets: Mapping[str, TensorType] | None = None,
    seed: int = 0,
    shards: bool = False,
    sync_bn: bool = False,
) -> TrainStep:
    """Build the step of training of a network.

    Args:
        graph: The network, mode-neutral.
        objective: What to minimise.
        descent: How weights follow their gradients.
        targets: The types of targets by the output's name, where they are not the usual ones.
        seed: Of the noise (Dropout and the like).
        shards: Whether the step sees a shard of each batch, and sums over all ranks.
        sync_bn: Whether BatchNormalization, too, is by the whole batch then.

    Raises:
        NetError: Loss and network do not fit, a name is taken (E134), or a gradient is asked for
            where there is none; E563, a pattern fits no weight.
    """
    check_names(graph, objective)
    for factors in (descent.lr_factors, descent.decay):
        check_patterns(factors if isinstance(factors, Mapping) else {}, list(graph.parameters))
    with_loss = add_loss(graph, objective, targets, shards=shards)
    ours = {*graph.inputs, *SHARD_INPUTS}
    given = {name: v.type for name, v in with_loss.inputs.items() if name not in ours}
    mode = in_mode(training=True, seed=seed, shards=shards, sync_bn=sync_bn)
    step = run_passes(with_loss, (mode,))  # ours, to append to
    check_free(graph, *(step.outputs.keys() - with_loss.outputs.keys()))
    network = frozenset(step.parameters)
    weights = frozenset(regularized(step))
    append_gradients(step)
    if shards:
        sum_over_ranks(step)
    append_updates(step, descent, weights)
    exposed = run_passes(step, (Pass("expose_parameters", _expose_used),))
    _expose_replaced(exposed, step.parameters)
    state = {n: v.type for n, v in step.parameters.items() if n in exposed.inputs}
    slots = frozenset(state.keys() - network)
    averages = {n: f"{n}.{AVERAGE}" for n in network if f"{n}.{AVERAGE}" in slots}
    return TrainStep(exposed, state, slots, given, averages)


def expose_parameters(graph: Graph) -> Graph:
    """The graph with its parameters as inputs, so that they can change from run to run."""
    return rewrite(graph, {PARAMETER: _as_input})


def _expose_used(graph: Graph) -> Graph:
    """The same for those parameters that an output depends on, without the others."""
    return eliminate_dead_nodes(graph, {PARAMETER: _as_input})


def _expose_replaced(graph: Graph, parameters: Mapping[str, Value]) -> None:
    """Add inputs for what is written without being read, which belongs to the state, too."""
    for name, value in parameters.items():
        if f"{name}{NEXT}" in graph.outputs and name not in graph.inputs:
            Builder(graph).input(name, value.type)


def _as_input(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    return (build.input(node.attributes["name"], node.outputs[0]),)
