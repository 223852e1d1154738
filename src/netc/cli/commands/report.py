"""`netc report`: a network, and a run of it, as one HTML file."""

import click

from ...network import Network
from ..options import (
    default_name,
    file_argument,
    max_layers_option,
    open_network,
    output_option,
    run_option,
    weights_option,
)
from ..weights import read_weights


@click.command("report")
@file_argument
@run_option
@weights_option("by default, those of the run, if any")
@output_option("The HTML file; by default, FILE's name with .html.")
@max_layers_option
def command(
    file: str, folder: str | None, weights: str | None, output: str | None, max_layers: int | None
) -> None:
    """Write FILE's diagram, layers, formulas and program, and a run of it, as one HTML file."""
    network: Network = open_network(file, max_layers)
    state = None if weights is None else read_weights(network.graph, weights)
    path = output or default_name(file, "html")
    network.report(path, run=folder, weights=state)
    click.echo(f"wrote {path}")
