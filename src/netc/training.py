"""Networks and settings -> jobs of training, and what training makes of them."""

import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from . import __version__
from .compiler.emit.onnx import export
from .compiler.ir.graph import Graph
from .compiler.ir.types import TensorType, product
from .compiler.passes.append_backward import GRADIENT, append_backward, trainable
from .compiler.passes.set_mode import set_mode
from .compiler.pipeline import Compiled
from .compiler.training.changes import revise, spell_setting
from .compiler.training.objective import LOSS, Objective, add_loss
from .compiler.training.recipe import Recipe
from .compiler.training.terms import Term
from .compiler.training.train_step import STEP, train_step
from .grammar.diagnostics import error
from .grammar.files import write_text
from .runtime.data import Dataset, arrays, load
from .runtime.engines.executor import run as run_plan
from .runtime.engines.plan import Plan, plan
from .runtime.feeding.wiring import given_target
from .runtime.inspection.gradcheck import gradcheck as compare_gradients
from .runtime.monitoring.heat_maps import draw_records
from .runtime.monitoring.monitor import watch
from .runtime.run_folder.folder import LAYERS, PROGRAM, Facts
from .runtime.run_folder.trained import Trained
from .runtime.training.job import KEPT, Job
from .runtime.training.listeners import HistoryFiles, Reporter, write_results
from .runtime.training.progress import NoProgress, TrainingProgress
from .runtime.training.run import Run, check_folder, finish, open_loop, resumed
from .runtime.weights.files import check_weights

if TYPE_CHECKING:
    from numpy import ndarray

    Array = ndarray[Any, Any]

Loss = str | Term | Mapping[str, str | Term]
Targets = Any  # an array, or arrays by the output's name

# Plans of a loss and its gradients, for as long as the network lives.
_PLANS: "WeakKeyDictionary[Graph, dict[Any, Plan]]" = WeakKeyDictionary()


def recipe_of(compiled: Compiled, changes: Mapping[str, Any] | None = None) -> Recipe:
    """What a program's `train` block says, with settings replaced.

    Args:
        compiled: The program.
        changes: Settings by name, as a program spells them or as Python has them.

    Raises:
        NetError: A setting is not known or does not fit.
    """
    changes, recipe = changes or {}, compiled.recipe
    loss = changes.get("loss")
    if recipe is not None and isinstance(loss, Mapping):  # other outputs' weights go with theirs
        kept = {name: weight for name, weight in recipe.weights.items() if name in loss}
        recipe = replace(recipe, weights=kept)
    return revise(recipe, changes, tuple(compiled.graph.outputs))


def open_data(compiled: Compiled, recipe: Recipe, data: Any = None) -> Dataset:
    """The data set that a recipe names, or that Python gives as `(x, t)`.

    Raises:
        NetError: E544, no data is named; or what loading raises.
    """
    if isinstance(data, Dataset):
        return data
    if data is not None:
        if not isinstance(data, tuple | list) or len(data) != 2:
            message = "the data from Python are not a pair `(x, t)` of inputs and targets"
            help = "several inputs or targets are dictionaries by their names"
            raise error("E529", message, help=help)
        return arrays(*data)
    if recipe.data is None:
        raise error(
            "E544",
            f"`{compiled.source.name}` does not say what to train on",
            help="add a block such as `train { data = digits }`, or `--set data=digits`",
        )
    return load(recipe.data, folder=os.path.dirname(compiled.source.name))


