"""`netc check`: parse, check shapes and assertions."""

from collections.abc import Iterator, Sequence

import click

from ...compiler.lower import Library
from ...grammar.diagnostics import NetError
from ...loading import load
from ...network import Network
from ...sources import programs_in
from ...tables import counted
from ..completion import complete_file
from ..findings import FORMS, Checked, closing_line
from ..options import max_layers_option
from ..terminal import show_diagnostics

TEXT = "text"


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_file)
@click.option(
    "--format",
    "form",
    type=click.Choice([TEXT, *FORMS]),
    default=TEXT,
    show_default=True,
    help="The report's format: for people, programs, GitHub Actions, or as SARIF 2.1.0.",
)
@click.option("--json", "form", flag_value="json", help="Same as `--format json`.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors and warnings only.")
@click.option("-v", "--verbose", is_flag=True, help="Also print inputs and outputs.")
@max_layers_option
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    form: str,
    strict: bool,
    quiet: bool,
    verbose: bool,
    max_layers: int | None,
) -> None:
    """Parse each FILE, check its shapes and assertions, and count its parameters.

    A folder stands for all .net files in it. Exits with 0 if all are clean, 1 if one has errors,
    and 2 for wrong usage.
    """
    found = _checked(files, strict=strict, max_layers=max_layers)
    if form == TEXT:
        found = _show(found, quiet=quiet, verbose=verbose)
    results = list(found)
    if form != TEXT:
        text = FORMS[form](results)
        click.echo(text, nl=bool(text))
    elif len(results) > 1 and not quiet:
        click.echo(closing_line(results))
    ctx.exit(0 if all(checked.ok for checked in results) else 1)


def _checked(files: Sequence[str], *, strict: bool, max_layers: int | None) -> Iterator[Checked]:
    """What each file holds, one after the other; folders are walked."""
    for given in files:
        try:
            paths = programs_in(given)
        except NetError as failure:
            yield Checked(given, None, failure.diagnostics, strict)
            continue
        for file in paths:
            try:
                network = load(file, max_layers=max_layers)
            except Library as library:
                yield Checked(file, None, library.warnings, strict, library)
            except NetError as failure:
                yield Checked(file, None, failure.diagnostics, strict)
            else:
                yield Checked(file, network, network.warnings, strict)


def _show(found: Iterator[Checked], *, quiet: bool, verbose: bool) -> Iterator[Checked]:
    """Show what is found as soon as it is."""
    for checked in found:
        show_diagnostics(checked.diagnostics)
        if checked.network is not None and not quiet:
            click.echo(_line(checked, checked.network))
            if verbose:
                _show_ends(checked.network)
        elif checked.library is not None and not quiet:
            click.echo(_library_line(checked, checked.library))
        yield checked


def _line(checked: Checked, network: Network) -> str:
    layers, params = len(network.graph.layers), network.params
    counts = counted(layers, "layer"), counted(params, "parameter"), counted(network.macs, "MAC")
    what = ", ".join((network.name, *counts))
    return f"{_mark(checked)}: {checked.file}: {what}"


def _library_line(checked: Checked, library: Library) -> str:
    what = f"{counted(len(library.blocks), 'block')} and {counted(len(library.values), 'value')}"
    note = "shapes are checked where its blocks are used"
    return f"{_mark(checked)}: {checked.file}: a library of {what}; {note}"


def _mark(checked: Checked) -> str:
    return "ok" if checked.ok else "warned"


def _show_ends(network: Network) -> None:
    for kind, specs in ("input", network.inputs), ("output", network.outputs):
        for spec in specs:
            click.echo(f"  {kind} {spec.name}: {spec.dtype} ({', '.join(map(str, spec.shape))})")
