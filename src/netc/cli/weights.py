"""The weights that `--weights`, `--run` and `--rename` name, under a network's names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from ..compiler.ir.graph import Graph
from ..runtime.run_folder.trained import Trained, open_trained
from ..runtime.weights.files import load_weights
from ..runtime.weights.foreign_names import fitted_names
from ..runtime.weights.initialize import own_weights
from .options import (
    RENAMING,
    Decorator,
    device_option,
    engine_option,
    file_argument,
    max_layers_option,
    named_weights_option,
    open_network,
    run_option,
    settings_option,
)


def read_weights(graph: Graph, path: str) -> Mapping[str, Any]:
    """The weights of a file under a network's names, as `--rename` says.

    Raises:
        NetError: The file cannot be read, or names collide.
    """
    renaming = click.get_current_context().meta.get(RENAMING)
    return fitted_names(graph, load_weights(path), renaming)


def open_run(graph: Graph, folder: str | None, weights: str | None) -> Trained:
    """The weights of a run, those of a file under a network's names, or the program's own.

    Raises:
        NetError: E546, there are none; or as `open_trained` and `read_weights`.
    """
    if folder is None and weights is None:
        return Trained(own_weights(graph, help="give `--run FOLDER` or `--weights FILE`"))
    trained = open_trained(folder, weights)
    return trained if weights is None else replace(trained, weights=read_weights(graph, weights))


WEIGHTS = (
    run_option,
    named_weights_option("A file of weights instead of the run's."),
)


def weighted_network(command: Callable[..., Any]) -> Callable[..., Any]:
    """FILE with the weights of a run or a file; the command gets `network` and `run`."""
    return _with(command, (file_argument, *WEIGHTS, max_layers_option))


def maybe_weighted_network(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `weighted_network`, but `run` is None where no weights are named."""
    return _with(command, (file_argument, *WEIGHTS, max_layers_option), needed=False)


def trained_network(command: Callable[..., Any]) -> Callable[..., Any]:
    """FILE with the weights of a run or a file, settings and an engine.

    The command gets `network`, `run`, `settings`, `engine` and `device`.
    """
    computed = (settings_option(), engine_option, device_option)
    return _with(command, (file_argument, *WEIGHTS, *computed, max_layers_option))


def _with(
    command: Callable[..., Any], options: Sequence[Decorator], *, needed: bool = True
) -> Callable[..., Any]:
    """A command that gets a network, with weights, in place of the options that name them."""

    @wraps(command)
    def opened(
        file: str, folder: str | None, weights: str | None, max_layers: int | None, **others: Any
    ) -> Any:
        network = open_network(file, max_layers)
        named = needed or folder is not None or weights is not None
        run = open_run(network.graph, folder, weights) if named else None
        return command(network, run, **others)

    found: Callable[..., Any] = opened
    for option in reversed(options):
        found = option(found)
    return found
