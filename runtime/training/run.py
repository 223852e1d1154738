"""A job of training -> a run, from its beginning or from a checkpoint, and its results."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from os import PathLike, fspath
from typing import Any

import numpy as np

from ...compiler.training.lossdef import LOSSES, Values
from ...compiler.training.schedules import Followed
from ...grammar.diagnostics import NetError, did_you_mean, error, listing
from ...grammar.files import make_folder, remove_remains
from ..data import arrays as data_of
from ..data.dataset import INPUT_NAME, as_array
from ..data.frames import frame_data, holds_inputs, is_frame
from ..data.preprocessing import Fitted
from ..data.table_options import TableOptions
from ..engines.deviations import Rounding
from ..feeding.targets import TargetFeed
from ..feeding.wiring import wire_inputs
from ..inference.deployment import metadata_of, with_preprocessing
from ..inference.evaluator import MEASURED_AT_ONCE
from ..inference.predictions import as_batch, predict, samples_of
from ..kerneldef import Array
from ..metrics.definitions import VALIDATION, direction, our_name
from ..run_folder.checkpoint import load_checkpoint
from ..run_folder.environment import environment
from ..run_folder.folder import CHECKPOINT, Facts, OutputFacts, remove_run
from ..run_folder.history import History
from ..run_folder.trained import Trained
from ..weights.files import check_weights
from ..weights.initialize import initialize
from ..weights.state import State
from .divergence import diverged
from .early_stopping import EarlyStopping
from .job import DATA_VALUES, KEPT, NETWORK, Job
from .loop import LOSS, Callback, Feeds, Loop, Progress, Settings
from .stepper import Stepper

ONE_OF_TWO = ("-1", "1")  # the targets of margins


@dataclass(frozen=True, eq=False)
class Run:
    """The result of a training run.

    Attributes:
        job: What was trained.
        state: The weights of the best epoch, or of the last one if there was no validation.
        last: The weights at the end.
        history: The losses and metrics of each epoch.
        stopped: Whether the run ended early.
        best_epoch: The epoch that `state` comes from, counted from 1.
        test: Loss and metrics of `state` on the test part; empty if there is none.
        metadata: The metadata of exported models, such as the source text.
    """

    job: Job
    state: dict[str, Array]
    last: dict[str, Array]
    history: History
    stopped: bool
    best_epoch: int | None = None
    test: Mapping[str, float] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """What a notebook shows: the short report, curves and a table."""
        report = f'<p style="white-space:pre-line">{escape(repr(self))}</p>'
        return f"{report}{self.history._repr_html_()}"

    def __repr__(self) -> str:
        """A short report: the number of epochs, and the results."""
        epochs = f"{len(self.history)} epoch{'s' * (len(self.history) != 1)}"
        best = "" if self.best_epoch is None else f", the best is {self.best_epoch}"
        early = ", stopped early" if self.stopped else ""
        head = f"Run of {self.job.graph.name} on {self.job.data.about.name}: {epochs}{best}{early}"
        last = self.history.rows[-1].values() if len(self.history) else {}
        parts = {"last": last, "test": self.test}
        return "\n".join([head, *(_measured(part, each) for part, each in parts.items() if each)])

    def result(self) -> tuple[str, Mapping[str, float]]:
        """The part that says most about the network, and loss and metrics on it.

        It is the test part, or without one the validation part after the last epoch.
        """
        if self.test or not len(self.history):
            return "test", self.test
        last = self.history.rows[-1].values().items()
        return "validation", {
            name.removeprefix(VALIDATION): value
            for name, value in last
            if name.startswith(VALIDATION) and value is not None
        }

    def export(
        self,
        path: "str | PathLike[str]",
        *,
        opset: int | None = None,
        dtype: str | None = None,
        keep_io_types: bool = True,
    ) -> Rounding | None:
        """Write an ONNX model that includes the preprocessing, with the classes in its metadata.

        Args:
            path: The model's file.
            opset: 13 or later; 22 by default.
            dtype: `float16` or `bfloat16`, for weights and products; float32 by default.
            keep_io_types: Whether inputs and outputs stay float32, too.

        Returns:
            With `dtype`, how far the model is from float32 on a random batch; otherwise None.

        Raises:
            NetError: See `Network.export`.
        """
        from ...compiler.emit.onnx import Half  # with onnx, which training starts without
        from ..engines.rounding import export_model

        facts = facts_of(self.job)
        graph, arrays = with_preprocessing(self.job.graph, self.job.training.fitted, facts)
        about = {**self.metadata, **metadata_of(facts)}
        half = None if dtype is None else Half.of(dtype, keep_io_types=keep_io_types)
        state = {**self.state, **arrays}
        model = export_model(graph, state, fspath(path), half, opset=opset, metadata=about)
        return None if model is None else model.measure()

    def predict(
        self, x: Any, *, engine: str = "numpy", device: str = "cpu"
    ) -> Array | dict[str, Array]:
        """The outputs for new samples, preprocessed as in the run.

        Args:
            x: Raw samples, (N, ...), or one alone; inputs by name; or a data frame.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.

        Returns:
            The output, or a dictionary if there are several.

        Raises:
            NetError: The samples do not fit, or the engine is not available.
        """
        job = self.job
        trained = Trained(self.state, job.training.fitted, facts_of(job))
        if is_frame(x) and not holds_inputs(x, job.graph, trained.known):
            known = replace(trained.known, targets=())
            data = trained.with_columns(frame_data(x, TableOptions(), known))
        else:
            shapes = trained.facts.shapes
            given = {INPUT_NAME: x} if len(shapes) == 1 and not isinstance(x, Mapping) else x
            if isinstance(given, Mapping):
                arrays = {name: as_array(value, f"`{name}`") for name, value in given.items()}
                given = {n: as_batch(a, shapes[n]) if n in shapes else a for n, a in arrays.items()}
            data = data_of(given, name="what is given")
        wiring = wire_inputs(job.graph, data)
        fitted = trained.fitted_to(wiring)
        samples = samples_of(data, wiring, fitted or Fitted(), job.recipe.augment)
        found = predict(job.graph, self.state, samples, engine=engine, device=device)
        return found if len(found) > 1 else next(iter(found.values()))

    def evaluate(self, part: str = "test") -> dict[str, float]:
        """Loss and metrics on a part of the data (`train`, `validation`, `test` or `all`).

        Raises:
            NetError: E531, the part is empty.
        """
        samples = self.job.part(part)
        if not len(samples):
            help = "choose another part, or another `split`"
            raise error(
                "E531", f"the {part} part of {self.job.data.about.name} is empty", help=help
            )
        return self.job.evaluator.measure(self.state, samples.still(MEASURED_AT_ONCE))


def _measured(part: str, values: Mapping[str, float | None]) -> str:
    texts = (f"{name} {value:.4g}" for name, value in values.items() if value is not None)
    return f"  {part}: {'  '.join(texts)}"


def train(job: Job, *, resume: bool = False, callbacks: Sequence[Callback] = ()) -> Run:
    """Train to the end.

    Args:
        job: What to train.
        resume: Continue from the checkpoint in the job's folder.
        callbacks: What follows it, called in turn.

    Raises:
        NetError: Data, network and recipe do not match, the loss is not finite (E542), the
            checkpoint is of another run (E541), the folder holds a run (E545), or a file cannot be
            read or written.
        KeyboardInterrupt: Ctrl-C was pressed; the run can be resumed.
    """
    job = resumed(job) if resume else job
    loop = open_loop(job, callbacks=callbacks)
    loop.run()
    return finish(job, loop)


def resumed(job: Job) -> Job:
    """The job with the checkpoint in its folder, if there is one.

    Raises:
        NetError: The checkpoint is of another run (E541), or cannot be read.
    """
    path = job.checkpoint
    if path is None or not os.path.exists(path):
        return job
    saved = load_checkpoint(path)
    fixed = job.fixed
    if DATA_VALUES not in saved.recipe:  # of an older version
        fixed = {name: text for name, text in fixed.items() if name != DATA_VALUES}
    differing = [
        n for n in dict.fromkeys([*saved.recipe, *fixed]) if saved.recipe.get(n) != fixed.get(n)
    ]
    if differing == [DATA_VALUES]:
        raise error(
            "E541",
            f"{job.data.about.name} holds other values than those that this run began with",
            notes=[f"`{path}` keeps their fingerprint"],
            help="restore the data, or start a new run in another folder with `--output`",
        )
    if differing:
        raise _other_run(path, saved.recipe, fixed, differing)
    return replace(job, saved=saved, fitted=Fitted.from_state(saved.preprocess))


def _other_run(
    path: str, saved: Mapping[str, str], fixed: Mapping[str, str], differing: Sequence[str]
) -> NetError:
    notes = [
        "the network is different"
        if name == NETWORK
        else f"`{name}` was `{saved.get(name, 'not set')}`, but is `{fixed.get(name, 'not set')}`"
        for name in differing
        if name != DATA_VALUES
    ]
    return error(
        "E541",
        f"`{path}` belongs to another run",
        notes=notes,
        help="only `epochs` may differ; start a new run in another folder with `--output`",
    )


def open_loop(job: Job, *, callbacks: Sequence[Callback] = ()) -> Loop:
    """The loop of a run, at its beginning or where the job's checkpoint stands.

    Raises:
        NetError: As `train`.
    """
    saved = job.saved
    if saved is None and not job.force:
        check_folder(job.folder)
    job.check_batches()
    state = job.team.share(dict(saved.state if saved is not None else first_state(job)))
    stepper = Stepper(job.step, state, engine=job.engine, device=job.device, team=job.team)
    monitor = _monitor(job)
    stopping = EarlyStopping(monitor, job.patience, job.min_delta, direction(monitor))
    samples, settings = job.of_this_rank(job.training), _settings(job)
    loop = Loop(stepper, samples, settings, stopping, callbacks=callbacks, team=job.team)
    if saved is not None:
        loop.resume(saved)
    if job.folder is not None:
        make_folder(job.folder)
        remove_remains(job.folder)
        if job.force and saved is None:
            remove_run(job.folder)
        ended = {} if saved is None else Facts.read(job.folder).results
        replace(facts_of(job), results=ended).save(job.folder)
    return loop


def facts_of(job: Job) -> Facts:
    """What a run's folder records of its job."""
    first = job.data.take([0]).inputs
    return Facts(
        settings=job.settings,
        changes=job.changes,
        options={name: getattr(job, name) for name in KEPT},
        inputs=job.wiring.inputs,
        shapes={name: array.shape[1:] for name, array in first.items()},
        columns=job.data.about.columns,
        encodings=job.data.about.encodings,
        targets=job.data.about.target_columns,
        key=job.data.about.key,
        outputs={
            output: OutputFacts(bool(target.classes), target.names or _sides(job, output, target))
            for output, target in job.wiring.targets.items()
        },
    )


