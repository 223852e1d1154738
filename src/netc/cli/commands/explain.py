"""`netc explain`: what a diagnostic's code is about, with programs that it answers."""

import sys
from textwrap import fill, indent

import click

from ...grammar.codes import CODES
from ...grammar.diagnostics import did_you_mean
from ...grammar.explanations import Explanation, explain
from ...tables import GAP, hanging
from ..completion import one_of
from ..terminal import width

PROSE_WIDTH = 80  # characters of a line of prose


@click.command("explain")
@click.argument("code", required=False, shell_complete=one_of(CODES))
def command(code: str | None) -> None:
    """Explain the CODE of an error or a warning, such as E203; without one, list all codes."""
    if code is None:
        for known, about in CODES.items():
            click.echo("\n".join(hanging(f"{known}{GAP}", about, width(sys.stdout))))
        return
    known = code.strip("[]").upper()
    if known not in CODES:
        near = did_you_mean(known, CODES) or "`netc explain` lists all codes"
        raise click.UsageError(f"there is no code `{code}`: {near}")
    click.echo(_page(explain(known)))


def _page(explanation: Explanation) -> str:
    room = min(width(sys.stdout) or PROSE_WIDTH, PROSE_WIDTH)
    parts = ["\n".join(hanging("", f"{explanation.code}: {explanation.about}", room, indent=GAP))]
    if explanation.situation is not None:
        parts.append(fill(explanation.situation, room, break_long_words=False))
    for example in explanation.examples:
        parts += [
            "This program",
            indent(example.program.rstrip("\n"), "    "),
            "is answered with",
            indent(example.answer.rstrip("\n"), "    "),
        ]
    return "\n\n".join(parts)
