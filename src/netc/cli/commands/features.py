"""`netc features`: what a network makes of each sample, as a file to train a head on."""

from typing import Any

import click

from ...choices import PARTS
from ...inspection import features
from ...network import Network
from ..weights import trained_network


@click.command("features")
@trained_network
@click.option("--label", required=True, help="The layer or label whose output is the feature.")
@click.option("-o", "--output", type=click.Path(), required=True, help="The .npz file.")
@click.option(
    "--allow",
    multiple=True,
    metavar="PATTERN",
    help="Weights that may differ, such as `head.*`.",
)
@click.option(
    "--part",
    type=click.Choice(PARTS),
    default="all",
    show_default=True,
    help="The part of the data.",
)
def command(network: Network, run: Any, label: str, output: str, **options: Any) -> None:
    """Write the output of FILE's layer LABEL for its data, with the targets, to an .npz file.

    `train { data = npz("FEATURES.npz") }` reads it.
    """
    found = features(network.model, run, label, output, say=click.echo, **options)
    size = "x".join(map(str, found.shape)) or "1"
    click.echo(f"{found.samples} samples of {size} numbers of `{label}` written to {output}")
