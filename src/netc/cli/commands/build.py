"""`netc build`: check, table, diagram, ONNX model and verified run in one go."""

import re
from pathlib import Path

import click

from ...grammar.files import make_folder
from ...network import Network
from ...runtime.engines.verification import verify_model
from ..options import file_argument, max_layers_option, open_network, seed_option, weights_option
from ..terminal import show_summary
from ..weights import read_weights

_NOT_IN_FILE_NAMES = re.compile(r"[^\w .+-]+")
LONGEST_STEM = 60  # characters, of up to four bytes each


@click.command("build")
@file_argument
@click.option("-d", "--directory", default="build", show_default=True, type=click.Path())
@weights_option()
@seed_option
@max_layers_option
def command(
    file: str, directory: str, weights: str | None, seed: int, max_layers: int | None
) -> None:
    """Check FILE, print its table, draw it, export it, and compare NumPy with onnxruntime."""
    network = open_network(file, max_layers)
    make_folder(directory)
    stem = Path(directory) / file_stem(file, network)
    diagram = f"{stem}.svg"
    network.draw(diagram)
    model = f"{stem}.onnx"
    state = network.initialize(seed) if weights is None else read_weights(network.graph, weights)
    network.export(model, None if weights is None else state, seed=seed)
    show_summary(network.summary())  # once all is written, since a reader may leave early
    click.echo(f"wrote {diagram}\nwrote {model}")
    click.echo(str(verify_model(network.graph, state, model)))


def file_stem(file: str, network: Network) -> str:
    """What the artefacts are called: as the file is, or else as the network is.

    A network's name may be any text, and never leads out of the folder.
    """
    path = Path(file.removeprefix("zoo:"))
    if path.suffix == ".net" or file.startswith("zoo:"):
        return path.stem
    return _NOT_IN_FILE_NAMES.sub("_", network.name)[:LONGEST_STEM].strip(". ") or "network"