def job_of(
    compiled: Compiled,
    *,
    data: Any = None,
    changes: Mapping[str, Any] | None = None,
    resume: bool = False,
    folder: str | None = None,
    **options: Any,
) -> Job:
    """A program's training as a job; the caller holds its folder: see `locked`.

    Args:
        compiled: The program.
        data: A data set or `(x, t)`, in place of the program's.
        changes: Settings by name that replace the program's.
        resume: Go on from the checkpoint in the folder, with the settings and options that it was
            begun with where no others are given.
        folder: The run's folder.
        options: The job's further fields; None leaves one out.

    Raises:
        NetError: Settings do not fit, the data cannot be opened, or the folder holds another run
            (E541, E545).
    """
    changed = {name: spell_setting(v) for name, v in (changes or {}).items() if v is not None}
    given = {name: value for name, value in options.items() if value is not None}
    if not resume and not options.get("force"):
        check_folder(folder)
    elif resume and folder is not None:
        facts = Facts.read(folder)
        kept = {name: facts.options[name] for name in KEPT if name in facts.options}
        changed, given = {**facts.changes, **changed}, {**kept, **given}
    recipe = recipe_of(compiled, changed)
    opened = open_data(compiled, recipe, data)
    if data is not None:
        recipe = replace(recipe, data=None)
    job = Job(compiled.graph, recipe, opened, folder=folder, changes=changed, **given)
    return resumed(job) if resume else job


def job_as_trained(
    compiled: Compiled, trained: Trained, changes: Mapping[str, Any], **options: Any
) -> Job:
    """The job of a run that has ended: its settings, its preprocessing, its parts of the data.

    Args:
        compiled: The program.
        trained: What the run left.
        changes: Settings that replace the run's.
        options: The job's further fields.

    Raises:
        NetError: Settings do not fit, the data cannot be opened, they lack a column of the run
            (E526), or have a class that the run does not know (E523).
    """
    recipe = recipe_as_trained(compiled, trained, changes)
    opened = open_data(compiled, recipe)
    job = Job(compiled.graph, recipe, trained.as_in_the_run(opened), **options)
    return replace(job, fitted=trained.fitted_to(job.wiring))


def recipe_as_trained(compiled: Compiled, trained: Trained, changes: Mapping[str, Any]) -> Recipe:
    """The recipe of a run that has ended; of weights alone, the program's."""
    settings = {**trained.facts.settings, **changes}
    recipe = recipe_of(compiled, settings)
    of_a_run = bool(trained.facts.settings)
    return replace(recipe, data=None) if of_a_run and "data" not in settings else recipe


def run_job(
    job: Job,
    *,
    progress: TrainingProgress | None = None,
    source: str = "",
    watched: bool = False,
    log_every: int = 1,
) -> Run:
    """Train, with a progress bar, and with files in the job's folder where it has one.

    The caller holds the folder: see `locked`.

    Args:
        job: What to train.
        progress: The progress bar.
        source: The program, of which the folder keeps a copy.
        watched: Whether a monitor looks at each layer after each epoch.
        log_every: After how many epochs the progress gets a line.

    Raises:
        NetError: As `runtime.training.run.train`.
        KeyboardInterrupt: Ctrl-C was pressed; the run can be resumed.
    """
    bar = progress or NoProgress()
    loop = open_loop(job)
    if job.folder is not None:
        write_text(os.path.join(job.folder, PROGRAM), source)
        loop.listeners = [HistoryFiles(loop, job.folder)]
    loop.listeners = [*loop.listeners, Reporter(bar, loop, job.training.steps, every=log_every)]
    monitor = watch(loop, job, folder=job.folder, say=bar.say) if watched else None
    try:
        loop.run()
    finally:
        bar.finish()
    run = replace(finish(job, loop), metadata={"source": source} if source else {})
    if job.folder is not None:
        write_results(run, job.folder)
        if monitor is not None and find_spec("matplotlib") is not None:
            draw_records(monitor.records, os.path.join(job.folder, LAYERS))
    return run


def objective_of(compiled: Compiled, loss: Loss | None) -> Objective:
    """What to minimise: a loss by name, by output, or what the program's `train` block says."""
    return recipe_of(compiled, {"loss": loss}).objective


def own_value(compiled: Compiled, loss: Loss | None, of: str | None) -> str | None:
    """The network's own value that is to be differentiated; None where it is a loss.

    Args:
        compiled: The program.
        loss: What Python or the command line names.
        of: Likewise; without either, the `train` block's loss, or else an output of one number.

    Raises:
        NetError: E126, both are named.
    """
    if of is not None and loss is not None:
        help = "`of` is a value of the network, without a loss: leave one of them out"
        raise error("E126", "both a loss and `of` say what to differentiate", help=help)
    if of is None and loss is None and compiled.recipe is None:
        outputs = compiled.graph.outputs
        single = [name for name, value in outputs.items() if product(value.shape[1:]) == 1]
        return single[0] if len(outputs) == 1 and single else None
    return of


