"""`netc export`: the network as an ONNX model, or as a file of Python for PyTorch."""

import click

from ...choices import HALF_PRECISIONS
from ...compiler.emit.onnx import Half
from ...exports import export_network, export_source
from ...gradients import export_step
from ...network import Network
from ...runtime.engines.verification import verify_model
from ...runtime.run_folder.trained import Trained, preprocessing_lost
from ...runtime.weights.state import State
from ..options import (
    file_argument,
    given_besides,
    max_layers_option,
    open_network,
    output_option,
    seed_option,
    settings_option,
    weights_option,
)
from ..terminal import show_diagnostics
from ..weights import open_run, read_weights


@click.command("export")
@file_argument
@output_option("The model's file.", required=True)
@click.option(
    "--to",
    "target",
    type=click.Choice(["onnx", "torch"]),
    default="onnx",
    show_default=True,
    help="An ONNX model, or a Python file that defines the network in PyTorch.",
)
@click.option(
    "--run",
    "folder",
    type=click.Path(),
    help="The folder of a run, to include its preprocessing and class names.",
)
@weights_option()
@seed_option
@click.option("--opset", type=int, help="The ONNX opset, 13 or later; 22 by default.")
@click.option(
    "--dtype",
    type=click.Choice(HALF_PRECISIONS),
    help="Store weights and compute products in half precision.",
)
@click.option(
    "--keep-io-types/--no-keep-io-types",
    default=True,
    show_default=True,
    help="With --dtype: whether inputs and outputs stay float32.",
)
@click.option(
    "--fused-attention",
    is_flag=True,
    help="Write attention layers as ONNX's Attention; opset 23 or later.",
)
@click.option("--training", is_flag=True, help="Write a training step instead.")
@settings_option("A setting of the training step.")
@click.option("--verify", is_flag=True, help="Run the model on onnxruntime and NumPy, and compare.")
@max_layers_option
@click.pass_context
def command(
    context: click.Context,
    file: str,
    output: str,
    target: str,
    folder: str | None,
    weights: str | None,
    seed: int,
    opset: int | None,
    dtype: str | None,
    keep_io_types: bool,
    fused_attention: bool,
    training: bool,
    settings: dict[str, str],
    verify: bool,
    max_layers: int | None,
) -> None:
    """Write FILE as an ONNX model, checked, with a symbolic batch; or, --to torch, as Python."""
    if output == "-":
        raise click.UsageError(
            "a model is written to a file, not to standard output: -o model.onnx"
        )
    if target == "torch":
        _check_unused(context)
    if training:
        weighted = folder is not None or weights is not None or verify
        _check_step(weighted=weighted, half=dtype is not None, fused=fused_attention)
    network = open_network(file, max_layers)
    if target == "torch":
        export_source(network.model, output)
        click.echo(f"wrote {output}")
        return
    if training:
        export_step(network.model, output, changes=settings, opset=opset)
        click.echo(f"wrote {output}")
        return
    trained, state = _trained(network, file, folder, weights)
    found = export_network(
        network.model,
        output,
        state,
        opset=opset,
        seed=seed,
        trained=trained,
        half=None if dtype is None else Half.of(dtype, keep_io_types=keep_io_types),
        fused_attention=fused_attention,
    )
    click.echo(f"wrote {output}")
    if found.half is not None:
        click.echo(found.half.verify() if verify else str(found.half.measure()))
    elif verify:
        click.echo(str(verify_model(found.graph, found.state, output)))


def _trained(
    network: Network, file: str, folder: str | None, weights: str | None
) -> tuple[Trained | None, State | None]:
    """What training has yielded: a run's folder, and weights, of it or of a file alone."""
    if folder is not None:
        trained = open_run(network.graph, folder, weights)
        return trained, trained.weights
    if weights is None:
        return None, None
    state = read_weights(network.graph, weights)
    show_diagnostics(preprocessing_lost(weights, file))
    return None, state


def _check_step(*, weighted: bool, half: bool, fused: bool) -> None:
    """Refuse what a step of training cannot have."""
    if weighted:
        raise click.UsageError("a step takes weights as inputs: drop --run, --weights and --verify")
    if half:
        raise click.UsageError("a step of training computes in float32: drop --dtype")
    if fused:
        raise click.UsageError("a step of training has no Attention: drop --fused-attention")


def _check_unused(context: click.Context) -> None:
    """A Python file holds no weights: options that are about them, or about ONNX, say nothing."""
    given = given_besides(context, "file", "output", "target", "max_layers")
    if given:
        listed = ", ".join(given)
        raise click.UsageError(f"a Python file holds the network without weights: drop {listed}")
