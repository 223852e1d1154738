"""Arguments and options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

from ..network import Network, compile_program
from ..sources import read_program
from .terminal import show_diagnostics

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

file_argument: Decorator = click.argument("file")
max_layers_option: Decorator = click.option(
    "--max-layers", type=click.IntRange(min=1), help="Allow more layers than 100,000."
)
weights_option: Decorator = click.option(
    "--weights", type=click.Path(), help="A .safetensors or .npz file; drawn at random otherwise."
)
seed_option: Decorator = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For random weights."
)


def open_network(file: str, max_layers: int | None = None) -> Network:
    """Compile what a FILE argument means and show its warnings."""
    network = compile_program(read_program(file), max_layers=max_layers)
    show_diagnostics(network.warnings)
    return network
