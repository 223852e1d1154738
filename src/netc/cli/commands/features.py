"""`netc features`: what a network makes of each sample, as a file to train a head on."""

from typing import Any

import click

from ...inspection import features
from ...network import Network
from ..options import allow_option, output_option, part_option
from ..weights import trained_network


@click.command("features")
@trained_network
@click.option("--label", required=True, help="The layer or label whose output is the feature.")
@output_option("The .npz file.", required=True)
@allow_option("Weights that may differ, such as `head.*`.")
@part_option("all")
def command(network: Network, run: Any, label: str, output: str, **options: Any) -> None:
    """Write the output of FILE's layer LABEL for its data, with the targets, to an .npz file.

    `train { data = npz("FEATURES.npz") }` reads it.
    """
    found = features(network.model, run, label, output, say=click.echo, **options)
    size = "x".join(map(str, found.shape)) or "1"
    click.echo(f"{found.samples} samples of {size} numbers of `{label}` written to {output}")
