"""`netc export`: the network as an ONNX model."""

import click

from ..runtime.checkpoint import load_weights
from ..runtime.verification import verify_model
from ..training import export_step
from .options import (
    file_argument,
    max_layers_option,
    open_network,
    seed_option,
    weights_option,
)
from .train import settings_of


@click.command("export")
@file_argument
@click.option("-o", "--output", required=True, type=click.Path(), help="The model's file.")
@weights_option
@seed_option
@click.option("--opset", type=int, help="The opset to write: 22, the default, or above.")
@click.option("--training", is_flag=True, help="Write one step of training instead.")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="A setting of that training."
)
@click.option("--verify", is_flag=True, help="Run it on onnxruntime and on NumPy, and compare.")
@max_layers_option
def command(
    file: str,
    output: str,
    weights: str | None,
    seed: int,
    opset: int | None,
    training: bool,
    changes: tuple[str, ...],
    verify: bool,
    max_layers: int | None,
) -> None:
    """Write FILE as an ONNX model, checked, with a symbolic batch."""
    network = open_network(file, max_layers)
    if training:
        if weights is not None or verify:
            raise click.UsageError("a step takes weights as inputs: drop --weights and --verify")
        export_step(network.compiled, output, changes=settings_of(changes), opset=opset)
        click.echo(f"wrote {output}")
        return
    state = network.initialize(seed) if weights is None else load_weights(weights)
    network.export(output, state, opset=opset, seed=seed)
    click.echo(f"wrote {output}")
    if verify:
        click.echo(str(verify_model(network.graph, state, output)))
