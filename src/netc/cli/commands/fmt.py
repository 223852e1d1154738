"""`netc fmt`: programs to their canonical form, in place."""

from difflib import unified_diff

import click

from ...grammar.diagnostics import NetError
from ...grammar.files import write_text
from ...grammar.formatting.formatter import format_source
from ...sources import programs_in, read_file, read_program
from ..completion import complete_file
from ..terminal import show_diagnostics

STDIN = "-"


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_file)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; list the files that would change, and exit with 1 if any.",
)
@click.option("--diff", is_flag=True, help="Write nothing; print the changes.")
@click.pass_context
def command(ctx: click.Context, files: tuple[str, ...], check: bool, diff: bool) -> None:
    """Rewrite each FILE in its canonical form; `-` formats standard input to standard output.

    A folder stands for all .net files in it. Only the layout changes, and shorthand such as
    `conv5-16` is expanded. A file with a syntax error is left unchanged.
    """
    failed = False
    for given in files:
        try:
            paths = programs_in(given)
        except NetError as failure:
            show_diagnostics(failure.diagnostics)
            failed = True
            continue
        for file in paths:
            failed |= _failed(file, check=check, diff=diff)
    ctx.exit(1 if failed else 0)


def _failed(file: str, *, check: bool, diff: bool) -> bool:
    """Format a file as the options say; whether it has errors, or `--check` finds changes."""
    try:
        changes = _format(file, write=not check and not diff, show=diff)
    except NetError as failure:
        show_diagnostics(failure.diagnostics)
        return True
    if check and changes and not diff:
        click.echo(file)
    return check and changes


def _format(file: str, *, write: bool, show: bool) -> bool:
    """Format a file, write or show the result, and say whether anything changes.

    Raises:
        NetError: The file cannot be read, parsed or written.
    """
    source = read_program(STDIN) if file == STDIN else read_file(file)
    formatted = format_source(source)
    changes = formatted != source.text
    if show:
        _print(_difference(source.name, source.text, formatted))
    if write and file == STDIN:
        _print(formatted)
    elif write and changes:
        write_text(file, formatted)
        click.echo(f"formatted {file}")
    return changes


def _print(text: str) -> None:
    """Print a text as it would be written to a file, regardless of the locale."""
    click.echo(text.encode("utf-8"), nl=False)


def _difference(name: str, before: str, after: str) -> str:
    """A unified diff; a carriage return at the end of a line shows as a change of that line."""
    old, new = ([f"{line}\n" for line in text.split("\n")[:-1]] for text in (before, after))
    rest = before.rsplit("\n", 1)[-1]
    if rest:
        old.append(f"{rest}\n\\ No newline at end of file\n")
    return "".join(unified_diff(old, new, fromfile=name, tofile=f"{name} (formatted)"))
