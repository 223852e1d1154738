"""`netc draw`: the network as a picture."""

from typing import Any

import click

from ...arrays import load_named_arrays
from ...choices import FORMATS, STYLES, format_of
from ...compiler.emit.dot import CHOICES
from ...compiler.pictures.graph import LAYOUTS
from ...compiler.pictures.page_size import PAGES
from ...drawing import NUMBERS, draw, to_picture
from ..completion import complete_path, one_of
from ..options import (
    Decorator,
    arrays_option,
    count_option,
    default_name,
    file_argument,
    max_layers_option,
    open_network,
    output_option,
    weights_option,
)
from ..weights import read_weights

STDOUT = "-"


def _choice(name: str, help: str, **settings: Any) -> Decorator:
    """An option whose choices a shell completes; `Network.draw` refuses others."""
    complete = one_of(CHOICES[name])
    return click.option(f"--{name}", shell_complete=complete, help=help, **settings)


@click.command("draw")
@file_argument
@output_option("The output file, or - for standard output; by default, FILE's name with .svg.")
@click.option(
    "--style",
    shell_complete=one_of(STYLES),
    default="graph",
    show_default=True,
    help=f"{', '.join(STYLES[:-1])} or {STYLES[-1]}.",
)
@count_option("depth", "Fold scopes below this depth.")
@click.option(
    "--compact/--no-compact",
    default=None,
    help="Join normalizations and activations to the layer before them; by default, in networks"
    " of more than 30 layers.",
)
@click.option(
    "--page",
    shell_complete=one_of(tuple(PAGES)),
    help="What layers and operators must fit: a3, a4 (the default), a5, letter, slide, or a size in"
    " millimetres such as 160x100.",
)
@click.option(
    "--show",
    metavar="LIST",
    help="What boxes say of a layer, of names,arguments,shapes,params,macs; by default, all but"
    " macs.",
)
@click.option("--title/--no-title", default=None, help="Whether name and totals are above.")
@click.option(
    "--layout",
    shell_complete=one_of(LAYOUTS),
    help="u draws an encoder and a decoder as a U, layered does not; by default, as it fits.",
)
@_choice("direction", "TB, LR, BT or RL.")
@click.option(
    "--format",
    "format_",
    shell_complete=one_of(FORMATS),
    help="svg, png, pdf, tex (TikZ), dot or mmd (Mermaid); by default, from the file's suffix.",
)
@_choice("theme", "light or dark.", default="light", show_default=True)
@click.option(
    "--style-file",
    type=click.Path(),
    metavar="TOML",
    shell_complete=complete_path,
    help="Colours and labels of families, kinds and layers.",
)
@_choice("maps", "How `volumes` draws feature maps: volumes or planes.")
@_choice("scale", "How long `volumes` draws sides: log or linear.")
@click.option(
    "--width", type=click.IntRange(*NUMBERS["width"]), help="The picture's width in pixels."
)
@click.option("--dpi", type=click.IntRange(*NUMBERS["dpi"]), help="Pixels per inch of a PNG.")
@click.option(
    "--loss", help="The loss that `backward` differentiates; by default, that of the train block."
)
@click.option("--of", help="A value that `backward` differentiates instead of a loss.")
@arrays_option(
    *("input", "[NAME=]X"),
    "A .npy file or numbers, such as `x=[[1, -2]]`, to write on the arrows of `backward`.",
)
@arrays_option("target", "[NAME=]T", "The target of the loss, in the same form.")
@weights_option(
    "for `neurons`, whose edges are grey where no weight is known, and `backward`, which by default"
    " draws them at random; other styles show none"
)
@max_layers_option
def command(
    file: str,
    output: str | None,
    format_: str | None,
    inputs: tuple[str, ...],
    targets: tuple[str, ...],
    weights: str | None,
    max_layers: int | None,
    **options: Any,
) -> None:
    """Draw FILE: its layers, operators, feature maps, neurons or chain rule, by `--style`."""
    network = open_network(file, max_layers)
    if inputs:
        options["inputs"] = load_named_arrays(inputs, [spec.name for spec in network.inputs])
    if targets:
        options["targets"] = load_named_arrays(targets, [spec.name for spec in network.outputs])
    if weights is not None:
        options["state"] = read_weights(network.graph, weights)
    if output == STDOUT:
        click.echo(to_picture(network.model, format_of("x.svg", format_), **options), nl=False)
        return
    path = output or default_name(file, format_ or "svg")
    draw(network.model, path, format=format_, **options)
    click.echo(f"wrote {path}")
