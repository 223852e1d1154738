"""Models and settings -> jobs of training, and runs of them."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, NamedTuple

from .choices import check_count
from .compiler.ir.graph import Graph
from .compiler.model import Model
from .compiler.training.changes import revise
from .compiler.training.data_terms import DATA
from .compiler.training.held_settings import spell_setting
from .compiler.training.recipe import Recipe
from .compiler.training.terms import Term
from .data import TABLE_OPTIONS, opened_frame
from .grammar.diagnostics import Diagnostic, error
from .grammar.files import write_text
from .runtime.data import Dataset, arrays, load
from .runtime.data.frames import is_frame
from .runtime.data.given_parts import GivenParts
from .runtime.data.table_options import Known
from .runtime.inspection.lsuv import lsuv_weights
from .runtime.monitoring.heat_maps import draw_records
from .runtime.monitoring.monitor import watch as watch_loop
from .runtime.monitoring.records import Records
from .runtime.plots.canvas import PictureFile
from .runtime.ranks.team import ALONE, Team
from .runtime.run_folder.folder import HEAT_MAP, PROGRAM, Facts, locked
from .runtime.run_folder.trained import Trained, open_trained
from .runtime.training.callbacks import (
    HistoryFile,
    Reporter,
    callbacks_of,
    history_files,
    write_results,
)
from .runtime.training.job import KEPT, Job
from .runtime.training.loop import Callback
from .runtime.training.progress import TrainingProgress
from .runtime.training.rate_range import RateRange
from .runtime.training.rate_range import find_rate as search
from .runtime.training.run import Run, check_folder, facts_of, finish, open_loop, resumed
from .runtime.weights.files import load_weights, mismatches
from .runtime.weights.foreign_names import fitted_names
from .runtime.weights.initialize import own_weights
from .runtime.weights.state import State
from .runtime.weights.transfer import match_weights

Loss = str | Term | Mapping[str, str | Term]


def recipe_of(model: Model, changes: Mapping[str, Any] | None = None) -> Recipe:
    """What a program's `train` block says, with settings replaced.

    Args:
        model: The network.
        changes: Settings by name, as a program spells them or as Python has them.

    Raises:
        NetError: A setting is not known or does not fit.
    """
    return revise(model.recipe, changes or {}, tuple(model.graph.outputs))


def open_data(
    model: Model, recipe: Recipe, data: Any = None, *, known: Known | None = None
) -> Dataset:
    """The data set that a recipe names, or that Python gives as `(x, t)`.

    Where no loss takes a target, inputs alone will do.

    Args:
        model: The network.
        recipe: How it is trained.
        data: What Python gives.
        known: What a run knows of its table, with whose columns others are read.

    Raises:
        NetError: E544, no data is named; or what loading raises.
    """
    if isinstance(data, Dataset):
        return data
    if data is not None:
        alone = hasattr(data, "shape") or isinstance(data, Mapping)
        if alone and not recipe.objective.target_names():
            return arrays(data)
        if not isinstance(data, tuple | list) or len(data) != 2:
            message = "the data from Python are not a pair `(x, t)` of inputs and targets"
            help = (
                "several inputs or targets are dictionaries by their names; a data frame is taken"
                " as it is, with `target=` for its column"
            )
            raise error("E529", message, help=help)
        return arrays(*data)
    if recipe.data is None:
        raise error(
            "E544",
            f"`{model.origin}` does not say what to train on",
            help="add a block such as `train { data = digits }`, or `--set data=digits`",
        )
    return load(recipe.data, folder=model.folder, known=known)


def job_of(
    model: Model,
    *,
    data: Any = None,
    changes: Mapping[str, Any] | None = None,
    resume: bool = False,
    folder: str | None = None,
    **options: Any,
) -> Job:
    """A program's training as a job; the caller holds its folder: see `locked`.

    Args:
        model: The network.
        data: A data set, `(x, t)`, or text such as `npz("new.npz")`, in place of the program's.
        changes: Settings by name that replace the program's.
        resume: Go on from the checkpoint in the folder, with the settings and options that it was
            begun with where no others are given.
        folder: The run's folder.
        options: The job's further fields; None leaves one out.

    Raises:
        NetError: Settings or options do not fit (E125), the data cannot be opened, the folder holds
            another run (E541, E545), or there is none to continue from (E546).
    """
    _check_options(options.get("patience"), folder, resume=resume)
    parts, changes = _given_parts(changes or {})
    if isinstance(data, str):
        data, changes = None, {**changes, "data": data}
    table_options = {name: changes[name] for name in TABLE_OPTIONS if name in changes}
    data, changes = opened_frame(data, changes)
    changed = {name: value for name, value in changes.items() if value is not None}
    given = {name: value for name, value in options.items() if value is not None}
    if not resume and not options.get("force"):
        check_folder(folder)
    elif resume and folder is not None:
        facts = Facts.read(folder)
        kept = {name: facts.options[name] for name in KEPT if name in facts.options}
        changed, given = {**facts.changes, **changed}, {**kept, **given}
    recipe = recipe_of(model, changed)
    opened = with_parts(model, recipe, open_data(model, recipe, data), parts, table_options)
    if data is not None:
        recipe = replace(recipe, data=None)
    texts = {name: spell_setting(value) for name, value in changed.items()}
    job = Job(model.graph, recipe, opened, folder=folder, changes=texts, **given)
    return resumed(job) if resume else job


# What Python calls data of parts that are given.
_PART_NAMES = {"validation": "validation", "validation_data": "validation", "test": "test"}


def _given_parts(changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data that Python gives for parts, and the other settings."""
    parts: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, value in changes.items():
        part = _PART_NAMES.get(name, name)
        is_data = name in _PART_NAMES and not isinstance(value, str | Term | None)
        if is_data and part in parts:
            message = f"`{part}` is given twice"
            raise error("E125", message, help=f"keep one of `{part}=` and `{part}_data=`")
        (parts if is_data else others)[part] = value
    return parts, others


