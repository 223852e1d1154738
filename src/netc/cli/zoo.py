"""`netc zoo`: the shipped specs with their counts."""

import json

import click

from ..network import load
from ..sources import zoo
from .options import json_option


@click.command("zoo")
@json_option()
def command(as_json: bool) -> None:
    """List the shipped specs with their parameters and MACs; open one as `zoo:NAME`."""
    networks = {name: load(path) for name, path in zoo().items()}
    if as_json:
        rows = [{"name": n, "params": net.params, "macs": net.macs} for n, net in networks.items()]
        click.echo(json.dumps(rows, indent=1))
        return
    width = max(map(len, networks))
    click.echo(f"{'name':<{width}}  {'parameters':>15}  {'MACs':>17}")
    for name, network in networks.items():
        click.echo(f"{name:<{width}}  {network.params:>15,}  {network.macs:>17,}")
