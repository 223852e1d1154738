"""`netc predict`: the answers of a trained network for new samples."""

import json
import sys
from typing import Any

import click

from ...arrays import load_named_arrays, save_arrays
from ...network import Network
from ...prediction import picture_paths, predict
from ..completion import complete_path
from ..options import json_option, threads_option
from ..terminal import show_diagnostics, width
from ..weights import trained_network

SEE_MORE = ": `--json` shows all, `-o FILE` keeps the numbers"


@click.command("predict")
@trained_network
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
@threads_option
@json_option()
def command(
    network: Network,
    run: Any,
    inputs: tuple[str, ...],
    output: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Predict new samples with FILE and the weights of a run, preprocessed as in the run."""
    x: Any = None
    if inputs:
        names = [spec.name for spec in network.inputs]
        x = picture_paths(inputs) or load_named_arrays(inputs, names)
    found = predict(network.model, x, run, **options)
    show_diagnostics(found.warnings)
    if output is not None:
        save_arrays(output, found.outputs)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    click.echo(found.to_text(room=width(sys.stdout), advice=SEE_MORE))
    if output is not None:
        click.echo(f"written to {output}")
