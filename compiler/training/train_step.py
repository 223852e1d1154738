"""A network and a recipe -> one graph that is one step of training: loss, gradients, updates."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..ir.builder import Builder
from ..ir.graph import PARAMETER, Graph, Node, Value
from ..ir.initializers import ZEROS
from ..ir.types import DType, TensorType
from ..ops.opdef import Operands
from ..passes.append_backward import GRADIENT, append_gradients, trainable
from ..passes.eliminate_dead_nodes import eliminate_dead_nodes
from ..passes.pipeline import Pass, in_mode, run_passes
from ..passes.rewrite import rewrite
from ..passes.training_mode import NEXT
from .clipping import clipped
from .objective import SCALARS, Objective, add_loss, check_free, check_names
from .optimizers import OPTIMIZERS
from .terms import Term


@dataclass(frozen=True, slots=True)
class TrainStep:
    """One step of training as one graph, which any engine can run.

    Attributes:
        graph: Its inputs are those of the network, the targets, the scalars `step` (from 0), `lr`
            and `momentum`, and all state by name. Its outputs are those of the network, `loss`,
            and `<name>.next` for all state that changes. Gradients are its labels `<name>.grad`.
        state: The types of parameters, buffers and the optimizer's tensors, by name.
        slots: Those of the state that belong to the optimizer and start as zeros.
        targets: The types of the targets, by name.
    """

    graph: Graph
    state: Mapping[str, TensorType]
    slots: frozenset[str]
    targets: Mapping[str, TensorType]


def train_step(
    graph: Graph,
    objective: Objective,
    optimizer: Term,
    *,
    clip: Term | None = None,
    targets: Mapping[str, TensorType] | None = None,
    seed: int = 0,
    by_momentum: bool = False,
) -> TrainStep:
    """Build the step of training of a network.

    Args:
        graph: The network, mode-neutral.
        objective: What to minimise.
        optimizer: How weights follow their gradients.
        clip: How gradients are clipped before that.
        targets: The types of targets by the output's name, where they are not the usual ones.
        seed: Of the noise (Dropout and the like).
        by_momentum: Whether momentum is scheduled, so that it is kept even where it starts at 0.

    Raises:
        NetError: Loss and network do not fit, a name is taken (E134), or a gradient is asked for
            where there is none.
    """
    check_names(graph, objective)
    with_loss = add_loss(graph, objective, targets)
    given = {name: v.type for name, v in with_loss.inputs.items() if name not in graph.inputs}
    step = run_passes(with_loss, (in_mode(training=True, seed=seed),))  # ours, to append to
    check_free(graph, *(step.outputs.keys() - with_loss.outputs.keys()))
    network = frozenset(step.parameters)
    append_gradients(step)
    _append_update(step, clip, optimizer, by_momentum)
    exposed = run_passes(step, (Pass("expose_parameters", _expose_used),))
    _expose_replaced(exposed, step.parameters)
    state = {n: v.type for n, v in step.parameters.items() if n in exposed.inputs}
    return TrainStep(exposed, state, frozenset(state.keys() - network), given)


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


def _append_update(target: Graph, clip: Term | None, optimizer: Term, by_momentum: bool) -> None:
    """Put the gradients of a graph to use: a new value for each weight that has one."""
    build = Builder(target)
    scalars = {name: _scalar(build, name, dtype) for name, dtype in SCALARS.items()}
    rule = OPTIMIZERS[optimizer.name]
    weights = {n: w for n, w in trainable(target).items() if f"{n}{GRADIENT}" in target.outputs}
    gradients = [target.outputs.pop(f"{name}{GRADIENT}") for name in weights]
    target.labels |= {f"{n}{GRADIENT}": dw for n, dw in zip(weights, gradients, strict=True)}
    for (name, weight), gradient in zip(
        weights.items(), clipped(build, gradients, clip), strict=True
    ):
        build.scope = name
        paths = {slot: f"{name}.{slot}" for slot in rule.slots(optimizer, by_momentum)}
        check_free(target, *paths.values(), *(f"{path}{NEXT}" for path in (name, *paths.values())))
        slots = {
            slot: build.parameter(path, weight.shape, init=ZEROS, buffer=True, dtype=weight.dtype)
            for slot, path in paths.items()
        }
        new, new_slots = rule.update(build, weight, gradient, slots, scalars, optimizer)
        target.outputs[f"{name}{NEXT}"] = new
        target.outputs |= {f"{name}.{slot}{NEXT}": value for slot, value in new_slots.items()}


def _scalar(build: Builder, name: str, dtype: DType) -> Value:
    """A scalar input, which noise may have asked for before."""
    return build.graph.inputs.get(name) or build.input(name, TensorType(dtype, ()))
