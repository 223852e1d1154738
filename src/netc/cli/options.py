"""Arguments and options that several commands share."""

from collections.abc import Callable, Sequence
from math import isnan
from pathlib import Path
from typing import Any, get_args

import click
from click.core import ParameterSource

from ..choices import MOST_THREADS, PARTS, Device, EngineName, PartName, threads
from ..loading import load
from ..network import Network
from ..sources import ZOO, is_chain
from .completion import complete_file, complete_path, one_of
from .terminal import show_diagnostics

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
ENGINE_NAMES = get_args(EngineName)
DEVICES = get_args(Device)
RENAMING = "netc.rename"
JSON = "netc.json"

file_argument: Decorator = click.argument("file", shell_complete=complete_file)
engine_option: Decorator = click.option(
    "--engine",
    default="numpy",
    show_default=True,
    shell_complete=one_of(ENGINE_NAMES),
    help="numpy or onnxruntime.",
)
device_option: Decorator = click.option(
    "--device",
    default="cpu",
    show_default=True,
    shell_complete=one_of(DEVICES),
    help="cpu, or cuda on onnxruntime.",
)
data_option: Decorator = click.option(
    "--data", metavar="DATA", help='Another data set, such as csv("new.csv").'
)
run_option: Decorator = click.option(
    "--run", "folder", type=click.Path(), help="The folder of a run."
)


class NumberRange(click.FloatRange):
    """A float within limits, which `nan` is not."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """See `click.ParamType`."""
        found = float(super().convert(value, param, ctx))
        if isnan(found):
            self.fail(f"{value} is not a number", param, ctx)
        return found


def count_option(
    name: str,
    help: str | None = None,
    default: int | None = None,
    *,
    most: int | None = None,
    **settings: Any,
) -> Decorator:
    """An option that takes a positive integer."""
    shown = default is not None
    kind = click.IntRange(min=1, max=most)
    return click.option(
        f"--{name}", type=kind, default=default, show_default=shown, help=help, **settings
    )


def output_option(help: str, **settings: Any) -> Decorator:
    """`-o`: the file or folder to write."""
    return click.option("-o", "--output", type=click.Path(), help=help, **settings)


def arrays_option(name: str, metavar: str, help: str) -> Decorator:
    """Files or numbers, for an input or a target each: an option that may be repeated."""
    return click.option(
        *(f"--{name}", f"{name}s"),
        multiple=True,
        metavar=metavar,
        shell_complete=complete_path,
        help=help,
    )


def part_option(default: PartName) -> Decorator:
    """`--part`: which part of the data."""
    return click.option(
        "--part",
        type=click.Choice(PARTS),
        default=default,
        show_default=True,
        help="The part of the data.",
    )


def allow_option(help: str) -> Decorator:
    """`--allow`: patterns of weights."""
    return click.option("--allow", multiple=True, metavar="PATTERN", help=help)


def _limit_threads(context: click.Context, parameter: click.Parameter, count: int | None) -> None:
    if count is not None:
        context.with_resource(threads(count))


threads_option = count_option(
    "threads",
    "How many threads compute; by default, one for each core.",
    most=MOST_THREADS,
    expose_value=False,
    callback=_limit_threads,
)
max_layers_option = count_option("max-layers", "Allow more than 10,000 layers.")


def _keep_renaming(
    context: click.Context, parameter: click.Parameter, texts: Sequence[str]
) -> None:
    """Remember the new names for `read_weights`.

    Raises:
        UsageError: One is not of the form OLD=NEW.
    """
    if texts and context.params.get("weights") is None:
        raise click.UsageError("`--rename` needs `--weights`")
    for text in texts:
        old, separator, new = text.partition("=")
        if not separator or not old:
            raise click.UsageError(f'`--rename {text}` is not of the form "OLD=NEW"')
        context.meta.setdefault(RENAMING, {})[old] = new


rename_option: Decorator = click.option(
    "--rename",
    multiple=True,
    metavar="OLD=NEW",
    expose_value=False,
    callback=_keep_renaming,
    help="Replace a prefix of weight names, `backbone.=`, or a pattern, `enc.*.w=net.*.weight`.",
)


def named_weights_option(help: str) -> Decorator:
    """`--weights` and `--rename`."""
    option = click.option("--weights", type=click.Path(), is_eager=True, help=help)
    return lambda function: option(rename_option(function))


def weights_option(otherwise: str = "by default, weights are drawn at random") -> Decorator:
    """`--weights` and `--rename`; the help says what happens without them."""
    return named_weights_option(f"A .safetensors, .npz or .pt file; {otherwise}.")


start_option = named_weights_option("Start from these weights.")


def keep_form(context: click.Context, parameter: click.Parameter, form: Any) -> Any:
    """Remember whether errors, too, go to standard output as JSON."""
    context.meta[JSON] = form in (True, "json")
    return form


def json_option(help: str = "Print JSON.") -> Decorator:
    """`--json`, by which results and errors are JSON."""
    return click.option("--json", "as_json", is_flag=True, callback=keep_form, help=help)


seed_option: Decorator = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The seed for random weights.",
)


def given_besides(context: click.Context, *names: str) -> list[str]:
    """The options that the command line gives, besides those of some parameters."""
    return [
        parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name not in names
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]


def open_network(file: str, max_layers: int | None = None) -> Network:
    """Compile what a FILE argument means and show its warnings."""
    network = load(file, max_layers=max_layers)
    show_diagnostics(network.warnings)
    return network


def default_name(file: str, suffix: str) -> str:
    """A file in this folder, named like the program that FILE means; a chain has no name."""
    nameless = file == "-" or is_chain(file)
    return f"{'network' if nameless else Path(file.removeprefix(ZOO)).stem}.{suffix}"


def _settings(
    context: click.Context, parameter: click.Parameter, texts: Sequence[str]
) -> dict[str, str]:
    """Settings by name from `NAME=VALUE`.

    Raises:
        UsageError: One is not of that form.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip() or not value.strip():
            raise click.UsageError(f"`--set {text}` is not of the form NAME=VALUE, as in lr=0.01")
        found[name.strip()] = value.strip()
    return found


def settings_option(help: str = "Replace a setting.") -> Decorator:
    """`--set`, as settings by name."""
    return click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE", callback=_settings, help=help
    )
