"""`netc report`: a network, and a run of it, as one HTML file."""

from pathlib import Path

import click

from ...network import Network
from ...sources import ZOO, is_chain
from ..options import file_argument, max_layers_option, open_network, weights_option
from ..weights import read_weights


@click.command("report")
@file_argument
@click.option("--run", "folder", type=click.Path(), help="The folder of a run.")
@weights_option("by default, those of the run, if any")
@click.option(
    "-o", "--output", type=click.Path(), help="The HTML file; by default, FILE's name with .html."
)
@max_layers_option
def command(
    file: str, folder: str | None, weights: str | None, output: str | None, max_layers: int | None
) -> None:
    """Write FILE's diagram, layers, formulas and program, and a run of it, as one HTML file."""
    network: Network = open_network(file, max_layers)
    state = None if weights is None else read_weights(network.graph, weights)
    nameless = file == "-" or is_chain(file)
    path = output or ("network" if nameless else Path(file.removeprefix(ZOO)).stem) + ".html"
    network.report(path, run=folder, weights=state)
    click.echo(f"wrote {path}")
