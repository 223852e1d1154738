"""`netc summary`: the layer table."""

import click
from click.shell_completion import CompletionItem

from ...summary.columns import COLUMNS
from ..options import count_option, file_argument, keep_form, max_layers_option, open_network
from ..terminal import show_summary


def _complete_columns(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The last of the columns that are written so far."""
    before, comma, _ = incomplete.rpartition(",")
    names = (f"{before}{comma}{key}" for key in COLUMNS)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command("summary")
@file_argument
@count_option("depth", "Fold scopes below this depth.")
@click.option(
    "--columns", shell_complete=_complete_columns, help="Column names, separated by commas."
)
@click.option("--json", "form", flag_value="json", callback=keep_form, help="Print JSON.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a Markdown table.")
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values.")
@max_layers_option
def command(
    file: str, depth: int | None, columns: str | None, form: str | None, max_layers: int | None
) -> None:
    """Print FILE's layers with output shapes, parameters and MACs, and the totals."""
    summary = open_network(file, max_layers).summary(depth=depth, columns=_split(columns))
    forms = {"json": summary.to_json, "markdown": summary.to_markdown, "csv": summary.to_csv}
    if form is None:
        show_summary(summary)
    else:
        click.echo(forms[form]().rstrip("\n"))


def _split(columns: str | None) -> list[str] | None:
    return None if columns is None else [name.strip() for name in columns.split(",")]
