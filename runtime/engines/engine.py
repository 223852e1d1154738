"""Graph, inputs and weights -> results, on the engine that is asked for."""

import io
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from ...compiler.ir.graph import Graph
from ...compiler.passes.pipeline import settle
from ...grammar.diagnostics import NetError, did_you_mean, error
from ..kerneldef import Array
from .executor import admit
from .executor import run as run_plan
from .plan import Plan, plan, resolve_fetches
from .session import Session

State = Mapping[str, Array]

MAX_IN_MEMORY = 2**30  # bytes of weights in a model that is handed over in memory

_PLANS: "WeakKeyDictionary[Graph, dict[Any, Plan]]" = WeakKeyDictionary()


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
    """Run a network in inference mode.

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
    if engine not in ENGINES:
        help = did_you_mean(engine, ENGINES) or f"the engines are {' and '.join(ENGINES)}"
        raise error("E502", f"unknown engine `{engine}`", help=help)
    return ENGINES[engine](graph, feeds, state, device, fetch, dtype)


def _run_numpy(
    graph: Graph,
    feeds: Mapping[str, Any],
    state: State,
    device: str,
    fetch: Sequence[str] | None,
    dtype: str | None,
) -> dict[str, Array]:
    if device != "cpu":
        raise error(
            "E502",
            f"the engine numpy cannot run on the device `{device}`",
            help="it runs on `cpu`; the engine onnxruntime also supports `cuda`",
        )
    if dtype not in (None, "float32", "float64"):
        raise error("E502", f"NumPy does not compute in `{dtype}`", help="use float32 or float64")
    return run_plan(planned(graph, fetch, dtype), feeds, state)


def planned(graph: Graph, fetch: Sequence[str] | None, dtype: str | None = None) -> Plan:
    """The plan for some fetches, made once for each graph."""
    fetch = [fetch] if isinstance(fetch, str) else fetch
    key = (None if fetch is None else tuple(fetch), dtype, len(graph), tuple(graph.outputs))
    plans = _PLANS.setdefault(graph, {})
    if key not in plans:
        fetched = replace(graph, outputs=resolve_fetches(graph, fetch))
        plans[key] = plan(settle(fetched), dtype=dtype)
    return plans[key]


def _run_onnxruntime(
    graph: Graph,
    feeds: Mapping[str, Any],
    state: State,
    device: str,
    fetch: Sequence[str] | None,
    dtype: str | None,
) -> dict[str, Array]:
    """Export the network with the fetches as outputs, and run the model.

    What onnxruntime trips over, such as an index that no table has, NumPy says in our words.
    """
    if dtype is not None:
        raise error("E502", "onnxruntime computes in the network's own element type only")
    admit(planned(graph, fetch), feeds)
    names = list(resolve_fetches(graph, fetch))
    try:
        session = open_session(graph, state, device=device, fetch=names)
        results = session.run(feeds)
    except NetError as failure:
        if any(found.code == "E506" for found in failure.diagnostics):
            run_plan(planned(graph, fetch), feeds, state)
        raise
    return dict(zip(names, results.values(), strict=True))


def open_session(
    graph: Graph, state: State, *, device: str = "cpu", fetch: Sequence[str] | None = None
) -> Session:
    """A session on a network, with an output for each fetch, in order.

    Raises:
        NetError: As `Session`, and where the network cannot be exported.
    """
    from ...compiler.emit.onnx import export, write

    values = resolve_fetches(graph, fetch)
    # No label has a space in it, so these names collide with no other.
    wanted = replace(graph, outputs={f"fetch {i}": v for i, v in enumerate(values.values())})
    if _weight_bytes(graph) <= MAX_IN_MEMORY:
        buffer = io.BytesIO()
        write(wanted, state, buffer)
        return Session(buffer.getvalue(), device=device)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        export(wanted, state, path)
        return Session(path, device=device)


def _weight_bytes(graph: Graph) -> int:
    sizes = [(value.type.size, value.dtype.bytes) for value in graph.parameters.values()]
    return sum(size * each for size, each in sizes if isinstance(size, int))


ENGINES: Mapping[str, Callable[..., dict[str, Array]]] = {
    "numpy": _run_numpy,
    "onnxruntime": _run_onnxruntime,
}
