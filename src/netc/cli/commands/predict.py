"""`netc predict`: the answers of a trained network for new samples."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from time import monotonic
from typing import IO, Any

import click
from click.core import ParameterSource

from ...arrays import save_arrays
from ...bulk_prediction import ON_FILES, RAY, predict_files
from ...network import Network
from ...prediction import TABLES, predict, read_samples
from ...runtime.training.progress import EVERY
from ..completion import complete_path
from ..options import (
    NumberRange,
    arrays_option,
    count_option,
    json_option,
    output_option,
    threads_option,
)
from ..terminal import show_diagnostics, width
from ..weights import trained_network

SEE_MORE = ": `--json` shows all, `-o FILE` keeps the numbers"
OF_SHARDS = ("columns", "actors", "cpus_per_actor", "gpus_per_actor")


@click.command("predict")
@trained_network
@click.argument("shards", required=False, type=click.Path(), shell_complete=complete_path)
@arrays_option("input", "[NAME=]X", "A .npy file, an image, or a folder of images.")
@click.option("--data", metavar="DATA", help='A data set, such as npz("new.npz").')
@count_option("top", default=1, metavar="K")
@output_option(
    "Answers as .csv or .parquet, outputs as .npy or .npz; of SHARDS, a folder OUT.parquet."
)
@click.option(
    "--columns", metavar="A,B", help="The columns of tables in SHARDS that are the input."
)
@count_option("actors", "How many processes predict on Ray.")
@count_option("cpus-per-actor", "Processors and threads of each.", 1)
@click.option(
    "--gpus-per-actor",
    type=NumberRange(min=0),
    default=0.0,
    show_default=True,
    help="GPUs of each; a fraction shares one.",
)
@threads_option
@json_option()
def command(
    network: Network,
    run: Any,
    shards: str | None,
    inputs: tuple[str, ...],
    output: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Predict new samples with FILE and the weights of a run, preprocessed as in the run.

    SHARDS is a file or folder of Parquet, CSV, npz or images, of any size. Results go to the
    folder that `-o` names, a Parquet file for each shard; run again, the command writes those that
    are missing. `--engine ray` spreads the shards over the processes of Ray.
    """
    given = {name: options.pop(name) for name in OF_SHARDS}
    if shards is not None:
        if inputs or options.pop("data") is not None or output is None:
            needs = "SHARDS needs `-o OUT.parquet`, without `--input` and `--data`"
            raise click.UsageError(f"{needs}; a few samples are `--input {shards}`")
        if _is_default("engine"):
            options["engine"] = ON_FILES
        given["columns"] = given["columns"].split(",") if given["columns"] else ()
        show = _progress(sys.stderr)
        written = predict_files(network.model, run, shards, output, done=show, **given, **options)
        click.echo(json.dumps(asdict(written)) if as_json else str(written))
        return
    if options["engine"] == RAY or not all(map(_is_default, OF_SHARDS)):
        raise click.UsageError("`--engine ray`, `--columns` and the options of actors need SHARDS")
    found = predict(network.model, read_samples(network.model, inputs), run, **options)
    show_diagnostics(found.warnings)
    if output is not None:
        if os.path.splitext(output)[1].lower() in TABLES:
            found.save(output)
        else:
            save_arrays(output, found.outputs, TABLES)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    click.echo(found.to_text(room=width(sys.stdout), advice=SEE_MORE))
    if output is not None:
        click.echo(f"written to {output}")


def _progress(stream: IO[str]) -> Callable[[int], None]:
    """What says from time to time how many rows are written."""
    rows, said = 0, monotonic()

    def done(count: int) -> None:
        nonlocal rows, said
        rows += count
        if monotonic() - said >= EVERY:
            said = monotonic()
            click.echo(f"{rows:,} rows written", file=stream)

    return done


def _is_default(name: str) -> bool:
    """Whether an option was not given."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.DEFAULT