def with_parts(
    model: Model,
    recipe: Recipe,
    train: Dataset,
    given: Mapping[str, Any] | None = None,
    table_options: Mapping[str, Any] | None = None,
) -> Dataset:
    """Data with validation and test part of their own, where the recipe or Python gives some.

    Args:
        model: The network.
        recipe: How it is trained.
        train: What the training part is of.
        given: What Python gives, by the part's name.
        table_options: How data frames are read.

    Raises:
        NetError: What loading raises; E522, a part is not like the data.
    """
    known = Known(train.about.encodings, train.about.target_columns, train.about.key)
    parts: dict[str, Dataset] = {}
    for name in ("validation", "test"):
        data, term = (given or {}).get(name), getattr(recipe, name)
        if data is not None:
            data, _ = opened_frame(data, table_options or {} if is_frame(data) else {}, known)
            parts[name] = open_data(model, recipe, data)
        elif term is not None:
            own = term if recipe.data is None else as_read(term, recipe.data)
            parts[name] = load(own, folder=model.folder, known=known)
    return GivenParts(train, **parts, always=True) if parts else train


def _check_options(patience: Any, folder: str | None, *, resume: bool) -> None:
    """Refuse options from Python that would do something else than they say."""
    if patience is not None:
        check_count("patience", patience, help="leave it out to train for all epochs")
    if resume and folder is None:
        help = "name the folder of the run: `output=...`"
        raise error("E546", "there is no run to continue", help=help)


def job_as_trained(
    model: Model,
    trained: Trained,
    changes: Mapping[str, Any],
    *,
    data: Any = None,
    **options: Any,
) -> Job:
    """The job of a run that has ended: its settings, its preprocessing, its parts of the data.

    Args:
        model: The network.
        trained: What the run left.
        changes: Settings that replace the run's.
        data: A data set, text such as `npz("new.npz")`, or `(x, t)`, in place of the run's.
        options: The job's further fields.

    Raises:
        NetError: Settings do not fit, the data cannot be opened, they lack a column of the run
            (E526), or have a class that the run does not know (E523).
    """
    if isinstance(data, str):
        changes, data = {**changes, "data": data}, None
    data, changes = opened_frame(data, changes, trained.known)
    recipe = recipe_as_trained(model, trained, changes)
    opened = open_data(model, recipe, data, known=trained.known)
    if data is None and "data" not in changes:
        opened = with_parts(model, recipe, opened)
    job = Job(model.graph, recipe, trained.as_in_the_run(opened), **options)
    return replace(job, fitted=trained.fitted_to(job.wiring))


