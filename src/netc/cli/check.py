"""`netc check`: parse, check shapes and assertions."""

import json
from dataclasses import asdict
from typing import Any

import click

from ..grammar.diagnostics import Diagnostic, NetError
from ..network import Network, compile_program
from ..sources import read_program
from .options import max_layers_option
from .terminal import show_diagnostics


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, an object per file.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@max_layers_option
@click.pass_context
def command(
    ctx: click.Context, files: tuple[str, ...], as_json: bool, strict: bool, max_layers: int | None
) -> None:
    """Parse each FILE, check its shapes and assertions, and count its parameters.

    Exits with 0 where all are clean, 1 where one has errors, 2 on wrong usage.
    """
    reports = [_check(file, strict=strict, max_layers=max_layers) for file in files]
    if as_json:
        click.echo(json.dumps([report for report, _, _ in reports], indent=1))
    else:
        for report, network, diagnostics in reports:
            show_diagnostics(diagnostics)
            if network is not None:
                click.echo(_line(report))
    ctx.exit(0 if all(report["ok"] for report, _, _ in reports) else 1)


def _check(
    file: str, *, strict: bool, max_layers: int | None
) -> tuple[dict[str, Any], Network | None, tuple[Diagnostic, ...]]:
    try:
        network = compile_program(read_program(file), max_layers=max_layers)
    except NetError as failure:
        diagnostics = failure.diagnostics
        report = {"file": file, "ok": False, "diagnostics": [d.to_dict() for d in diagnostics]}
        return report, None, diagnostics
    ok = not (strict and network.warnings)
    return _report(file, network, ok=ok), network, network.warnings


def _report(file: str, network: Network, *, ok: bool) -> dict[str, Any]:
    counts = network.counts
    return {
        "file": file,
        "name": network.name,
        "ok": ok,
        "params": counts.params,
        "trainable": counts.trainable,
        "buffers": counts.buffers,
        "macs": _plain(counts.macs),
        "flops": _plain(counts.flops),
        "layers": len(network.graph.layers),
        "inputs": [asdict(spec) for spec in network.inputs],
        "outputs": [asdict(spec) for spec in network.outputs],
        "diagnostics": [warning.to_dict() for warning in network.warnings],
    }


def _plain(count: object) -> int | str:
    """A count for JSON: an integer, or the formula where extents are symbolic."""
    return count if isinstance(count, int) else str(count)


def _line(report: dict[str, Any]) -> str:
    mark = "ok" if report["ok"] else "warned"
    plural = "" if report["params"] == 1 else "s"
    counts = f"{report['params']:,} parameter{plural}, {_grouped(report['macs'])} MACs"
    return f"{mark}: {report['file']}: {report['name']}, {report['layers']} layers, {counts}"


def _grouped(count: int | str) -> str:
    return f"{count:,}" if isinstance(count, int) else count
