"""`netc new`: a first program for a task, with comments that say what to change."""

import os
from pathlib import Path

import click

from ...grammar.diagnostics import error
from ...grammar.files import write_text
from ...sources import description
from ...tables import GAP, hanging
from ..completion import one_of
from ..options import output_option

FOLDER = Path(__file__).parents[2] / "first_specs"
TASKS = {path.stem: path for path in sorted(FOLDER.glob("*.net"))}


@click.command("new")
@click.argument(
    "task",
    required=False,
    metavar="[TASK]",
    type=click.Choice(list(TASKS)),
    shell_complete=one_of(TASKS),
)
@output_option("The program; by default TASK.net.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def command(task: str | None, output: str | None, force: bool) -> None:
    """Write a first program for TASK; without TASK, list the tasks."""
    if task is None:
        longest = max(map(len, TASKS))
        for name, program in TASKS.items():
            click.echo("\n".join(hanging(f"{name:<{longest}}{GAP}", description(program), None)))
        return
    path = output or f"{task}.net"
    if os.path.exists(path) and not force:
        raise error("E004", f"`{path}` is there already", help="`--force` overwrites it")
    write_text(path, TASKS[task].read_text(encoding="utf-8"))
    click.echo(f"wrote {path}")
