"""`netc gradcheck`: gradients against central differences."""

import json
import sys
from functools import partial
from typing import Any

import click

from ...gradient_checks import check_gradients
from ...runtime.inspection.gradcheck import ENTRIES
from ..options import (
    NumberRange,
    count_option,
    file_argument,
    json_option,
    max_layers_option,
    open_network,
    threads_option,
    weights_option,
)
from ..terminal import progress_bar, width
from ..weights import read_weights

LIMIT = 60.0
DEFAULT_BATCH = 4  # samples; a few show all that is wrong with a gradient


@click.command("gradcheck")
@file_argument
@click.option(
    "--samples",
    metavar="N|all",
    help=f"The number of entries of each parameter to compare.  [default: {ENTRIES}]",
)
@click.option(
    "--seconds",
    type=NumberRange(min=0),
    help=f"Compare fewer entries rather than take longer than this.  [default: {LIMIT:g}]",
)
@click.option("--loss", help="The loss; by default, that of the `train` block, or cross_entropy.")
@count_option("batch", default=DEFAULT_BATCH)
@click.option(
    "--random", is_flag=True, help="Use random inputs and targets, even if the program names data."
)
@click.option(
    "--inference",
    is_flag=True,
    help="Check inference mode: no Dropout, BN with running statistics.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The seed for weights, samples and the compared entries.",
)
@json_option("Print a JSON list, an object per parameter.")
@weights_option()
@threads_option
@max_layers_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    file: str,
    samples: str | None,
    seconds: float | None,
    inference: bool,
    as_json: bool,
    weights: str | None,
    max_layers: int | None,
    **options: Any,
) -> None:
    """Compare the gradients of FILE's loss with central differences in float64.

    Data come from the `train` block; if it names none, inputs and targets are random. Exits with 1
    if a gradient is wrong.
    """
    network = open_network(file, max_layers)
    found = check_gradients(
        network.model,
        None if weights is None else read_weights(network.graph, weights),
        training=not inference,
        samples=ENTRIES if samples is None else _count(samples),
        seconds=LIMIT if samples is None and seconds is None else seconds,
        progress=partial(progress_bar, "parameters"),
        **options,
    )
    if as_json:
        click.echo(json.dumps([check.to_dict() for check in found.checks], indent=1))
    else:
        click.echo(found.to_text(width(sys.stdout)))
    ctx.exit(0 if found.ok else 1)


def _count(samples: str) -> int | None:
    if samples == "all":
        return None
    if not samples.isascii() or not samples.isdigit() or int(samples) < 1:
        raise click.UsageError(f"`--samples {samples}` is neither a number nor `all`")
    return int(samples)
