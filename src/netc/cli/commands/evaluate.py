"""`netc evaluate`: losses and metrics of a trained network on a part of its data."""

import json
import sys
from typing import Any

import click

from ...evaluation import evaluate
from ...network import Network
from ..options import data_option, json_option, output_option, part_option, threads_option
from ..terminal import width
from ..weights import trained_network


@click.command("evaluate")
@trained_network
@data_option
@part_option("test")
@click.option("--metric", "metrics", multiple=True, help="A metric; by default, all that apply.")
@click.option(
    "--threshold", type=float, help="The probability at or above which a sample counts as positive."
)
@output_option("A folder for plots.")
@threads_option
@json_option()
def command(
    network: Network,
    run: Any,
    output: str | None,
    as_json: bool,
    data: str | None,
    settings: dict[str, Any],
    **options: Any,
) -> None:
    """Measure FILE with the weights of a run on a part of its data."""
    changes = settings if data is None else {**settings, "data": data}
    curves = output is not None
    found = evaluate(network.model, run, curves=curves, settings=changes, **options)
    plots = [] if output is None else found.draw(output)
    if output is not None and not plots:
        text = f"nothing to draw in `{output}`: plots show classes, or decisions of both kinds"
        click.echo(text, err=True)
    if as_json:
        click.echo(json.dumps({**found.to_dict(), "pictures": plots}, indent=2))
        return
    click.echo(found.to_text(room=width(sys.stdout)))
    for path in plots:
        click.echo(f"written to {path}")
