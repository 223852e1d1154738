"""Graph -> a runner that computes it again and again, on the engine that is asked for."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from ...compiler.ir.graph import Graph
from ...compiler.passes.pipeline import settle
from ...compiler.training.train_step import expose_parameters
from ...grammar.diagnostics import NetError, did_you_mean, error
from ..kerneldef import Array
from ..weights.state import State
from .executor import admit, read_weights
from .executor import run as run_plan
from .plan import plan, resolve_fetches
from .session import Session

Runner = Callable[[Mapping[str, Any], State], dict[str, Array]]
"""Inputs by name, and weights by name, to outputs by name."""

_RUNNERS: "WeakKeyDictionary[Graph, dict[Any, Runner]]" = WeakKeyDictionary()


class Engine(Protocol):
    """What computes graphs."""

    def open(self, graph: Graph, *, device: str = "cpu", dtype: str | None = None) -> Runner:
        """Prepare a graph once, to be computed with inputs and weights that change.

        Args:
            graph: The graph.
            device: `cpu`, or `cuda` on onnxruntime.
            dtype: The float type to compute in, where it is not the graph's; NumPy only.

        Raises:
            NetError: The engine, the device or the type is not available (E502).
        """


class OnNumpy:
    """Plans, computed by kernels on NumPy arrays."""

    def open(self, graph: Graph, *, device: str = "cpu", dtype: str | None = None) -> Runner:
        """See `Engine`."""
        if device != "cpu":
            raise error(
                "E502",
                f"the engine numpy cannot run on the device `{device}`",
                help="it runs on `cpu`; the engine onnxruntime also supports `cuda`",
            )
        if dtype not in (None, "float32", "float64"):
            help = "use float32 or float64"
            raise error("E502", f"NumPy does not compute in `{dtype}`", help=help)
        return partial(run_plan, plan(settle(graph), dtype=dtype))


class OnOnnxruntime:
    """ONNX models, computed by onnxruntime; weights are inputs, so one session is enough."""

    def open(self, graph: Graph, *, device: str = "cpu", dtype: str | None = None) -> Runner:
        """See `Engine`."""
        from ...compiler.emit.onnx import write

        if dtype is not None:
            raise error("E502", "onnxruntime computes in the network's own element type only")
        settled = settle(graph)
        exposed, planned, names = expose_parameters(settled), plan(settled), tuple(graph.outputs)
        # No label has a space in it, so these names collide with no other.
        outputs = {f"fetch {i}": value for i, value in enumerate(exposed.outputs.values())}
        buffer = io.BytesIO()
        write(replace(exposed, outputs=outputs), {}, buffer)
        session = Session(buffer.getvalue(), device=device)

        def compute(feeds: Mapping[str, Any], state: State) -> dict[str, Array]:
            admit(planned, feeds)
            found = session.run({**feeds, **read_weights(planned, state)})
            return dict(zip(names, found.values(), strict=True))

        return compute


ENGINES: Mapping[str, Engine] = {"numpy": OnNumpy(), "onnxruntime": OnOnnxruntime()}


def engine_named(name: str) -> Engine:
    """An engine.

    Raises:
        NetError: There is none of this name (E502).
    """
    if name not in ENGINES:
        help = did_you_mean(name, ENGINES) or f"the engines are {' and '.join(ENGINES)}"
        raise error("E502", f"unknown engine `{name}`", help=help)
    return ENGINES[name]


def run(
    graph: Graph,
    feeds: Mapping[str, Any],
    state: State,
    *,
    engine: str = "numpy",
    device: str = "cpu",
    fetch: Sequence[str] | None = None,
    dtype: str | None = None,
) -> dict[str, Array]:
    """Run a network in inference mode; the engine prepares it once for each choice of fetches.

    What onnxruntime trips over, such as an index that no table has, NumPy says in our words.

    Args:
        graph: The network, mode-neutral.
        feeds: Inputs by name, (N, C, H, W) for images.
        state: Parameters and buffers by name.
        engine: `numpy` or `onnxruntime`.
        device: `cpu`, or `cuda` on onnxruntime.
        fetch: Labels to fetch instead of the outputs.
        dtype: The float type to compute in, where it is not the graph's; NumPy only.

    Raises:
        NetError: Inputs (E206), weights (E501) or names (E101) do not fit, or the engine or
            device is not available (E502).
    """
    try:
        return opened(graph, fetch, engine, device, dtype)(feeds, state)
    except NetError as failure:
        if any(found.code == "E506" for found in failure.diagnostics):
            opened(graph, fetch)(feeds, state)
        raise


def opened(
    graph: Graph,
    fetch: Sequence[str] | None,
    engine: str = "numpy",
    device: str = "cpu",
    dtype: str | None = None,
) -> Runner:
    """What computes some fetches of a graph, made once for as long as the graph lives."""
    chosen = engine_named(engine)
    fetch = [fetch] if isinstance(fetch, str) else fetch
    wanted = None if fetch is None else tuple(fetch)
    key = (engine, device, wanted, dtype, len(graph), tuple(graph.outputs))
    runners = _RUNNERS.setdefault(graph, {})
    if key not in runners:
        fetched = replace(graph, outputs=resolve_fetches(graph, fetch))
        runners[key] = chosen.open(fetched, device=device, dtype=dtype)
    return runners[key]
