"""`netc sanity`: what should be so before a network is worth training."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from ...inspection import sanity
from ...runtime.sanity.checks import Check
from ...runtime.sanity.overfitting import MEMORIZED, STEPS_PER_RATE
from ...tables import hanging
from ..options import (
    count_option,
    device_option,
    engine_option,
    file_argument,
    json_option,
    max_layers_option,
    open_network,
    settings_option,
    start_option,
    threads_option,
)
from ..terminal import width
from ..weights import read_weights


@click.command("sanity")
@file_argument
@settings_option()
@count_option("samples", "The number of samples to memorize.", MEMORIZED)
@count_option("steps", "The maximum number of steps for each learning rate.", STEPS_PER_RATE)
@start_option
@engine_option
@device_option
@json_option("Print a JSON list, an object per check.")
@threads_option
@max_layers_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    file: str,
    weights: str | None,
    as_json: bool,
    max_layers: int | None,
    **options: Any,
) -> None:
    """Check FILE's data, loss, activations and gradients, and train it on a few samples.

    Exits with 1 if a check fails.
    """
    network = open_network(file, max_layers)
    state = None if weights is None else read_weights(network.graph, weights)
    checks = sanity(network.model, weights=state, **options)
    if as_json:
        click.echo(json.dumps([check.to_dict() for check in checks], indent=1))
    else:
        _show(checks)
    ctx.exit(0 if all(check.ok for check in checks) else 1)


def _show(checks: Sequence[Check]) -> None:
    longest, room = max(len(check.name) for check in checks), width(sys.stdout)
    for check in checks:
        mark = "ok  " if check.ok else "FAIL"
        head = f"{mark}  {check.name:<{longest}}  "
        lines = hanging(head, check.message, room)
        if not check.ok and check.advice:
            lines += hanging(" " * len(head), f"help: {check.advice}", room)
        click.echo("\n".join(lines))
