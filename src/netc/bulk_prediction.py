"""A trained network and files of samples -> a folder of Parquet, in this process or on Ray."""

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, get_args

from .choices import BulkEngineName
from .compiler.model import Model
from .compiler.training.recipe import Recipe
from .grammar.diagnostics import did_you_mean, error
from .grammar.files import make_folder, remove_remains, write_text
from .prediction import check_top, output_forms, sample_shape, says_how
from .runtime.bulk.on_ray import predict_on_ray
from .runtime.bulk.shards import Wanted, find_shards
from .runtime.bulk.task import Predictor, Task
from .runtime.data import Fitted
from .runtime.data.columns import Column
from .runtime.data.parquet import arrow
from .runtime.data.picture_files import MODES
from .runtime.data.preprocessing import MISSING
from .runtime.engines.plain_weights import with_plain_weights
from .runtime.inference.deployment import with_preprocessing
from .runtime.run_folder.folder import locked
from .runtime.run_folder.json_files import Malformed, field, read_json
from .runtime.run_folder.trained import Trained
from .runtime.weights.files import check_weights
from .training import recipe_as_trained

FORMAT = "netc predictions 1"
FACTS = "_netc.json"  # readers of Parquet leave out names that begin with `_`
PARQUET = ".parquet"
ENGINES: tuple[str, ...] = get_args(BulkEngineName)
ON_FILES, RAY = "onnxruntime", "ray"  # the default engine, and the other one


@dataclass(frozen=True)
class BulkPrediction:
    """What was predicted of files.

    Attributes:
        output: The folder of Parquet files.
        rows: How many rows were written.
        shards: How many files there are.
        kept: How many of them were there before.
    """

    output: str
    rows: int
    shards: int
    kept: int = 0

    def __str__(self) -> str:
        kept = f"; {self.kept} of {self.shards} shards were there before" if self.kept else ""
        return f"{self.rows:,} rows written to {self.output}{kept}"


def predict_files(
    model: Model,
    trained: Trained,
    path: str,
    output: str,
    *,
    columns: Sequence[str] = (),
    top: int = 1,
    settings: Mapping[str, Any] | None = None,
    engine: str = "onnxruntime",
    device: str = "cpu",
    actors: int | None = None,
    cpus_per_actor: int = 1,
    gpus_per_actor: float = 0.0,
    done: Callable[[int], None] = lambda rows: None,
) -> BulkPrediction:
    """Predict all samples of files; see `Network.predict_files`."""
    if engine not in ENGINES:
        help = did_you_mean(engine, ENGINES) or "leave `--engine` out, or choose `ray`"
        raise error("E502", f"the engine `{engine}` does not predict files", help=help)
    if not output.endswith(PARQUET):
        message = f"`{output}` does not end in `{PARQUET}`"
        raise error("E505", message, help="results are written as a folder of Parquet files")
    arrow()
    on_ray = engine == RAY
    task = task_of(
        *(model, trained, path, output),
        columns=columns,
        top=top,
        settings=settings or {},
        device="cuda" if on_ray and gpus_per_actor else device,
        threads=cpus_per_actor if on_ray else None,
    )
    with locked(output):
        _begin(task)
        missing = task.missing()
        kept = len(task.shards) - len(missing)
        rows = 0
        if on_ray and missing:
            resources: dict[str, Any] = {"cpus": cpus_per_actor, "gpus": gpus_per_actor}
            rows = predict_on_ray(task, missing, actors=actors, done=done, **resources)
        elif missing:
            predictor = Predictor(task)
            for number in missing:
                written = predictor.predict(number)
                done(written)
                rows += written
    return BulkPrediction(output, rows, len(task.shards), kept)


def task_of(
    model: Model,
    trained: Trained,
    path: str,
    output: str,
    *,
    columns: Sequence[str] = (),
    top: int = 1,
    settings: Mapping[str, Any],
    device: str = "cpu",
    threads: int | None = None,
) -> Task:
    """What is predicted with what.

    Raises:
        NetError: There are no samples (E547), or weights and network do not match.
    """
    from .compiler.emit.onnx import write  # with onnx, which other predictions start without

    check_top(top)
    check_weights(model.graph, trained.weights)
    recipe = _recipe(model, trained, settings)
    fitted = trained.fitted or Fitted()
    # What becomes of words is up to those who read them.
    facts = replace(trained.facts, encodings={})
    graph, arrays = with_preprocessing(model.graph, fitted, facts)
    plain, state = with_plain_weights(graph, {**trained.weights, **arrays})
    buffer = io.BytesIO()
    write(plain, state, buffer)
    return Task(
        model=buffer.getvalue(),
        graph=graph,
        shards=tuple(find_shards(path)),
        root=path if os.path.isdir(path) else os.path.dirname(path) or ".",
        output=output,
        wanted=_wanted(model, trained, tuple(graph.inputs), columns, fitted),
        augment=recipe.augment if recipe is not None else (),
        forms=output_forms(model, trained, settings),
        called=_called(model, trained),
        top=top,
        device=device,
        threads=threads,
    )


def _recipe(model: Model, trained: Trained, settings: Mapping[str, Any]) -> Recipe | None:
    """How samples are prepared, where a run or a program says so.

    Raises:
        NetError: E547, there is preprocessing, and nothing that it was fitted to.
    """
    if not says_how(model, trained, settings):
        return None
    recipe = recipe_as_trained(model, trained, settings)
    if recipe.preprocess and trained.fitted is None:
        message = "weights alone do not tell what preprocessing was fitted to"
        raise error("E547", message, help="give the run: `--run FOLDER`")
    return recipe


def _wanted(
    model: Model, trained: Trained, names: tuple[str, ...], columns: Sequence[str], fitted: Fitted
) -> Wanted:
    """What is read of files: columns of numbers, or of whatever the run's tables held; pictures."""
    known = [column for each in trained.known.columns.values() for column in each]
    missing = any(step.name == MISSING for step in fitted.steps)
    plain_numbers = not missing and all(column == Column(column.name) for column in known)
    shape = [each for each in sample_shape(model, trained, names[0]) if isinstance(each, int)]
    picture = (shape[0], shape[1], shape[2]) if len(shape) == 3 and shape[0] in MODES else None
    return Wanted(
        names,
        tuple(columns) or tuple(column.name for column in known),
        None if plain_numbers or columns else replace(trained, weights={}),
        picture if len(names) == 1 else None,
    )


PLACES = ("file", "row")  # columns that say where a sample comes from


def _called(model: Model, trained: Trained) -> dict[str, tuple[str, ...]]:
    """What the columns of an only output are called: as the run's targets in its table."""
    targets = trained.facts.targets
    if len(model.graph.outputs) > 1 or not targets or set(targets) & set(PLACES):
        return {}
    return dict.fromkeys(model.graph.outputs, targets)


def _begin(task: Task) -> None:
    """Make the folder of the results, or find it as an interrupted task has left it.

    Raises:
        NetError: E545, it holds other results; E004, it cannot be made.
    """
    make_folder(task.output)
    remove_remains(task.output)
    path = os.path.join(task.output, FACTS)
    if set(os.listdir(task.output)) <= {FACTS}:
        write_text(path, json.dumps({"format": FORMAT, "task": task.digest}) + "\n")
        return
    what = f"`{task.output}` holds other files"
    if os.path.exists(path):
        with suppress(Malformed):
            if field(read_json(path, FORMAT), "task", str) == task.digest:
                return
        what = f"`{task.output}` holds the results of another model or of other samples"
    raise error("E545", what, help="choose another folder (`--output`), or remove it")