def backward(
    compiled: Compiled,
    loss: Loss | None = None,
    *,
    of: str | None = None,
    wrt: Sequence[str] | None = None,
    training: bool = True,
) -> Graph:
    """Forward, loss and gradients as one graph; see `Network.backward`."""
    own = own_value(compiled, loss, of)
    if own is not None:
        graph = set_mode(compiled.graph, training=training)
        return _with_gradients(graph, own, wrt)
    with_loss = add_loss(compiled.graph, objective_of(compiled, loss))
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
    compiled: Compiled,
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
    own, graph = own_value(compiled, loss, of), compiled.graph
    if own is None:
        objective = objective_of(compiled, loss)
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
    found = run_plan(plans[key], {**fed, **_first_step(plans[key].inputs)}, state)
    return float(found[value].sum()), {
        name.removesuffix(GRADIENT): array
        for name, array in found.items()
        if name.endswith(GRADIENT)
    }


def gradcheck(
    compiled: Compiled,
    feeds: Mapping[str, "Array"],
    targets: Targets,
    state: Mapping[str, "Array"],
    *,
    loss: Loss | None = None,
    training: bool = True,
    samples: int | None,
    seed: int,
) -> dict[str, float]:
    """The largest relative error of each parameter's gradient; see `Network.gradcheck`."""
    graph, fed = with_targets(compiled, feeds, targets, loss=loss, training=training, seed=seed)
    check_weights(compiled.graph, state)
    checks = compare_gradients(graph, fed, state, samples=samples, seed=seed)
    return {check.name: check.error for check in checks}


def with_targets(
    compiled: Compiled,
    feeds: Mapping[str, "Array"],
    targets: Targets,
    *,
    loss: Loss | None = None,
    training: bool = True,
    seed: int = 0,
) -> tuple[Graph, dict[str, Any]]:
    """A network with its loss in training or inference mode, and what to feed it with.

    Args:
        compiled: The program.
        feeds: Inputs by name.
        targets: Targets by the output's name, or that of the only loss.
        loss: See `objective_of`.
        training: Whether Dropout drops, and BN normalizes by the batch.
        seed: Of the noise.

    Raises:
        NetError: Loss, output and targets do not fit.
    """
    objective = objective_of(compiled, loss)
    fed, types = _fed(compiled.graph, objective, feeds, targets)
    with_loss = add_loss(compiled.graph, objective, types)
    settled = set_mode(with_loss, training=training, seed=seed)
    return settled, {**fed, **_first_step(settled.inputs)}


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
    given = targets if isinstance(targets, Mapping) else only
    for output, name in names.items():
        if output not in given:
            help = "give targets by the output's name: " + ", ".join(f"`{each}`" for each in names)
            raise error("E543", f"there is no target for the output `{output}`", help=help)
        fed[name], types[output] = given_target(
            graph, objective.losses[output], output, given[output]
        )
    return fed, types


def _first_step(inputs: Container[str]) -> dict[str, int]:
    """The number of the step, which noise is drawn by, where there is any."""
    return {STEP: 0} if STEP in inputs else {}


def export_step(
    compiled: Compiled,
    path: str,
    *,
    changes: Mapping[str, Any],
    opset: int | None = None,
) -> None:
    """Write one step of training as an ONNX model; see `Network.export_training`."""
    recipe = recipe_of(compiled, changes)
    step = train_step(
        compiled.graph,
        recipe.objective,
        recipe.optimizer,
        seed=recipe.seed,
        by_momentum=recipe.schedules_momentum,
    )
    metadata = {
        "source": compiled.source.text,
        **{f"train.{name}": text for name, text in recipe.settings().items()},
    }
    export(step.graph, {}, path, opset=opset, metadata=metadata, version=__version__)