def _sides(job: Job, output: str, target: TargetFeed) -> tuple[str, ...]:
    """What the classes of margins are called where targets are -1 and 1."""
    loss = job.recipe.objective.losses[output]
    if target.classes or LOSSES[loss.name].targets.values is not Values.SIDES:
        return ()
    labels = job.data.labels()
    some = next(job.training.still(MEASURED_AT_ONCE))[target.name] if labels is None else labels
    return ONE_OF_TWO if set(np.unique(some).tolist()) == {-1, 1} else ()


def check_folder(folder: str | None) -> None:
    """Refuse to begin a run in a folder that holds another.

    Raises:
        NetError: E545.
    """
    path = None if folder is None else os.path.join(folder, CHECKPOINT)
    if path is not None and os.path.exists(path):
        raise error(
            "E545",
            f"`{path}` already holds a run",
            help="continue it (`--resume`), overwrite it (`--force`), or choose another folder"
            " (`--output`)",
        )


def finish(job: Job, loop: Loop) -> Run:
    """The results of a loop that has ended, measured on the test part."""
    # In the network's order, whatever that of a checkpoint is: equal runs write equal files.
    names = list(job.graph.parameters)
    last = job.step.averaged(loop.stepper.state, names)
    validated = bool(len(job.part("validation")))
    best = validated and bool(loop.best)
    state = {name: loop.best[name] for name in names} if best else last
    epoch = loop.stopping.best_epoch if best else loop.progress.epoch
    test = job.part("test")
    measured = job.measure(state, test) if len(test) else {}
    early = loop.stopping.stopped or loop.progress.epoch < loop.settings.epochs
    return Run(job, state, last, loop.history, early, epoch, measured)


