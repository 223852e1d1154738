"""A trained network and new samples -> its outputs, and what they say of each sample."""

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import TextIOWrapper
from typing import IO, Any

from .arrays import load_named_arrays
from .compiler.model import Model
from .compiler.training.recipe import Recipe
from .data import TABLE_OPTIONS, opened_frame
from .grammar.diagnostics import Diagnostic, NetError, did_you_mean, error
from .grammar.files import atomic_writer
from .runtime.arrays.feeds import help_on_value
from .runtime.data import Dataset, Fitted, arrays
from .runtime.data.dataset import as_array
from .runtime.data.frames import holds_inputs, is_frame
from .runtime.data.parquet import write_parquet
from .runtime.data.picture_files import is_picture, pictures_in, read_pictures
from .runtime.feeding.samples import Samples
from .runtime.feeding.wiring import Wiring, wire_inputs
from .runtime.inference.predictions import Answer, answers, as_batch, forms_of, samples_of
from .runtime.inference.predictions import predict as compute
from .runtime.kerneldef import Array
from .runtime.metrics.outputs import OutputForm
from .runtime.run_folder.folder import Facts
from .runtime.run_folder.trained import Trained
from .runtime.weights.files import check_weights
from .tables import GAP, filled, hanging
from .tensor_specs import specs
from .training import job_as_trained, open_data, recipe_as_trained

Arrays = Mapping[str, Array]
SAMPLE = "sample"  # what the names of samples are called that have no column of keys
SHOWN_ANSWERS = 20  # answers, or pictures, in a terminal


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a trained network says of new samples.

    Attributes:
        outputs: The network's outputs by name, (N, ...).
        answers: What they say, by the output's name: a list with an answer for each sample.
        names: What to call each sample: the picture's path, or its number.
        warnings: What was done to samples so that the network takes them.
        key: What the names are called: a table's column of keys, or `sample`.
        targets: What outputs are called in tables, by output: the target's columns.
    """

    outputs: Mapping[str, Array] = field(repr=False)
    answers: Mapping[str, Sequence[Answer]]
    names: Sequence[str]
    warnings: tuple[Diagnostic, ...] = ()
    key: str = SAMPLE
    targets: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def columns(self) -> dict[str, list[Any]]:
        """The answers as a table: the samples' names, then classes and their scores, or numbers.

        Of several classes (`top`), the second one's columns end in `.2`, and so on.
        """
        found: dict[str, list[Any]] = {self.key: list(self.names)}
        for output, each in self.answers.items():
            called = self.targets.get(output) or (output,)
            for place in range(max((len(answer.ranked) for answer in each), default=0)):
                name = called[0] + f".{place + 1}" * (place > 0)
                found[name] = [answer.ranked[place][0] for answer in each]
                found[f"{name}.score"] = [answer.ranked[place][1] for answer in each]
            count = max((len(answer.values) for answer in each), default=0)
            names = called if len(called) == count else [f"{output}.{n}" for n in range(count)]
            for place, name in enumerate(names if count else ()):
                found[name] = [answer.values[place] for answer in each]
        return found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the answers as a table, `.csv` or `.parquet`: see `columns`.

        Raises:
            NetError: E505, the suffix is neither; E528, pyarrow is missing; E004, the file cannot
                be written.
        """
        place, columns = os.fspath(path), self.columns()
        suffix = os.path.splitext(place)[1].lower()
        if suffix not in TABLES:
            message = f"`{place}` is neither a .csv nor a .parquet file"
            raise error("E505", message, help="choose one of these suffixes")
        with atomic_writer(place) as file:
            TABLES[suffix](file, columns)

    def to_dict(self) -> list[dict[str, Any]]:
        """The answers as JSON, an object for each sample."""
        return [
            {"sample": name, **{n: each[place].to_dict() for n, each in self.answers.items()}}
            for place, name in enumerate(self.names)
        ]

    def __repr__(self) -> str:
        return f"<Prediction of {len(self.names):,} samples: {', '.join(self.outputs)}>"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, *, room: int | None = None, advice: str = "") -> str:
        """A line for each of the first samples and each output.

        Args:
            room: How many characters a line holds.
            advice: Where to find the others.
        """
        shown = self.names[:SHOWN_ANSWERS]
        longest = max(map(len, shown), default=0) + 1
        lines: list[str] = []
        for place, name in enumerate(shown):
            for output, each in self.answers.items():
                several = f"  {output}" if len(self.answers) > 1 else ""
                head = f"{name + ':':<{longest}}{several}{GAP}"
                lines += filled(str(each[place]).split(GAP), room, head=head)
        if len(self.names) > SHOWN_ANSWERS:
            lines += hanging("", f"and {len(self.names) - SHOWN_ANSWERS} more{advice}", room)
        return "\n".join(lines)


