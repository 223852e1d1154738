"""What goes to the terminal: diagnostics on standard error, colour only where it is wanted."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import click

from ..grammar.diagnostics import Diagnostic, render

if TYPE_CHECKING:
    from ..summary.table import Summary

MOST_BAR, BESIDE_BAR = 36, 32  # characters of a progress bar, and of what stands around it
_COLOURS = {"error": "red", "warning": "yellow"}


def wants_colour(stream: IO[str]) -> bool:
    """Whether to colour: never under `NO_COLOR`, always under `FORCE_COLOR`, else on terminals."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def width(stream: IO[str]) -> int | None:
    """How many characters a line of a terminal holds; None of what is not a terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


@contextmanager
def progress_bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing elsewhere; what it yields takes how much more is done."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    room = min(MOST_BAR, max((width(sys.stderr) or 0) - BESIDE_BAR, 1))
    with click.progressbar(length=length, label=label, file=sys.stderr, width=room) as bar:
        yield bar.update


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
    text, colour = summary.to_text(room=width(sys.stdout)), wants_colour(sys.stdout)
    click.echo(_emphasized(text) if colour else text, color=colour)


def _emphasized(table: str) -> str:
    """A table with bold headings, and values that a default filled in standing back."""
    head, rule, body = re.split(r"^(-+\n)", table, maxsplit=1, flags=re.MULTILINE)
    heads = [click.style(line, bold=True) if line else line for line in head.split("\n")]
    marked = re.sub(r"[^\s(,]+\*", lambda value: click.style(value.group(), dim=True), body)
    return "\n".join(heads) + rule + marked
