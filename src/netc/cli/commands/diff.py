"""`netc diff`: what changed between two networks."""

import sys

import click

from ...comparison.compare import diff
from ...grammar.diagnostics import Diagnostic, NetError
from ...loading import load
from ...network import Network
from ..completion import complete_file
from ..options import json_option, max_layers_option
from ..terminal import show_diagnostics, to_json, width


@click.command("diff")
@click.argument("before", shell_complete=complete_file)
@click.argument("after", shell_complete=complete_file)
@json_option()
@click.option("--markdown", "as_markdown", is_flag=True, help="Print GitHub's Markdown.")
@max_layers_option
@click.pass_context
def command(
    ctx: click.Context,
    before: str,
    after: str,
    as_json: bool,
    as_markdown: bool,
    max_layers: int | None,
) -> None:
    """Show what changed from BEFORE to AFTER: layers, their shapes and parameters, and counts.

    Exits with 0 if nothing changed, 1 if something did, and 2 for wrong usage or if a program has
    errors.
    """
    networks: list[Network] = []
    errors: list[Diagnostic] = []
    for file in (before, after):
        try:
            networks.append(load(file, max_layers=max_layers))
        except NetError as failure:
            errors += failure.diagnostics
    if errors:
        show_diagnostics(errors)
        if as_json:
            click.echo(to_json(errors))
        ctx.exit(2)
    found = diff(networks[0], networks[1])
    if as_json:
        click.echo(found.to_json())
    else:
        click.echo(found.to_markdown() if as_markdown else found.to_text(room=width(sys.stdout)))
    ctx.exit(0 if found.equal else 1)
