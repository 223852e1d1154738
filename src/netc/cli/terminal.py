"""What goes to the terminal: diagnostics on standard error, colour only where it is wanted."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING

import click

from ..grammar.diagnostics import Diagnostic, render

if TYPE_CHECKING:
    from rich.text import Text

    from ..summary.table import Summary

UNBOUNDED = 1000  # characters of a line where the output is not a terminal
_COLOURS = {"error": "red", "warning": "yellow"}


def wants_colour(stream: IO[str]) -> bool:
    """Whether to colour: never under `NO_COLOR`, always under `FORCE_COLOR`, else on terminals."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def width(stream: IO[str]) -> int | None:
    """How many characters a line of a terminal holds; None of what is not a terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


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
    """Print a layer table: to fit a terminal, in colour where it is wanted; else as plain text."""
    colour, columns = wants_colour(sys.stdout), width(sys.stdout)
    if not colour and columns is None:
        click.echo(str(summary))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(
        width=columns or UNBOUNDED,
        force_terminal=colour or None,
        color_system="auto" if colour else None,
        highlight=False,
    )
    texts = [
        [column.title, *cells]
        for column, cells in zip(summary.columns, zip(*summary.cells(), strict=True), strict=True)
    ]
    widths = fitted_widths(texts, console.width)
    table = Table(title=summary.name, title_justify="left", box=None, header_style="bold")
    for column, room in zip(summary.columns, widths, strict=False):
        table.add_column(column.title, justify=column.align, overflow="fold", width=room)
    for cells in summary.cells():
        table.add_row(*(_dimmed(Text(cell)) for cell in cells[: len(widths)]))
    console.print(table)
    left_out = ", ".join(f"`{column.key}`" for column in summary.columns[len(widths) :])
    if left_out:
        note = f"the terminal is too narrow for {left_out}; `--columns` chooses"
        console.print(Text(note, style="dim"))
    if (mark := summary.footnote()) is not None:
        console.print(Text(mark, style="dim"))
    for name, text in summary.totals():
        console.print(Text.assemble((name, "bold"), "  ", text))


def fitted_widths(columns: Sequence[Sequence[str]], room: int, *, gap: int = 2) -> list[int]:
    """How wide columns may be to fit a terminal, without breaks inside words.

    Args:
        columns: The texts of each column.
        room: The terminal's width.
        gap: The blanks of each column's padding.

    Returns:
        A width for each of the first columns; there is no room for the others.
    """
    least = [max(len(word) for text in texts for word in text.split() or [""]) for texts in columns]
    count = max((n for n in range(len(least) + 1) if sum(least[:n]) + gap * n <= room), default=0)
    least = least[: max(count, 1)]
    widths = [
        max(len(line) for text in texts for line in text.split("\n"))
        for texts in columns[: len(least)]
    ]
    for place in sorted(range(len(widths)), key=lambda place: least[place] - widths[place]):
        excess = sum(widths) + gap * len(widths) - room
        if excess > 0:
            widths[place] = max(widths[place] - excess, least[place])
    return widths


def _dimmed(text: "Text") -> "Text":
    """Values that a default filled in stand back."""
    text.highlight_regex(r"[^\s(,]+\*", "dim")
    return text
