"""`netc features`: what a network makes of each sample, as a file to train a head on."""

import click

from ...runtime.inspection.features import PARTS, extract
from ...runtime.training.job import ALL
from ...runtime.weights.transfer import match_weights
from ...training import job_as_trained
from ..options import (
    device_option,
    engine_option,
    file_argument,
    max_layers_option,
    open_network,
    rename_option,
)
from ..weights import open_run
from .train import settings_of


@click.command("features")
@file_argument
@click.option("--label", required=True, help="The layer or label whose output is the feature.")
@click.option("-o", "--output", type=click.Path(), required=True, help="The .npz file.")
@click.option("--run", "folder", type=click.Path(), help="The folder of a run.")
@click.option(
    "--weights", type=click.Path(), is_eager=True, help="A file of weights instead of the run's."
)
@rename_option
@click.option(
    "--allow",
    multiple=True,
    metavar="PATTERN",
    help="Weights that may differ, such as `head.*`.",
)
@click.option(
    "--part",
    type=click.Choice(PARTS),
    default=ALL,
    show_default=True,
    help="The part of the data.",
)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Replace a setting.")
@engine_option
@device_option
@max_layers_option
def command(
    file: str,
    label: str,
    output: str,
    folder: str | None,
    weights: str | None,
    allow: tuple[str, ...],
    part: str,
    changes: tuple[str, ...],
    engine: str,
    device: str,
    max_layers: int | None,
) -> None:
    """Write the output of FILE's layer LABEL for its data, with the targets, to an .npz file.

    `train { data = npz("FEATURES.npz") }` reads it.
    """
    network = open_network(file, max_layers)
    trained = open_run(network.graph, folder, weights)
    matching = match_weights(network.graph, trained.weights, allow=allow)
    if not matching.complete:
        for line in matching.lines():
            click.echo(line)
    job = job_as_trained(
        network.compiled, trained, settings_of(changes), engine=engine, device=device
    )
    found = extract(job, matching.merged(network.graph, job.recipe.seed), label, output, part=part)
    size = "x".join(map(str, found.shape)) or "1"
    click.echo(f"{found.samples} samples of {size} numbers of `{label}` written to {output}")
