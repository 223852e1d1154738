"""`netc zoo`: the shipped specs with what they are and their counts."""

import json
import sys
from textwrap import wrap

import click

from ...loading import load
from ...network import Network
from ...sources import description, specs_with
from ...tables import GAP, aligned
from ..options import json_option
from ..terminal import width

WIDE_TERMINAL = 100  # characters of a terminal from which on a row holds it all


@click.command("zoo")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@json_option()
def command(words: tuple[str, ...], as_json: bool) -> None:
    """List the shipped specs with their parameters and MACs; open one as `zoo:NAME`.

    Each WORD must occur in a spec's name or description.
    """
    found = {name: (load(path), description(path)) for name, path in specs_with(words).items()}
    if as_json:
        rows = [
            {"name": name, "params": net.params, "macs": net.macs, "description": text}
            for name, (net, text) in found.items()
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    columns = width(sys.stdout)
    if columns is None or columns >= WIDE_TERMINAL:
        _show_table(found, columns)
    else:
        _show_blocks(found, columns)


Found = dict[str, tuple[Network, str]]


def _show_table(found: Found, columns: int | None) -> None:
    """A row for each spec; a description that is too long continues in the next line."""
    rows = [("name", "parameters", "MACs", "description")]
    rows += [(name, f"{n.params:,}", f"{n.macs:,}", text) for name, (n, text) in found.items()]
    beside = sum(max(map(len, cells)) + len(GAP) for cells in list(zip(*rows, strict=True))[:-1])
    room = None if columns is None else columns - beside
    click.echo("\n".join(aligned(rows, left=(0, 3), widths=(None, None, None, room))))


def _show_blocks(found: Found, columns: int) -> None:
    """A few short lines for each spec."""
    for name, (network, text) in found.items():
        click.echo(name)
        for each in f"{network.params:,} parameters, {network.macs:,} MACs", text:
            for line in wrap(each, max(columns - len(GAP), 1), break_long_words=False):
                click.echo(f"{GAP}{line}")
