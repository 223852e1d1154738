"""`netc plan`: how fast several workers would train."""

import json
import sys
from typing import Any

import click

from ...runtime.benchmarking.devices import DEVICES
from ...scaling import CPU, EFFICIENCY, LATENCY, plan_training
from ..completion import one_of
from ..options import (
    NumberRange,
    count_option,
    engine_option,
    file_argument,
    json_option,
    max_layers_option,
    open_network,
)
from ..terminal import width


@click.command("plan")
@file_argument
@count_option("workers", default=8)
@click.option(
    "--bandwidth",
    default="10Gb",
    show_default=True,
    help="Of each worker's network, each way: 25Gb (bits) or 3GB (bytes) a second; or local, for"
    " workers of one machine.",
)
@click.option(
    "--latency",
    type=NumberRange(min=0),
    default=LATENCY * 1e6,
    show_default=True,
    metavar="MICROSECONDS",
    help="Of a message.",
)
@click.option(
    "--device",
    default=CPU,
    show_default=True,
    shell_complete=one_of((CPU, *DEVICES)),
    help=f"cpu, which is measured here, or {', '.join(DEVICES)}.",
)
@count_option("batch", "Samples; by default the program's.")
@engine_option
@click.option(
    "--efficiency",
    type=NumberRange(min=0, max=1, min_open=True),
    default=EFFICIENCY,
    show_default=True,
    help="The share of a data sheet's figures that a device reaches.",
)
@count_option("threads", "Of each worker on cpu.")
@json_option()
@max_layers_option
def command(
    file: str, latency: float, as_json: bool, max_layers: int | None, **options: Any
) -> None:
    """Predict time, memory and communication of training FILE by several workers.

    Each step, they sum their gradients over a ring. On `cpu` one worker's step is timed here.
    """
    network = open_network(file, max_layers)
    found = plan_training(network.model, latency=latency * 1e-6, **options)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1))
    else:
        click.echo(found.to_text(width(sys.stdout)))
