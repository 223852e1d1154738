"""Models -> gradients: as graphs, as numbers, and as a step of training."""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from . import __version__
from .compiler.emit.onnx import export
from .compiler.ir.graph import Graph
from .compiler.ir.scalars import STEP, scalar_name
from .compiler.ir.types import TensorType, product
from .compiler.model import Model
from .compiler.passes.append_backward import GRADIENT, append_backward, trainable
from .compiler.passes.set_mode import set_mode
from .compiler.training.objective import LOSS, Objective, add_loss
from .compiler.training.train_step import train_step
from .exports import check_model_name
from .grammar.diagnostics import error, listing
from .runtime.engines.executor import run as run_plan
from .runtime.engines.plan import Plan, plan
from .runtime.feeding.targets import given_target
from .training import Loss, recipe_of

if TYPE_CHECKING:
    from .runtime.kerneldef import Array


Targets = Any  # an array, or arrays by the output's name

# Plans of a loss and its gradients, for as long as the network lives.
_PLANS: "WeakKeyDictionary[Graph, dict[Any, Plan]]" = WeakKeyDictionary()


def objective_of(model: Model, loss: Loss | None) -> Objective:
    """What to minimise: a loss by name, by output, or what the program's `train` block says."""
    return recipe_of(model, {"loss": loss}).objective


def own_value(model: Model, loss: Loss | None, of: str | None) -> str | None:
    """The network's own value that is to be differentiated; None where it is a loss.

    Args:
        model: The network.
        loss: What Python or the command line names.
        of: Likewise; without either, the `train` block's loss, or else an output of one number.

    Raises:
        NetError: E126, both are named.
    """
    if of is not None and loss is not None:
        help = "`of` is a value of the network, without a loss: leave one of them out"
        raise error("E126", "both a loss and `of` say what to differentiate", help=help)
    if of is None and loss is None and model.recipe is None:
        outputs = model.graph.outputs
        single = [name for name, value in outputs.items() if product(value.shape[1:]) == 1]
        return single[0] if len(outputs) == 1 and single else None
    return of


def backward(
    model: Model,
    loss: Loss | None = None,
    *,
    of: str | None = None,
    wrt: Sequence[str] | None = None,
    training: bool = True,
) -> Graph:
    """Forward, loss and gradients as one graph; see `Network.backward`."""
    own = own_value(model, loss, of)
    if own is not None:
        graph = set_mode(model.graph, training=training)
        return _with_gradients(graph, own, wrt)
    with_loss = add_loss(model.graph, objective_of(model, loss))
    return _with_gradients(set_mode(with_loss, training=training), LOSS, wrt)


def _with_gradients(graph: Graph, of: str, wrt: Sequence[str] | None) -> Graph:
    """A graph with the gradients of a value; of a network without weights, by its inputs.

    Raises:
        NetError: E131, the value does not depend on what `wrt` names; or as `append_backward`.
    """
    if isinstance(wrt, str):
        wrt = [wrt]
    if wrt is None and of != LOSS and not trainable(graph):
        wrt = list(graph.inputs)
    found = append_backward(graph, of=of, wrt=wrt)
    for name in wrt or ():
        if f"{name}{GRADIENT}" not in found.outputs:
            raise error("E131", f"`{of}` does not depend on `{name}`, so it has no gradient there")
    return found


def value_and_grad(
    model: Model,
    feeds: Mapping[str, "Array"],
    targets: Targets,
    state: Mapping[str, "Array"],
    *,
    loss: Loss | None = None,
    of: str | None = None,
    wrt: Sequence[str] | None = None,
    training: bool = True,
    dtype: str | None = None,
) -> tuple[float, dict[str, "Array"]]:
    """The loss, and its gradients by the parameter's name; see `Network.value_and_grad`."""
    own, graph = own_value(model, loss, of), model.graph
    if own is None:
        objective = objective_of(model, loss)
        fed, types = _fed(graph, objective, feeds, targets)
        key: tuple[Any, ...] = (repr(objective), *types.items())
    elif targets is not None:
        help = 'name one, such as `loss="mse"`, or give None for the targets'
        raise error("E543", "there are targets, but no loss that takes them", help=help)
    else:
        fed, key = dict(feeds), (own,)
    value = LOSS if own is None else own
    key = (*key, None if wrt is None else tuple(wrt), training, dtype, len(graph))
    plans = _PLANS.setdefault(graph, {})
    if key not in plans:
        measured = graph if own is not None else add_loss(graph, objective, types)
        gradients = _with_gradients(set_mode(measured, training=training), value, wrt)
        plans[key] = plan(gradients, dtype=dtype)
    found = run_plan(plans[key], {**fed, **first_step(graph, plans[key].inputs)}, state)
    return float(found[value].sum()), {
        name.removesuffix(GRADIENT): array
        for name, array in found.items()
        if name.endswith(GRADIENT)
    }


def with_targets(
    model: Model,
    feeds: Mapping[str, "Array"],
    targets: Targets,
    *,
    loss: Loss | None = None,
    training: bool = True,
    seed: int = 0,
) -> tuple[Graph, dict[str, Any]]:
    """A network with its loss in training or inference mode, and what to feed it with.

    Args:
        model: The network.
        feeds: Inputs by name.
        targets: Targets by the output's name, or that of the only loss.
        loss: See `objective_of`.
        training: Whether Dropout drops, and BN normalizes by the batch.
        seed: Of the noise.

    Raises:
        NetError: Loss, output and targets do not fit.
    """
    objective = objective_of(model, loss)
    fed, types = _fed(model.graph, objective, feeds, targets)
    with_loss = add_loss(model.graph, objective, types)
    settled = set_mode(with_loss, training=training, seed=seed)
    return settled, {**fed, **first_step(model.graph, settled.inputs)}


def _fed(
    graph: Graph, objective: Objective, feeds: Mapping[str, "Array"], targets: Targets
) -> tuple[dict[str, Any], dict[str, TensorType]]:
    """Inputs and targets as they are fed, and what each loss takes.

    Raises:
        NetError: A target is missing (E543), or as `given_target`.
    """
    fed: dict[str, Any] = dict(feeds)
    types: dict[str, TensorType] = {}
    names = objective.target_names()
    only = {} if targets is None else dict.fromkeys(list(names)[:1], targets)
    if targets is not None and not names:
        raise error("E543", "there are targets, but no loss that takes them", help="leave them out")
    given = targets if isinstance(targets, Mapping) else only
    for output, name in names.items():
        if output not in given:
            help = "give targets by the output's name: " + listing(names)
            raise error("E543", f"there is no target for the output `{output}`", help=help)
        fed[name], types[output] = given_target(
            graph, objective.losses[output], output, given[output]
        )
    return fed, types


def first_step(graph: Graph, inputs: Container[str]) -> dict[str, int]:
    """The number of the step, which a network's noise is drawn by, where there is any."""
    name = scalar_name(graph, STEP)
    return {name: 0} if name in inputs and name not in graph.inputs else {}


def export_step(
    model: Model,
    path: str,
    *,
    changes: Mapping[str, Any],
    opset: int | None = None,
) -> None:
    """Write one step of training as an ONNX model; see `Network.export_training`."""
    check_model_name(path)
    recipe = recipe_of(model, changes)
    step = train_step(model.graph, recipe.objective, recipe.descent, seed=recipe.seed)
    settings = {f"train.{name}": text for name, text in recipe.settings().items()}
    metadata = {**model.properties(), **settings}
    export(step.graph, {}, path, opset=opset, metadata=metadata, version=__version__)
