"""`netc show`: what is inside a network and its runs, as pictures; a command for each."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from ... import show
from ...choices import PartName
from ...network import Network
from ...prediction import read_samples
from ...runtime.plots.canvas import FORMATS
from ..completion import complete_path, one_of
from ..groups import SuggestingGroup
from ..options import (
    Decorator,
    arrays_option,
    count_option,
    data_option,
    file_argument,
    max_layers_option,
    open_network,
    output_option,
    part_option,
    seed_option,
    settings_option,
)
from ..weights import maybe_weighted_network, weighted_network

Command = Callable[..., Any]


def _data(part: PartName) -> tuple[Decorator, ...]:
    """`--data`, `--part` and `--set`: which samples, and how they are preprocessed."""
    return data_option, part_option(part), settings_option()


@click.group("show", cls=SuggestingGroup)
def command() -> None:
    """Draw what is inside a network and its runs, as PNG, SVG or PDF."""


def plain_network(command: Command) -> Command:
    """FILE as a `network`."""

    @wraps(command)
    def opened(file: str, max_layers: int | None, **options: Any) -> Any:
        return command(open_network(file, max_layers), **options)

    return file_argument(max_layers_option(opened))


def picture(opening: Decorator, *options: Decorator) -> Decorator:
    """A command that draws a picture: it calls the function of its name in `netc.show`.

    Args:
        opening: What makes of FILE and the options that name weights what the function draws.
        options: What the picture takes besides.
    """

    def add(function: Command) -> Command:
        name = function.__name__
        draw = getattr(show, name)

        def drawn(*given: Any, output: str, format_: str | None, **others: Any) -> None:
            function(draw, *given, path=output, format=format_, **others)
            click.echo(f"wrote {output}")

        drawn.__doc__ = function.__doc__
        found: Command = drawn
        for option in reversed((*options, *_destination(name))):
            found = option(found)
        return command.command(name)(opening(found))

    return add


def _destination(name: str) -> tuple[Decorator, Decorator]:
    """`-o` and `--format`: where a picture goes, by default to a file of its name."""
    path = output_option("The picture's file.", default=f"{name}.svg", show_default=True)
    help = "svg, png or pdf; by default, from the file's suffix."
    form = click.option("--format", "format_", shell_complete=one_of(FORMATS), help=help)
    return path, form


def _same(command: Command) -> Command:
    """What takes no network."""
    return command


@picture(
    weighted_network,
    click.option("--layer", help="The layer; by default the first one whose weights are images."),
    count_option("most", "How many filters to draw."),
)
def filters(draw: Command, network: Network, run: Any, **options: Any) -> None:
    """Draw kernels, or a dense layer's templates."""
    draw(network, run=run, **options)


@picture(maybe_weighted_network, seed_option)
def weights(draw: Command, network: Network, run: Any, **options: Any) -> None:
    """Draw a histogram of each layer's weights."""
    draw(network, run=run, **options)


@picture(
    maybe_weighted_network,
    click.option("--span", type=float, default=5.0, show_default=True, help="From -SPAN to SPAN."),
)
def activations(draw: Command, network: Network, run: Any, **options: Any) -> None:
    """Draw activations and their derivatives."""
    draw(network, run=run, **options)


INPUT = arrays_option("input", "[NAME=]X", "An image or a .npy file.")


@picture(
    weighted_network,
    INPUT,
    *_data("test"),
    click.option(
        "--sample", type=click.IntRange(min=0), default=0, show_default=True, help="Its number."
    ),
    click.option("--layer", "layers", multiple=True, help="A layer; by default, each level."),
    count_option("most", "How many maps of a layer to draw, the strongest first.", 8),
)
def maps(draw: Command, network: Network, run: Any, inputs: Sequence[str], **options: Any) -> None:
    """Draw the feature maps of a sample."""
    draw(network, run=run, x=read_samples(network.model, inputs), **options)


@picture(
    weighted_network,
    INPUT,
    *_data("test"),
    click.option(
        "--sample",
        "samples",
        type=click.IntRange(min=0),
        multiple=True,
        default=(0,),
        help="Its number; may be repeated.",
    ),
    click.option("--class", "of", help="A class; by default, what the network answers."),
    click.option("--label", help="An output; by default, the first."),
)
def saliency(
    draw: Command,
    network: Network,
    run: Any,
    inputs: Sequence[str],
    label: str | None,
    **options: Any,
) -> None:
    """Draw which pixels move a class's score."""
    draw(network, run=run, x=read_samples(network.model, inputs), output=label, **options)


@picture(weighted_network, *_data("test"), count_option("most", "How many samples to draw."))
def predictions(draw: Command, network: Network, run: Any, **options: Any) -> None:
    """Draw answers beside the truth, the worst first."""
    draw(network, run=run, **options)


@picture(weighted_network, *_data("all"))
def boundary(draw: Command, network: Network, run: Any, **options: Any) -> None:
    """Draw the regions of a network with two inputs."""
    draw(network, run=run, **options)


@picture(
    plain_network,
    click.argument("label"),
    INPUT,
    click.option(
        "--at",
        type=int,
        nargs=2,
        metavar="ROW COLUMN",
        help="Which element; by default, the middle. The row of a sequence is 0.",
    ),
)
def receptive(
    draw: Command, network: Network, label: str, path: str, inputs: Sequence[str], **options: Any
) -> None:
    """Draw what an element of a layer sees."""
    draw(network, label, path, read_samples(network.model, inputs), **options)


@picture(
    plain_network,
    click.option("--run", type=click.Path(), help="The folder of a run."),
    *_data("train"),
    count_option("count", "How many samples.", 6),
    count_option("draws", "How many draws of augmentation.", 4),
)
def samples(draw: Command, network: Network, **options: Any) -> None:
    """Draw samples, augmented and preprocessed."""
    draw(network, **options)


@picture(
    _same,
    click.argument("runs", nargs=-1, required=True, shell_complete=complete_path),
    click.option("--metric", "metrics", multiple=True, help="A metric; by default, the first 3."),
)
def history(
    draw: Command, runs: Sequence[str], path: str, metrics: Sequence[str], **options: Any
) -> None:
    """Draw the curves of runs, over each other."""
    draw(runs, path, metrics=metrics or None, **options)
