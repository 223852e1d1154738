"""`netc train`: the program's `train` block, run."""

import gc
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from ...cross_validation import CrossValidation, cross_validate
from ...grammar.files import check_writable
from ...network import Network
from ...runtime.learning_curves.of_run import read_run
from ...runtime.plots.canvas import picture_format
from ...runtime.run_folder.folder import free_folder
from ...runtime.training.event_files import TensorBoard
from ...runtime.training.loop import SECONDS_BETWEEN_CHECKPOINTS
from ...runtime.training.run import Run
from ...runtime.weights.state import State
from ...tables import GAP, hanging
from ...training import find_rate, train
from ...training_bar import training_progress
from ..completion import one_of
from ..options import (
    DEVICES,
    ENGINE_NAMES,
    NumberRange,
    allow_option,
    count_option,
    file_argument,
    given_besides,
    max_layers_option,
    open_network,
    output_option,
    settings_option,
    start_option,
    threads_option,
)
from ..ranks import together
from ..terminal import show_diagnostics, width
from ..weights import read_weights

FOLDER = "run"
# Parameters that go with `--find-lr`.
OF_FINDING = (
    *("file", "settings", "epochs", "seed", "output", "weights", "find", "max_layers"),
    "threads",
)


@click.command("train")
@file_argument
@settings_option()
@count_option("epochs", "Same as `--set epochs=N`.")
@click.option("--seed", type=click.IntRange(min=0), help="Same as `--set seed=N`.")
@click.option(
    "--engine", shell_complete=one_of(ENGINE_NAMES), help="numpy, the default, or onnxruntime."
)
@click.option(
    "--device", shell_complete=one_of(DEVICES), help="cpu, the default, or cuda on onnxruntime."
)
@output_option(
    f"The run's folder; by default `{FOLDER}`, or `{FOLDER}2` and so on after a finished run."
)
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in that folder.")
@click.option("--force", is_flag=True, help="Overwrite the run in that folder.")
@start_option
@allow_option("Weights that may differ, such as `head.*`; they are reinitialized.")
@click.option("--lsuv", is_flag=True, help="Scale the initial weights using the data (LSUV).")
@click.option("--watch", is_flag=True, help="Monitor each layer after each epoch, and warn.")
@count_option(
    "log-every", "Print a line every this many epochs, and after the last.", 1, metavar="EPOCHS"
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="What to measure after each epoch, such as f1; same as `--set metrics=[f1]`.",
)
@click.option(
    "--monitor", help="The metric that decides which epoch is best, such as val_accuracy."
)
@count_option("patience", "Stop after this many epochs without improvement.")
@click.option(
    "--save-every",
    "every",
    type=NumberRange(min=0),
    default=SECONDS_BETWEEN_CHECKPOINTS,
    show_default=True,
    metavar="SECONDS",
    help="How often to write a checkpoint within an epoch; one is written after every epoch.",
)
@click.option(
    "--tensorboard",
    type=click.Path(),
    metavar="DIR",
    help="Also write losses and metrics of each epoch for TensorBoard, to this folder.",
)
@click.option(
    "--find-lr",
    "find",
    is_flag=True,
    help="Only try learning rates, over 100 steps, and suggest one; with -o, draw them there.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="K",
    help="Cross-validate: train K times, each time tested on another of K equal parts.",
)
@threads_option
@max_layers_option
def command(
    file: str,
    settings: dict[str, str],
    epochs: int | None,
    seed: int | None,
    output: str | None,
    resume: bool,
    force: bool,
    weights: str | None,
    allow: tuple[str, ...],
    lsuv: bool,
    max_layers: int | None,
    tensorboard: str | None,
    metrics: tuple[str, ...],
    find: bool,
    folds: int | None,
    **options: Any,
) -> None:
    """Train FILE as its `train` block says, and keep weights, history and curves in a folder."""
    gc.enable()  # a run may take days
    with together() as team:
        if (allow and weights is None) or (lsuv and weights is not None):
            raise click.UsageError("`--allow` needs `--weights`; `--lsuv` excludes it")
        if find:
            _check_find(click.get_current_context())
        if resume and force:
            raise click.UsageError("`--resume` continues a run, and `--force` overwrites it")
        network = open_network(file, max_layers)
        settings |= _given(epochs=epochs, seed=seed, metrics=_listed(metrics))
        read = None if weights is None else partial(read_weights, network.graph, weights)
        if find:
            _find_rate(network, settings, read, output)
            return
        folder = output or team.share(FOLDER if resume or force else _free_folder())
        divided: dict[str, Any] = {} if folds is None else {"folds": folds}
        with _naming_resume_command(file, folder, team.size, divided):
            found = (cross_validate if divided else train)(
                network.model,
                settings=settings,
                output=folder,
                resume=resume,
                force=force,
                weights=read,
                allow=allow,
                lsuv=lsuv,
                progress=training_progress(),
                callbacks=[] if tensorboard is None else [TensorBoard(tensorboard)],
                warn=show_diagnostics,
                team=team,
                **divided,
                **options,
            )
        if isinstance(found, CrossValidation):
            click.echo(found.to_text(room=width(sys.stdout)))
            click.echo(f"written to {folder}")
        else:
            _report(found[0], folder)


