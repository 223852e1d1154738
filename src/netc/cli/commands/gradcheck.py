"""`netc gradcheck`: gradients against central differences."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from math import isfinite
from typing import Any

import click

from ...compiler.passes.append_backward import trainable
from ...compiler.passes.set_mode import set_mode
from ...compiler.training.objective import add_loss
from ...network import Network
from ...runtime.inspection.gradcheck import SAMPLES, TOLERANCE, ParameterCheck, off_kinks
from ...runtime.inspection.gradcheck import gradcheck as compare
from ...runtime.inspection.random_feeds import random_feeds
from ...tables import hanging, table
from ...training import job_of, recipe_of
from ..options import file_argument, json_option, max_layers_option, open_network, weights_option
from ..terminal import width
from ..weights import read_weights

SECONDS = 60.0
BATCH = 4  # samples; a few show all that is wrong with a gradient
HEAD = ("parameter", "compared", "kinks", "error", "at", "gradient", "difference")
SHOWN = 5  # names in a message
LEFT = (0, 4, len(HEAD))  # the columns that are aligned to the left
MOST_BAR, BESIDE_BAR = 36, 32  # characters of a progress bar, and of what stands around it


@click.command("gradcheck")
@file_argument
@click.option(
    "--samples",
    metavar="N|all",
    help=f"The number of entries of each parameter to compare.  [default: {SAMPLES}]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    help=f"Compare fewer entries rather than take longer than this.  [default: {SECONDS:g}]",
)
@click.option("--loss", help="The loss; by default, that of the `train` block, or cross_entropy.")
@click.option("--batch", type=click.IntRange(min=1), default=BATCH, show_default=True)
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
@weights_option
@max_layers_option
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    samples: str | None,
    seconds: float | None,
    loss: str | None,
    batch: int,
    random: bool,
    inference: bool,
    seed: int,
    as_json: bool,
    weights: str | None,
    max_layers: int | None,
) -> None:
    """Compare the gradients of FILE's loss with central differences in float64.

    Data come from the `train` block; if it names none, inputs and targets are random. Exits with 1
    if a gradient is wrong.
    """
    network = open_network(file, max_layers)
    count = SAMPLES if samples is None else _count(samples)
    limit = SECONDS if samples is None and seconds is None else seconds
    drawn = random or network.recipe is None or network.recipe.data is None
    graph, feeds = (_drawn if drawn else _from_data)(network, loss, batch, seed)
    settled = set_mode(graph, training=not inference, seed=seed)
    if "step" in settled.inputs:
        feeds["step"] = 0
    state = _weights(network, weights, seed)
    with _progress(len(trainable(settled))) as done:
        checks = compare(settled, feeds, state, samples=count, seed=seed, seconds=limit, done=done)
    if as_json:
        click.echo(json.dumps([_plain(check) for check in checks], indent=1))
    else:
        whence = "drawn at random" if drawn else "of the data"
        click.echo("\n".join(_lines(checks, whence, batch)))
    ctx.exit(0 if all(check.ok for check in checks) else 1)


@contextmanager
def _progress(parameters: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    room = min(MOST_BAR, max((width(sys.stderr) or 0) - BESIDE_BAR, 1))
    with click.progressbar(
        length=parameters, label="parameters", file=sys.stderr, width=room
    ) as bar:
        yield lambda count: bar.update(1)


def _weights(network: Network, path: str | None, seed: int) -> Mapping[str, Any]:
    """Those of a file, or drawn ones; drawn biases are not 0, so that few RELUs are at kinks."""
    if path is None:
        return off_kinks(network.graph, network.initialize(seed), seed)
    state = read_weights(network.graph, path)
    network.check_weights(state)
    return state


def _count(samples: str) -> int | None:
    if samples == "all":
        return None
    if not samples.isascii() or not samples.isdigit() or int(samples) < 1:
        raise click.UsageError(f"`--samples {samples}` is neither a number nor `all`")
    return int(samples)


def _drawn(network: Network, loss: str | None, batch: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """The network with its loss, and random inputs and targets."""
    objective = recipe_of(network.model, {"loss": loss}).objective
    feeds = random_feeds(network.graph, objective, batch=batch, seed=seed)
    return add_loss(network.graph, objective), dict(feeds)


def _from_data(
    network: Network, loss: str | None, batch: int, seed: int
) -> tuple[Any, dict[str, Any]]:
    """The network with its loss, and the first samples of the training part."""
    job = job_of(network.model, changes={"loss": loss})
    part = replace(job.training, indices=job.split.train[:batch])
    types = {output: target.type for output, target in job.wiring.targets.items()}
    feeds = next(iter(part.still(batch)))
    return add_loss(network.graph, job.recipe.objective, types), dict(feeds)


def _lines(checks: Sequence[ParameterCheck], whence: str, batch: int) -> Iterator[str]:
    """A table, and sentences about it."""
    marks = ("" if check.ok else "WRONG" for check in checks)
    rows = [(*_cells(check), mark) for check, mark in zip(checks, marks, strict=True)]
    yield from table([(*HEAD, ""), *rows], room=width(sys.stdout), left=LEFT)
    for sentence in _sentences(checks, whence, batch):
        yield from hanging("", sentence, width(sys.stdout))


def _sentences(checks: Sequence[ParameterCheck], whence: str, batch: int) -> Iterator[str]:
    if not checks:
        yield "there is no trainable weight: nothing was compared"
        return
    wrong = sum(not check.ok for check in checks)
    verdict = f"{wrong} of {len(checks)} gradients are wrong" if wrong else "all gradients agree"
    yield f"{verdict} with central differences on {batch} samples {whence}, to {TOLERANCE:g}"
    untold = [check.name for check in checks if check.ok and not check.checked]
    if untold:
        names = ", ".join(f"`{name}`" for name in untold[:SHOWN])
        more = f" and {len(untold) - SHOWN} more" if len(untold) > SHOWN else ""
        yield f"nothing could be compared of {names}{more}: kinks are too near"
    if skipped := sum(check.skipped for check in checks):
        yield f"{skipped:,} more numbers were left out for lack of time; see `--seconds`"


def _cells(check: ParameterCheck) -> tuple[str, ...]:
    counts = (check.name, str(check.checked), str(check.kinks))
    if not check.checked:
        return (*counts, "-", "-", "-", "-")
    place = ", ".join(map(str, check.place))
    return (
        *counts,
        f"{check.error:.1e}",
        f"[{place}]",
        f"{check.gradient:.6g}",
        f"{check.difference:.6g}",
    )


def _plain(check: ParameterCheck) -> dict[str, Any]:
    """A row as JSON; numbers that are not finite are texts."""
    values = {**asdict(check), "ok": check.ok}
    return {
        name: repr(value) if isinstance(value, float) and not isfinite(value) else value
        for name, value in values.items()
    }
