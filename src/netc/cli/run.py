"""`netc run`: a network on arrays from files."""

from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from ..arrays import load_named_arrays, save_arrays
from ..grammar.diagnostics import error
from ..runtime.engines import ENGINES
from ..runtime.session import Session
from ..runtime.training.trained import preprocessing_lost
from .options import max_layers_option, open_network, seed_option, weights_option
from .terminal import show_diagnostics
from .weights import read_weights

Arrays = dict[str, np.ndarray[Any, Any]]
MOST_NUMBERS = 100


@click.command("run")
@click.argument("model")
@click.option("--input", "inputs", multiple=True, metavar="[NAME=]X.npy", help="An input.")
@click.option("-o", "--output", type=click.Path(), help="A .npy file, or .npz for several arrays.")
@click.option("--engine", help=f"{' or '.join(ENGINES)}; for an .onnx model, onnxruntime.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or cuda on onnxruntime.")
@click.option("--fetch", multiple=True, metavar="LABEL", help="A tensor to return instead.")
@weights_option
@seed_option
@max_layers_option
def command(
    model: str,
    inputs: tuple[str, ...],
    output: str | None,
    engine: str | None,
    device: str,
    fetch: tuple[str, ...],
    weights: str | None,
    seed: int,
    max_layers: int | None,
) -> None:
    """Run MODEL, a program with weights or an .onnx file, on arrays of shape (N, C, H, W)."""
    if model.endswith(".onnx"):
        results = _run_onnx(model, inputs, engine=engine, device=device, fetch=fetch)
    else:
        network = open_network(model, max_layers)
        state = (
            network.initialize(seed) if weights is None else read_weights(network.graph, weights)
        )
        show_diagnostics(() if weights is None else preprocessing_lost(weights, model))
        feeds = load_named_arrays(inputs, [spec.name for spec in network.inputs])
        found = network.run(
            feeds, state, engine=engine or "numpy", device=device, fetch=fetch or None
        )
        results = found if isinstance(found, dict) else {network.outputs[0].name: found}
    if output is not None:
        save_arrays(output, results)
    for name, array in results.items():
        click.echo(f"{name}: {array.dtype}{list(array.shape)}\n{_shown(array)}")


def _shown(array: np.ndarray[Any, Any]) -> str:
    """The numbers where they are few, their statistics otherwise."""
    if array.size <= MOST_NUMBERS or not np.issubdtype(array.dtype, np.number):
        return np.array2string(array, precision=6, suppress_small=True, threshold=MOST_NUMBERS)
    low, high, mean, deviation = array.min(), array.max(), array.mean(), array.std()
    return f"  from {low:.6g} to {high:.6g}, mean {mean:.6g}, standard deviation {deviation:.6g}"


def _run_onnx(
    model: str,
    inputs: Sequence[str],
    *,
    engine: str | None,
    device: str,
    fetch: Sequence[str],
) -> Arrays:
    """Run an ONNX file as it is, on onnxruntime."""
    if engine not in (None, "onnxruntime"):
        raise error(
            "E502",
            f"the engine `{engine}` cannot read `{model}`",
            help="run an .onnx model with `--engine onnxruntime`",
        )
    session = Session(model, device=device)
    return session.run(load_named_arrays(inputs, list(session.inputs)), list(fetch) or None)
