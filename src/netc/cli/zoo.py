"""`netc zoo`: the shipped specs with their counts."""

import json

import click

from ..network import load
from ..sources import zoo


@click.command("zoo")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the shipped specs with their parameters and MACs; open one as `zoo:NAME`."""
    rows = []
    for name, path in zoo().items():
        network = load(path)
        rows.append({"name": name, "params": network.params, "macs": network.macs})
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    width = max(len(row["name"]) for row in rows)
    click.echo(f"{'name':<{width}}  {'parameters':>15}  {'MACs':>17}")
    for row in rows:
        click.echo(f"{row['name']:<{width}}  {row['params']:>15,}  {row['macs']:>17,}")
