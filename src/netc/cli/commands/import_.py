"""`netc import`: an ONNX model as a program and a file of weights."""

from collections.abc import Mapping
from pathlib import PurePath

import click

from ...loading import load_onnx
from ...programs import program_text, write_program
from ...tables import counted
from ..options import output_option
from ..terminal import show_diagnostics


@click.command("import")
@click.argument("model", type=click.Path())
@output_option("The program's file; by default MODEL.net; `-` is standard output, without weights.")
@click.option("--no-weights", is_flag=True, help="Write the program only.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(model: str, output: str | None, no_weights: bool, force: bool) -> None:
    """Write the ONNX file MODEL as a program, and its weights as .safetensors beside it."""
    network = load_onnx(model)
    show_diagnostics(network.warnings)
    if output == "-":
        click.echo(program_text(network.model), nl=False)
        return
    path = output or f"{PurePath(model).stem}.net"
    if PurePath(path).suffix != ".net":
        raise click.UsageError(f"a program's file ends in .net: -o {PurePath(path).stem}.net")
    written = write_program(network.model, path, with_weights=not no_weights, force=force)
    layers, params = len(network.graph.layers), network.params
    counts = counted(layers, "layer"), counted(params, "parameter"), counted(network.macs, "MAC")
    click.echo(f"wrote {path}: {', '.join(counts)}")
    if written.weights is not None:
        click.echo(f"wrote {written.weights}: {written.tensors:,} tensors")
    if written.program.plain:
        click.echo(f"operators without a layer: {_counted(written.program.plain)}")
    batch = written.program.batch or network.model.metadata.batch
    if batch is not None:
        click.echo(f"a batch of {batch} became one of any number of samples")
    if written.program.copies:
        click.echo(f"weights that layers share in part, copied: {len(written.program.copies):,}")
    for old, new in written.program.renamed.items():
        click.echo(f"the output `{old}` is called `{new}`")


def _counted(operators: Mapping[str, int]) -> str:
    """Operators with how many there are, most first."""
    ordered = sorted(operators.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count} times" if count > 1 else name for name, count in ordered)