@contextmanager
def _naming_resume_command(
    file: str, folder: str, ranks: int, divided: Mapping[str, Any]
) -> Iterator[None]:
    """On Ctrl-C, print the command that continues the run."""
    try:
        yield
    except KeyboardInterrupt:
        launched = ["mpiexec", "-n", str(ranks)] if ranks > 1 else []
        folds = [word for name, count in divided.items() for word in (f"--{name}", str(count))]
        words = [*launched, "netc", "train", file, *folds, "-o", folder, "--resume"]
        click.echo(f"stopped; continue with: {shlex.join(words)}", err=True)
        raise


def _check_find(context: click.Context) -> None:
    """Refuse options of runs where none is written.

    Raises:
        click.UsageError: One is given.
    """
    for option in given_besides(context, *OF_FINDING):
        raise click.UsageError(f"`--find-lr` and `{option}` cannot be combined")


def _picture(output: str) -> str:
    """The file of a picture, checked before it is computed.

    Raises:
        NetError: E505, it has no such format; E004, it cannot be written.
    """
    path = output if Path(output).suffix else f"{output}.svg"
    picture_format(path)
    check_writable(path)
    return path


def _find_rate(
    network: Network,
    settings: Mapping[str, str],
    read: Callable[[], State] | None,
    output: str | None,
) -> None:
    """Run a learning-rate range test, print its results, and draw it where there is a path."""
    path = None if output is None else _picture(output)
    found = find_rate(network.model, None, settings, None if read is None else read())
    click.echo(str(found))
    if path is not None:
        found.draw(path, title=f"{network.name}: learning rates")
        click.echo(f"wrote {path}")


def _free_folder() -> str:
    """The usual folder, or where it holds a finished run, one that is not there yet, and says so.

    Raises:
        NetError: E546, the usual folder's `run.json` is damaged.
    """
    folder = free_folder(FOLDER)
    if folder != FOLDER:
        click.echo(f"`{FOLDER}` holds a finished run, so this one goes to `{folder}`", err=True)
    return folder


def _listed(names: tuple[str, ...]) -> str | None:
    return f"[{', '.join(names)}]" if names else None


def _given(**settings: int | str | None) -> dict[str, str]:
    return {name: str(value) for name, value in settings.items() if value is not None}


def _report(run: Run, output: str) -> None:
    """Print the run's results, and what its curves show."""
    part, measured = run.result()
    for name, value in measured.items():
        click.echo(f"{part} {name}  {value:.4g}")
    for finding in read_run(run):
        click.echo("\n".join(hanging("", str(finding), width(sys.stdout), indent=GAP)))
    click.echo(f"written to {output}")
