"""`netc predict`: the answers of a trained network for new samples."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from ...arrays import load_named_arrays, save_arrays
from ...compiler.training.recipe import Recipe
from ...grammar.diagnostics import Diagnostic, NetError, did_you_mean, error
from ...network import Network
from ...plain_tables import GAP, filled, hanging
from ...runtime.data import Dataset, Fitted, arrays
from ...runtime.data.column_names import by_columns
from ...runtime.data.picture_files import is_picture, pictures_in, read_pictures
from ...runtime.feeding.wiring import Wiring, wire_inputs
from ...runtime.inference.predictions import Answer, answers, forms_of, predict, samples_of
from ...runtime.metrics.outputs import OutputForm
from ...runtime.run_folder.folder import Facts
from ...runtime.run_folder.trained import Trained
from ...runtime.weights.files import check_weights
from ...training import job_as_trained, open_data, recipe_as_trained
from ..completion import complete_path
from ..options import (
    device_option,
    engine_option,
    file_argument,
    json_option,
    max_layers_option,
    open_network,
    rename_option,
)
from ..terminal import show_diagnostics, width
from ..weights import open_run
from .train import settings_of

Arrays = dict[str, np.ndarray[Any, Any]]
SHOWN = 20  # answers, or pictures, in a terminal


@click.command("predict")
@file_argument
@click.option("--run", "folder", type=click.Path(), help="The folder of a run.")
@click.option(
    "--weights", type=click.Path(), is_eager=True, help="A file of weights instead of the run's."
)
@rename_option
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="[NAME=]X",
    shell_complete=complete_path,
    help="A .npy file, an image, or a folder of images.",
)
@click.option("--data", metavar="DATA", help='A data set, such as npz("new.npz").')
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, metavar="K")
@click.option("-o", "--output", type=click.Path(), help="Outputs as .npy, or .npz for several.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Replace a setting.")
@engine_option
@device_option
@json_option()
@max_layers_option
def command(
    file: str,
    folder: str | None,
    weights: str | None,
    inputs: tuple[str, ...],
    data: str | None,
    top: int,
    output: str | None,
    changes: tuple[str, ...],
    engine: str,
    device: str,
    as_json: bool,
    max_layers: int | None,
) -> None:
    """Predict new samples with FILE and the weights of a run, preprocessed as in the run."""
    network = open_network(file, max_layers)
    trained = open_run(network.graph, folder, weights)
    check_weights(network.graph, trained.weights)
    settings = settings_of(changes)
    recipe = recipe_as_trained(network.compiled, trained, settings)
    new = _opened(network, trained, inputs, data)
    fitted = _fitted(network, trained, recipe, settings, new.wiring)
    samples = samples_of(new.data, new.wiring, fitted, recipe.augment)
    outputs = predict(network.graph, trained.weights, samples, engine=engine, device=device)
    if output is not None:
        save_arrays(output, outputs)
    assumed = network.recipe is None and not trained.facts.settings and "loss" not in settings
    forms = _forms(network, trained, recipe, assumed=assumed)
    said = {
        name: answers(array, forms.get(name), top=top)
        for name, array in outputs.items()
        if array.ndim and len(array) == len(samples)
    }
    if as_json:
        click.echo(json.dumps(_to_json(new.names, said), indent=2))
        return
    _show(new.names, said)
    if output is not None:
        click.echo(f"written to {output}")


@dataclass(frozen=True)
class _New:
    """New samples.

    Attributes:
        data: Their arrays.
        wiring: Which input takes which.
        names: What to call each sample.
    """

    data: Dataset
    wiring: Wiring
    names: Sequence[str]


def _opened(network: Network, trained: Trained, inputs: Sequence[str], data: str | None) -> _New:
    """The samples that the options name.

    Raises:
        NetError: E547, there are none, or they are of no kind that is known.
    """
    if bool(inputs) == (data is not None):
        what = "`--input` and `--data` cannot be combined" if inputs else "there are no samples"
        help = "give files with `--input`, or a data set with `--data`"
        raise error("E547", what, help=help)
    if data is not None:
        changed = recipe_as_trained(network.compiled, trained, {"data": data})
        found = by_columns(open_data(network.compiled, changed), trained.facts.columns)
        return _New(found, wire_inputs(network.graph, found), _numbers(len(found)))
    paths = [path for text in inputs for path in _expanded(text)]
    if any(map(is_picture, paths)):
        given, names = _pictures(network, trained, paths), paths
    else:
        known = [spec.name for spec in network.inputs]
        given = load_named_arrays(inputs, known)
        for name in given:
            if name not in known:
                help = did_you_mean(name, known) or f"its inputs are {', '.join(known)}"
                raise error("E543", f"the network has no input `{name}`", help=help)
        given = {name: _batch(network, trained, name, array) for name, array in given.items()}
        names = _numbers(len(next(iter(given.values()))))
    found = arrays(given, name="what is given")
    return _New(found, wire_inputs(network.graph, found), names)


def _numbers(count: int) -> list[str]:
    return list(map(str, range(count)))


def _expanded(text: str) -> list[str]:
    """The files that an option names: those of a folder are its pictures."""
    return pictures_in(text) if os.path.isdir(text) else [text]


def _shape(network: Network, trained: Trained, name: str) -> tuple[int | str, ...]:
    """The extents of a sample of an input, as it was before preprocessing and crops."""
    sources = {network: source for source, network in trained.facts.inputs.items()}
    known = trained.facts.shapes.get(sources.get(name, name))
    spec = next(spec for spec in network.inputs if spec.name == name)
    return spec.shape[1:] if known is None else known


def _batch(network: Network, trained: Trained, name: str, array: Any) -> Any:
    """An array in the shape that samples have, (N, ...); a single sample may come alone.

    Axes of extent 1 make no difference. What does not fit is left to those who say so.
    """
    shape = _shape(network, trained, name)
    if not all(isinstance(extent, int) for extent in shape):
        return array
    if _squeezed(array.shape) == _squeezed(shape) and array.ndim <= len(shape):
        return array.reshape(1, *shape)
    alike = array.ndim and _squeezed(array.shape[1:]) == _squeezed(shape)
    return array.reshape(len(array), *shape) if alike else array


def _squeezed(shape: Sequence[int | str]) -> list[int | str]:
    return [extent for extent in shape if extent != 1]


def _pictures(network: Network, trained: Trained, paths: Sequence[str]) -> Arrays:
    """Pictures as the network's only input.

    Raises:
        NetError: E547, they are mixed with others, or the network takes no pictures.
    """
    name = network.inputs[0].name
    shape = _shape(network, trained, name)
    other = next((path for path in paths if not is_picture(path)), None)
    if other is not None:
        raise error(
            "E547", f"`{other}` is not an image, but the others are", help="predict it separately"
        )
    extents = [extent for extent in shape if isinstance(extent, int)]
    if len(network.inputs) > 1 or len(extents) != 3 or shape[0] not in (1, 3):
        raise error(
            "E547",
            f"`{paths[0]}` is an image, and `{network.name}` takes none",
            help="it takes " + ", ".join(f"`{spec.name}` {spec.shape}" for spec in network.inputs),
        )
    channels, height, width = extents
    pictures, changes = read_pictures(paths, channels=channels, size=(height, width))
    if changes:
        show_diagnostics([_changed(changes, len(paths))])
    return {name: pictures}


def _changed(changes: Mapping[str, Sequence[str]], count: int) -> Diagnostic:
    """The warning that pictures were not what the network takes."""
    notes = [f"`{path}` was {' and '.join(done)}" for path, done in changes.items()]
    more = [f"and {len(notes) - SHOWN} more"] if len(notes) > SHOWN else []
    many = "the image was" if count == 1 else f"{len(changes)} of {count} images were"
    message = f"{many} converted for the network"
    return Diagnostic("W520", message, notes=(*notes[:SHOWN], *more))


def _fitted(
    network: Network, trained: Trained, recipe: Recipe, settings: Mapping[str, str], wiring: Wiring
) -> Fitted:
    """The preprocessing of the run, or, of weights alone, fitted again where there is any."""
    fitted = trained.fitted_to(wiring)
    if fitted is not None or not recipe.preprocess:
        return fitted or Fitted()
    job = job_as_trained(network.compiled, trained, settings)
    again = Trained(trained.weights, job.training.fitted, Facts(inputs=job.wiring.inputs))
    return again.fitted_to(wiring) or Fitted()


def _forms(
    network: Network, trained: Trained, recipe: Recipe, *, assumed: bool
) -> Mapping[str, OutputForm]:
    """How outputs are read; as numbers where the loss is assumed and does not fit.

    Raises:
        NetError: The loss that was named does not fit.
    """
    try:
        return forms_of(network.graph, recipe.objective, trained.facts.outputs)
    except NetError:
        if assumed:
            return {}
        raise


def _to_json(names: Sequence[str], said: Mapping[str, Sequence[Answer]]) -> list[dict[str, Any]]:
    return [
        {"sample": name, **{output: each[place].to_dict() for output, each in said.items()}}
        for place, name in enumerate(names)
    ]


def _show(names: Sequence[str], said: Mapping[str, Sequence[Answer]]) -> None:
    """A line for each of the first samples and each output."""
    shown = names[:SHOWN]
    longest = max(map(len, shown), default=0) + 1
    for place, name in enumerate(shown):
        for output, each in said.items():
            head = f"{name + ':':<{longest}}" + (f"  {output}" if len(said) > 1 else "") + GAP
            items = str(each[place]).split(GAP)
            click.echo("\n".join(filled(items, width(sys.stdout), head=head)))
    if len(names) > SHOWN:
        more = len(names) - SHOWN
        text = f"and {more} more: `--json` shows all, `-o FILE` keeps the numbers"
        click.echo("\n".join(hanging("", text, width(sys.stdout))))
