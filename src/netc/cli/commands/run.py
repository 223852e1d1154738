"""`netc run`: a network on arrays from files."""

import sys
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from ...array_text import describe
from ...arrays import load_named_arrays, save_arrays
from ...choices import Device, EngineName
from ...runtime.arrays.held import one_by_one
from ...runtime.data.class_names import ClassNames
from ...runtime.engines.engine import ENGINES
from ...runtime.engines.session import Session
from ...runtime.inference.deployment import read_class_names
from ...runtime.run_folder.trained import class_names_beside, preprocessing_lost
from ...runtime.weights.initialize import initialize
from ...sources import ONNX
from ...tables import hanging
from ..completion import complete_file, one_of
from ..options import (
    arrays_option,
    device_option,
    max_layers_option,
    open_network,
    output_option,
    seed_option,
    threads_option,
    weights_option,
)
from ..terminal import show_diagnostics, width
from ..weights import read_weights

Arrays = dict[str, np.ndarray[Any, Any]]


@click.command("run")
@click.argument("model", shell_complete=complete_file)
@arrays_option("input", "[NAME=]X.npy", "An input.")
@output_option("A .npy file, or .npz for several arrays.")
@click.option(
    "--engine",
    shell_complete=one_of(ENGINES),
    help=f"{' or '.join(ENGINES)}; of an .onnx model, onnxruntime by default.",
)
@device_option
@click.option(
    "--fetch",
    multiple=True,
    metavar="LABEL",
    help="The label of a tensor to return instead of the outputs.",
)
@weights_option()
@seed_option
@threads_option
@max_layers_option
def command(
    model: str,
    inputs: tuple[str, ...],
    output: str | None,
    engine: EngineName | None,
    device: Device,
    fetch: tuple[str, ...],
    weights: str | None,
    seed: int,
    max_layers: int | None,
) -> None:
    """Run MODEL, a program with weights or an .onnx file, on arrays of shape (N, C, H, W)."""
    drawn = False
    if model.endswith(ONNX) and engine != "numpy":
        results, names = _run_onnx(model, inputs, device=device, fetch=fetch)
    else:
        network = open_network(model, max_layers)
        first = initialize(network.graph, seed)
        state = first if weights is None else read_weights(network.graph, weights)
        drawn = weights is None and bool(first.drawn)
        show_diagnostics(() if weights is None else preprocessing_lost(weights, model))
        feeds = load_named_arrays(inputs, [spec.name for spec in network.inputs])
        found = network.run(
            feeds, state, engine=engine or "numpy", device=device, fetch=fetch or None
        )
        results = found if isinstance(found, dict) else {network.outputs[0].name: found}
        names = {} if weights is None else class_names_beside(weights)
    results = one_by_one(results)
    if output is not None:
        save_arrays(output, results)
    room = width(sys.stdout)
    for name, array in results.items():
        click.echo(describe(name, array, columns=names.get(name, ()), room=room))
    if drawn:
        text = f"the weights were drawn at random (seed {seed}); give others with `--weights`"
        click.echo("\n".join(hanging("", text, room)))
    if output is not None:
        click.echo(f"written to {output}")


def _run_onnx(
    model: str, inputs: Sequence[str], *, device: str, fetch: Sequence[str]
) -> tuple[Arrays, ClassNames]:
    """Run an ONNX file as it is, on onnxruntime; also the names of its classes by output."""
    session = Session(model, device=device)
    feeds = load_named_arrays(inputs, list(session.inputs))
    return session.run(feeds, list(fetch) or None), read_class_names(session.metadata)