def predict(
    model: Model,
    x: Any,
    trained: Trained,
    *,
    data: Any,
    top: int,
    settings: Mapping[str, Any],
    engine: str,
    device: str,
) -> Prediction:
    """Answer for new samples, preprocessed as in the run; see `Network.predict`."""
    check_top(top)
    check_weights(model.graph, trained.weights)
    known = replace(trained.known, targets=())
    is_table = not holds_inputs(x, model.graph, trained.known) or any(
        map(TABLE_OPTIONS.__contains__, settings)
    )
    if is_frame(x) and is_table:
        x, data = None, x
    data, settings = opened_frame(data, settings, known)
    new = new_samples(model, trained, x, data=data, settings=settings)
    samples = new.samples
    outputs = compute(model.graph, trained.weights, samples, engine=engine, device=device)
    forms = output_forms(model, trained, settings)
    said = {
        name: answers(array, forms.get(name), top=top)
        for name, array in outputs.items()
        if array.ndim and len(array) == len(samples)
    }
    targets = {name: trained.facts.targets for name in said if len(said) == 1}
    return Prediction(outputs, said, new.names, new.warnings, new.key, targets)


def _write_csv(file: IO[bytes], columns: Mapping[str, Sequence[Any]]) -> None:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    text.flush()
    text.detach()


# What writes a table, by the file's suffix.
TABLES: Mapping[str, Callable[[IO[bytes], Mapping[str, Sequence[Any]]], None]] = {
    ".csv": _write_csv,
    ".parquet": write_parquet,
}


def check_top(top: int) -> None:
    """Refuse a number of classes to name that is none.

    Raises:
        NetError: E547.
    """
    if top < 1:
        raise error("E547", f"`top` must be a positive integer, not `{top}`")


def picture_paths(texts: Sequence[str]) -> list[str] | None:
    """The files that texts name, those of folders included; None where none is a picture."""
    paths = [p for text in texts for p in (pictures_in(text) if os.path.isdir(text) else [text])]
    return paths if any(map(is_picture, paths)) else None


def read_samples(model: Model, texts: Sequence[str]) -> list[str] | Arrays | None:
    """What texts such as `x.npy`, `y=[1, 2]` or a folder of pictures name; None without any.

    Returns:
        The paths of pictures, or arrays by the inputs' names.

    Raises:
        NetError: An array cannot be read, or there is no such input.
    """
    return (picture_paths(texts) or load_named_arrays(texts, list(model.graph.inputs))) or None


@dataclass(frozen=True)
class NewSamples:
    """New samples as a network takes them.

    Attributes:
        samples: The samples.
        names: What to call each.
        warnings: What was done to them.
        key: What the names are called.
    """

    samples: Samples
    names: Sequence[str]
    warnings: tuple[Diagnostic, ...] = ()
    key: str = SAMPLE


def new_samples(
    model: Model,
    trained: Trained,
    x: Any,
    *,
    data: Any = None,
    settings: Mapping[str, Any],
) -> NewSamples:
    """New samples, preprocessed as in the run; see `Network.predict`.

    Raises:
        NetError: E547, there are none; or they do not fit the network.
    """
    new = given_samples(model, trained, x, data)
    if says_how(model, trained, settings):
        recipe = recipe_as_trained(model, trained, settings)
        how = _fitted(model, trained, recipe, settings, new.wiring), recipe.augment
    else:
        how = trained.fitted_to(new.wiring) or Fitted(), ()
    samples = samples_of(new.data, new.wiring, *how)
    return NewSamples(samples, new.names, new.warnings, new.data.about.key or SAMPLE)


@dataclass(frozen=True)
class RawSamples:
    """New samples as they are given.

    Attributes:
        data: Their arrays.
        wiring: Which input takes which.
        names: What to call each sample.
        warnings: What was done to them.
    """

    data: Dataset
    wiring: Wiring
    names: Sequence[str]
    warnings: tuple[Diagnostic, ...] = ()


def given_samples(model: Model, trained: Trained, x: Any, data: Any = None) -> RawSamples:
    """New samples as a data set.

    Raises:
        NetError: E547, there are none, or they are of no kind that is known.
    """
    if (x is None) == (data is None):
        both = "samples (`--input`) and a data set (`--data`) cannot be combined"
        what = "there are no samples" if x is None else both
        raise error("E547", what, help="give samples (`--input`), or a data set (`--data`)")
    if x is None:
        text = {"data": data} if isinstance(data, str) else {}
        changed = recipe_as_trained(model, trained, text)
        known = replace(trained.known, targets=())
        opened = open_data(model, changed, None if text else data, known=known)
        found = trained.with_columns(opened)
        keys = found.about.keys or _numbers(len(found))
        return RawSamples(found, wire_inputs(model.graph, found), keys)
    warnings: tuple[Diagnostic, ...] = ()
    names: Sequence[str] | None = None
    if isinstance(x, str | os.PathLike):
        x = [x]
    if isinstance(x, list | tuple) and x and all(isinstance(p, str | os.PathLike) for p in x):
        paths = list(map(os.fspath, x))
        names = picture_paths(paths) or paths
        given, warnings = _pictures(model, trained, names)
    else:
        given = _batches(model, trained, x)
    found = arrays(given, name="what is given")
    names = names or _numbers(len(found))
    return RawSamples(found, wire_inputs(model.graph, found), names, warnings)


