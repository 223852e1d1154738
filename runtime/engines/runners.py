"""Engines that compute a graph again and again, with weights that change from time to time."""

import os
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from ...compiler.ir.graph import Graph
from ...compiler.passes.pipeline import settle
from ...grammar.diagnostics import did_you_mean, error
from ..kerneldef import Array
from .executor import admit, run
from .plan import plan
from .session import Session

Feeds = Mapping[str, Any]
Runner = Callable[[Feeds], dict[str, Array]]
"""Inputs by name to outputs by name."""


def open_runner(graph: Graph, *, engine: str = "numpy", device: str = "cpu") -> Runner:
    """An engine for a graph without parameters: all that changes is an input.

    Raises:
        NetError: The engine or the device is not available (E502).
    """
    if engine not in RUNNERS:
        help = did_you_mean(engine, RUNNERS) or f"the engines are {' and '.join(RUNNERS)}"
        raise error("E502", f"unknown engine `{engine}`", help=help)
    return RUNNERS[engine](graph, device)


def _on_numpy(graph: Graph, device: str) -> Runner:
    if device != "cpu":
        raise error(
            "E502",
            f"the engine numpy cannot train on the device `{device}`",
            help="it trains on `cpu`; the engine onnxruntime also supports `cuda`",
        )
    planned = plan(settle(graph))
    return lambda feeds: run(planned, feeds, {})


def _on_onnxruntime(graph: Graph, device: str) -> Runner:
    from ...compiler.emit.onnx import export

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "step.onnx")
        export(graph, {}, path)
        session = Session(path, device=device)
    planned = plan(settle(graph))

    def compute(feeds: Feeds) -> dict[str, Array]:
        admit(planned, feeds)
        return session.run(feeds)

    return compute


RUNNERS: Mapping[str, Callable[[Graph, str], Runner]] = {
    "numpy": _on_numpy,
    "onnxruntime": _on_onnxruntime,
}