def recipe_as_trained(model: Model, trained: Trained, changes: Mapping[str, Any]) -> Recipe:
    """The recipe of a run that has ended; of weights alone, the program's."""
    settings = {**trained.facts.settings, **changes}
    recipe = recipe_of(model, settings)
    if recipe.data is not None and "data" in changes and "data" in trained.facts.settings:
        own = recipe_of(model, trained.facts.settings).data
        recipe = replace(recipe, data=recipe.data if own is None else as_read(recipe.data, own))
    of_a_run = bool(trained.facts.settings)
    return replace(recipe, data=None) if of_a_run and "data" not in settings else recipe


# Arguments of tables.
AS_THE_RUN = ("points", "missing", "header", "dates", "pictures", "files", "size", "channels")


def as_read(new: Term, own: Term) -> Term:
    """A table with what is not said of it as it was said of the run's own."""
    row = DATA[new.name]
    common = [n for n in AS_THE_RUN if n in new.arguments and n in own.arguments]
    unsaid = [name for name in common if new.arguments[name] == row.defaults[name]]
    return replace(new, arguments={**new.arguments, **{n: own.arguments[n] for n in unsaid}})


class Watched(NamedTuple):
    """A run, and what a monitor recorded of each layer after each epoch; see `Network.watch`."""

    run: Run
    records: Records

    def __repr__(self) -> str:
        return f"<Watched {self.run.job.graph.name}: {self.records!r}>"

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draw the records as a heat map.

        Raises:
            NetError: The file cannot be written.
        """
        draw_records(self.records, PictureFile(os.fspath(path)))


Say = Callable[[str], None]
Warn = Callable[[tuple[Diagnostic, ...]], None]


def train(
    model: Model,
    data: Any = None,
    *,
    settings: Mapping[str, Any],
    output: str | None = None,
    resume: bool = False,
    weights: State | Callable[[], State] | None = None,
    allow: Sequence[str] = (),
    lsuv: bool = False,
    watch: bool = False,
    say: Say | None = None,
    log_every: int = 1,
    progress: TrainingProgress | None = None,
    callbacks: Any = None,
    warn: Warn = lambda warnings: None,
    team: Team = ALONE,
    **options: Any,
) -> tuple[Run, Records]:
    """Train, with a progress bar, and with files in the run's folder where it has one.

    Args:
        model: The network.
        data: See `Network.train`.
        settings: Settings by name that replace the program's.
        output: The run's folder.
        resume: Go on from the checkpoint in that folder.
        weights: Weights to start from, or what reads them; a resumed run needs none.
        allow: Patterns of weights that need not match.
        lsuv: Whether initial weights are scaled by the data.
        watch: Whether a monitor looks at each layer after each epoch.
        say: Called with each new symptom; by default, the progress bar.
        log_every: After how many epochs the progress gets a line.
        progress: The progress bar, which also prints other lines.
        callbacks: What else follows the run; see `Network.train`.
        warn: Called with warnings.
        team: The ranks that train together, each of which calls this; the first alone writes.
        **options: The job's further fields.

    Returns:
        The run, and what the monitor recorded; nothing without one.

    Raises:
        NetError: Data, network and settings do not match, or the loss is not finite.
        KeyboardInterrupt: Ctrl-C was pressed; the run can be resumed.
    """
    bar, own = progress or TrainingProgress(), callbacks_of(callbacks)
    with locked(output if team.rank == 0 else None):
        job = job_of(model, data=data, changes=settings, resume=resume, folder=output, **options)
        job = replace(job, team=team)
        warn(job.warnings)
        if resume and job.saved is None:
            bar.say(f"`{output}` holds no checkpoint, so the run starts from the beginning")
        if job.saved is None:
            given = weights() if callable(weights) else weights
            first = lsuv_weights(job) if lsuv else fitting_weights(job, given, allow, bar.say)
            job = replace(job, weights=first)
        monitored = (say or bar.say) if watch else None
        return _run(job, model.text, bar, own, monitored=monitored, log_every=log_every)


def find_rate(
    model: Model, data: Any, settings: Mapping[str, Any], weights: State | None, **options: Any
) -> RateRange:
    """Try learning rates; see `Network.find_lr`."""
    job = job_of(model, data=data, changes=settings)
    return search(replace(job, weights=weights), **options)


def _run(
    job: Job,
    source: str,
    bar: TrainingProgress,
    callbacks: Sequence[Callback],
    *,
    monitored: Say | None,
    log_every: int,
) -> tuple[Run, Records]:
    for note in job.data.about.notes:
        bar.say(note)
    job.team.any()  # all have read what the first one may now write over
    if job.team.rank:
        job, callbacks, monitored = replace(job, folder=None), (), None
    loop, folder = open_loop(job), job.folder
    if folder is not None:
        write_text(os.path.join(folder, PROGRAM), source)
        loop.callbacks = list(map(HistoryFile, history_files(folder)))
    loop.callbacks = [*loop.callbacks, Reporter(bar, loop, job.training.steps, every=log_every)]
    records = Records()
    if monitored is not None:
        records = watch_loop(loop, job, folder=folder, say=monitored).records
    loop.callbacks = [*loop.callbacks, *callbacks]  # last: files are whole when one of them fails
    loop.run()
    run = replace(finish(job, loop), metadata={"source": source} if source else {})
    if folder is not None:
        write_results(run, folder)
        if monitored is not None and find_spec("matplotlib") is not None:
            draw_records(records, PictureFile(os.path.join(folder, HEAT_MAP)))
    return run, records


def fitting_weights(job: Job, given: State | None, allow: Sequence[str], say: Say) -> State | None:
    """Weights to start from: all that were given, or those that match and first values of others.

    Raises:
        NetError: They do not match (E562).
    """
    if given is None or (not allow and not mismatches(job.graph, given)):
        return given
    matching = match_weights(job.graph, given, allow=allow)
    for line in matching.lines():
        say(line)
    return matching.merged(job.graph, job.recipe.seed)


def state_of(graph: Graph, weights: Any) -> State | None:
    """Weights by a network's names, given as such or as a file of them.

    Raises:
        NetError: E501, they are neither; or the file cannot be read.
    """
    if weights is None or isinstance(weights, Mapping):
        return weights
    if isinstance(weights, str | os.PathLike):
        return fitted_names(graph, load_weights(os.fspath(weights)))
    help = "give a dictionary of arrays, or the path of a file; samples are `data=(x, t)`"
    raise error("E501", f"weights cannot be of type `{type(weights).__name__}`", help=help)


def as_trained(graph: Graph, run: Any, weights: Any) -> Trained:
    """What a run left, with its weights or others; without a run, the program's own weights.

    Args:
        graph: The network.
        run: A run, its folder, or what was read of it.
        weights: Weights in place of the run's: by name, or a file of them.

    Raises:
        NetError: E546, there are no weights; they do not fit; or files cannot be read.
    """
    if isinstance(run, Run):
        run = Trained(run.state, run.job.training.fitted, facts_of(run.job))
    elif isinstance(run, str | os.PathLike):
        run = open_trained(os.fspath(run))
    elif run is None and weights is None:
        run = Trained(own_weights(graph, help="give `run`, or `weights`"))
    elif run is not None and not isinstance(run, Trained):
        help = "give what `net.train` returned, or the folder of a run"
        raise error("E546", f"a run cannot be of type `{type(run).__name__}`", help=help)
    state, found = state_of(graph, weights), run or Trained({})
    return found if state is None else replace(found, weights=state)
