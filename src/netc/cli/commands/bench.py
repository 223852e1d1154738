"""`netc bench`: how long a network takes on its engines, beside PyTorch; and which layers do."""

import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from ...benchmarks import (
    ENGINE_NAMES,
    SECONDS,
    Benchmark,
    Profile,
    bench,
    check_loss,
    plan,
    profile,
)
from ...choices import MOST_THREADS
from ...grammar.diagnostics import NetError
from ...network import Network
from ..completion import one_of
from ..options import (
    NumberRange,
    count_option,
    file_argument,
    json_option,
    max_layers_option,
    open_network,
    output_option,
)
from ..terminal import progress_bar, width


@click.command("bench")
@file_argument
@click.option("--forward", is_flag=True, help="Time the outputs only.")
@click.option("--step", is_flag=True, help="Time a step of training only.")
@count_option("batch", "The number of samples; by default, that of the `train` block, or 32.")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    shell_complete=one_of(ENGINE_NAMES),
    help="numpy, onnxruntime or pytorch, several times if you like; all that are installed.",
)
@click.option(
    "--seconds",
    type=NumberRange(min=0),
    default=SECONDS,
    show_default=True,
    help="How long each is timed in each of five rounds.",
)
@count_option(
    "threads",
    "How many threads NumPy and PyTorch use; by default, as many as each chooses.",
    most=MOST_THREADS,
)
@click.option("--profile", "profiled", is_flag=True, help="Time each layer on NumPy instead.")
@click.option("--plan", "planned", is_flag=True, help="Print how NumPy computes it instead.")
@output_option("With `--profile`: a picture, SVG, PNG or PDF.")
@json_option("Print a JSON list, an object for each mode.")
@max_layers_option
def command(
    file: str,
    forward: bool,
    step: bool,
    engines: tuple[str, ...],
    profiled: bool,
    planned: bool,
    output: str | None,
    as_json: bool,
    max_layers: int | None,
    **options: Any,
) -> None:
    """Time FILE on a random batch: forward, and a step of training as its `train` block says.

    Each engine and PyTorch run in separate processes, in turn, after their results were
    compared.
    """
    for option, given in (("profile", profiled), ("engine", engines), ("json", as_json)):
        if planned and given:
            message = f"`--plan` prints NumPy's plan, and times nothing: it excludes `--{option}`"
            raise click.UsageError(message)
    if profiled and engines:
        raise click.UsageError("`--profile` is of NumPy: it excludes `--engine`")
    if profiled and forward and step:
        raise click.UsageError("`--profile` is of one mode: `--step` includes `--forward`")
    if output is not None and not profiled:
        raise click.UsageError("`-o` draws what `--profile` finds")
    network = open_network(file, max_layers)
    modes = [mode for mode, asked in (("forward", forward), ("step", step)) if asked]
    modes = modes or _possible(network)
    if planned:
        batch = options["batch"]
        click.echo("\n\n".join(plan(network.model, mode=mode, batch=batch) for mode in modes))
        return
    found: Sequence[Benchmark | Profile]
    if profiled:
        times = profile(network.model, mode=modes[-1], **options)
        if output is not None:
            times.draw(output)
        found = [times]
    else:
        shown = partial(progress_bar, "blocks")
        options |= {"engines": engines or None, "progress": shown}
        found = [bench(network.model, mode=mode, **options) for mode in modes]
    if as_json:
        click.echo(json.dumps([each.to_dict() for each in found], indent=1))
    else:
        click.echo("\n\n".join(each.to_text(width(sys.stdout)) for each in found))
        if output is not None:
            click.echo(f"wrote {output}")


def _possible(network: Network) -> list[str]:
    """Both modes, or without a loss that fits only the first, which is said."""
    try:
        check_loss(network.model)
    except NetError as failure:
        message = failure.diagnostics[0].message
        if failure.diagnostics[0].code == "E565":  # nor can the forward pass be timed
            raise
        click.echo(f"no step of training is timed: {message}", err=True)
        return ["forward"]
    return ["forward", "step"]
