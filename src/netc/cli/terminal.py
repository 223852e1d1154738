"""What goes to the terminal: diagnostics on standard error, colour only where it is wanted."""

import json
import os
import re
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

import click

from ..grammar.diagnostics import Diagnostic, render

if TYPE_CHECKING:
    from rich.text import Text

    from ..summary import Summary

_COLOURS = {"error": "red", "warning": "yellow"}


def wants_colour(stream: IO[str]) -> bool:
    """Whether to colour: never under `NO_COLOR`, always under `FORCE_COLOR`, else on terminals."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def show_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics on standard error, a blank line after each."""
    colour = wants_colour(sys.stderr)
    for diagnostic in diagnostics:
        text = render(diagnostic)
        shown = _coloured(text, diagnostic) if colour else text
        click.echo(shown + "\n", err=True, color=colour)


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Errors as the JSON object that a command prints in place of its results."""
    found = {"ok": False, "diagnostics": [diagnostic.to_dict() for diagnostic in diagnostics]}
    return json.dumps(found, indent=1)


def _coloured(text: str, diagnostic: Diagnostic) -> str:
    """The rendered text with its head and its carets in the colour of its severity."""
    colour = _COLOURS[diagnostic.severity]
    head, *rest = text.split("\n")
    label, _, message = head.partition(":")
    rest = [
        re.sub(r"\^+.*$", lambda marks: click.style(marks.group(), fg=colour, bold=True), line)
        if re.match(r" *\| +\^", line)
        else line
        for line in rest
    ]
    first = click.style(label, fg=colour, bold=True) + click.style(":" + message, bold=True)
    return "\n".join([first, *rest])


def show_summary(summary: "Summary") -> None:
    """Print a layer table: in colour on a terminal, as plain text elsewhere."""
    if not wants_colour(sys.stdout):
        click.echo(str(summary))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=summary.name, title_justify="left", box=None, header_style="bold")
    for column in summary.columns:
        table.add_column(column.title, justify=column.align, overflow="fold")
    for cells in summary.cells():
        table.add_row(*(_dimmed(Text(cell)) for cell in cells))
    console = Console()
    console.print(table)
    if (note := summary.footnote()) is not None:
        console.print(Text(note, style="dim"))
    for name, text in summary.totals():
        console.print(Text.assemble((name, "bold"), "  ", text))


def _dimmed(text: "Text") -> "Text":
    """Values that a default filled in stand back."""
    text.highlight_regex(r"[^\s(,]+\*", "dim")
    return text
