"""`netc draw`: the network as a picture."""

import click

from .options import file_argument, max_layers_option, open_network


@click.command("draw")
@file_argument
@click.option("-o", "--output", required=True, type=click.Path(), help="The picture's file.")
@click.option("--style", default="graph", show_default=True, help="What to draw.")
@click.option("--depth", type=click.IntRange(min=1), help="Fold scopes that lie deeper.")
@click.option("--direction", default="TB", show_default=True, help="TB, LR, BT or RL.")
@click.option("--format", "format_", help="svg, png, pdf or dot; the file's suffix otherwise.")
@click.option("--theme", default="light", show_default=True, help="light or dark.")
@max_layers_option
def command(
    file: str,
    output: str,
    style: str,
    depth: int | None,
    direction: str,
    format_: str | None,
    theme: str,
    max_layers: int | None,
) -> None:
    """Draw FILE with output shapes and parameter counts."""
    open_network(file, max_layers).draw(
        output, style=style, depth=depth, direction=direction, format=format_, theme=theme
    )