def _numbers(count: int) -> list[str]:
    return list(map(str, range(count)))


def _batches(model: Model, trained: Trained, x: Any) -> Arrays:
    """Arrays by the input's name, each with an axis of samples.

    Raises:
        NetError: E543, there is no such input; E547, there are no arrays.
    """
    known = list(model.graph.inputs)
    if not known:
        raise error("E543", "the network has no inputs, and answers the same to every sample")
    given = x if isinstance(x, Mapping) else {next(iter(known), "input"): x}
    if not given:
        raise error("E547", "there are no samples", help=f"its inputs are {', '.join(known)}")
    for name in given:
        if name not in known:
            near = did_you_mean(name, known) or f"its inputs are {', '.join(known)}"
            help = help_on_value(model.graph, name) or near
            raise error("E543", f"the network has no input `{name}`", help=help)
    found = {name: as_array(value, f"`{name}`") for name, value in given.items()}
    return {
        name: as_batch(array, sample_shape(model, trained, name)) for name, array in found.items()
    }


def sample_shape(model: Model, trained: Trained, name: str) -> tuple[int | str, ...]:
    """The extents of a sample of an input, as it was before preprocessing and crops."""
    sources = {own: source for source, own in trained.facts.inputs.items()}
    known = trained.facts.shapes.get(sources.get(name, name))
    inputs = {spec.name: spec for spec in specs(model.graph.inputs)}
    return inputs[name].shape[1:] if known is None else known


def _pictures(
    model: Model, trained: Trained, paths: Sequence[str]
) -> tuple[Arrays, tuple[Diagnostic, ...]]:
    """Pictures as the network's only input, and W520 where they are converted for it.

    Raises:
        NetError: E547, they are mixed with others, or the network takes no pictures.
    """
    other = next((path for path in paths if not is_picture(path)), None)
    if other is not None:
        mixed = any(map(is_picture, paths))
        what = f"`{other}` is not an image" + (", but the others are" if mixed else "")
        help = "predict it separately" if mixed else "give arrays as such: `numpy.load` reads them"
        raise error("E547", what, help=help)
    inputs = specs(model.graph.inputs)
    shape = sample_shape(model, trained, inputs[0].name)
    extents = [extent for extent in shape if isinstance(extent, int)]
    if len(inputs) > 1 or len(extents) != 3 or shape[0] not in (1, 3):
        raise error(
            "E547",
            f"`{paths[0]}` is an image, and `{model.graph.name}` takes none",
            help="it takes " + ", ".join(f"`{spec.name}` {spec.shape}" for spec in inputs),
        )
    channels, height, width = extents
    pictures, changes = read_pictures(paths, channels=channels, size=(height, width))
    warnings = (_changed(changes, len(paths)),) if changes else ()
    return {inputs[0].name: pictures}, warnings


def _changed(changes: Mapping[str, Sequence[str]], count: int) -> Diagnostic:
    """The warning that pictures were not what the network takes."""
    notes = [f"`{path}` was {' and '.join(done)}" for path, done in changes.items()]
    more = [f"and {len(notes) - SHOWN_ANSWERS} more"] if len(notes) > SHOWN_ANSWERS else []
    many = "the image was" if count == 1 else f"{len(changes)} of {count} images were"
    message = f"{many} converted for the network"
    return Diagnostic("W520", message, notes=(*notes[:SHOWN_ANSWERS], *more))


def _fitted(
    model: Model,
    trained: Trained,
    recipe: Recipe,
    settings: Mapping[str, Any],
    wiring: Wiring,
) -> Fitted:
    """The preprocessing of the run, or, of weights alone, fitted again where there is any."""
    fitted = trained.fitted_to(wiring)
    if fitted is not None or not recipe.preprocess:
        return fitted or Fitted()
    job = job_as_trained(model, trained, settings)
    again = Trained(trained.weights, job.training.fitted, Facts(inputs=job.wiring.inputs))
    return again.fitted_to(wiring) or Fitted()


def output_forms(
    model: Model, trained: Trained, settings: Mapping[str, Any]
) -> Mapping[str, OutputForm]:
    """How outputs are read; as numbers where the loss is assumed and does not fit.

    Raises:
        NetError: The loss that was named does not fit.
    """
    try:
        recipe = recipe_as_trained(model, trained, settings)
        return forms_of(model.graph, recipe.objective, trained.facts.outputs)
    except NetError:
        if "loss" not in settings and not says_how(model, trained, {}):
            return {}
        raise


def says_how(model: Model, trained: Trained, settings: Mapping[str, Any]) -> bool:
    """Whether anything says how the network was trained, which has no defaults for all networks."""
    return model.recipe is not None or bool(trained.facts.settings) or bool(settings)