def _monitor(job: Job) -> str:
    """The column of the history by which epochs are compared.

    Raises:
        NetError: E551, there will be no such column.
    """
    validated = bool(len(job.part("validation")))
    names = job.evaluator.metrics.names
    known = [LOSS, *names]
    if validated:
        known = [LOSS, "val_loss", *(f"{VALIDATION}{name}" for name in names), *names]
    if job.monitor is None:
        return "val_loss" if validated else LOSS
    if job.monitor not in known:
        ours = f"{VALIDATION}{(our_name(job.monitor) or '').removeprefix(VALIDATION)}"
        help = did_you_mean(job.monitor, known) or f"there will be {listing(known)}"
        message = f"no epoch will have a `{job.monitor}` to compare"
        raise error("E551", message, help=f"write `{ours}`" if ours in known else help)
    return job.monitor


def first_state(job: Job) -> State:
    """The weights that a job starts from.

    Raises:
        NetError: Those that it is given do not fit the network.
    """
    if job.weights is None:
        return initialize(job.graph, job.recipe.seed)
    check_weights(job.graph, job.weights)
    return job.weights


def _settings(job: Job) -> Settings:
    """How the loop is driven."""
    steps = job.training.steps
    validation = job.part("validation")

    lower = direction(_monitor(job)) == "lower"

    def rates(step: int, monitored: tuple[float, ...]) -> tuple[float, float]:
        followed = Followed(monitored, lower)
        return job.recipe.rates(step, steps_per_epoch=steps, followed=followed)

    def validate(state: State) -> dict[str, float]:
        return job.measure(state, validation)

    def diagnose(feeds: Feeds, progress: Progress) -> Exception:
        return diverged(job.step.graph, feeds, step=progress.step, epoch=progress.epoch)

    return Settings(
        epochs=job.recipe.epochs,
        rates=rates,
        diagnose=diagnose,
        validate=validate if len(validation) else None,
        weights=tuple(job.graph.parameters),
        metrics=job.evaluator.metrics.again(),
        checkpoint=job.checkpoint,
        every=job.every,
        at_once=job.weights is not None,
        recipe=job.fixed,
        environment=environment(job.engine, job.team.size),
        preprocess=job.training.fitted.state(),
    )
