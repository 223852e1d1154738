"""Graph -> a runner that computes it again and again, on the engine that is asked for."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from ...compiler.ir.graph import Graph
from ...compiler.ops.weight_gradient_forms import gains_by_extents
from ...compiler.passes.bind_extents import bind_extents
from ...compiler.passes.block_channels import block_channels
from ...compiler.passes.build_functions import build_functions
from ...compiler.passes.clip_masks import clip_masks
from ...compiler.passes.fold_normalizations import fold_normalizations
from ...compiler.passes.gate_sums import gate_sums
from ...compiler.passes.narrow_masks import narrow_masks
from ...compiler.passes.pipeline import settle
from ...compiler.passes.sum_by_ones import sum_by_ones
from ...compiler.training.train_step import expose_parameters
from ...grammar.diagnostics import NetError, did_you_mean, error
from ..kerneldef import Array
from ..kernels.underflow import zeros_for_denormals
from ..weights.state import State
from .executor import Ready, admit, read_weights
from .executor import run as run_plan
from .frozen import MOST_BYTES, bytes_of, frozen
from .plan import Plan, plan, resolve_fetches
from .session import Session

NO_WEIGHTS: State = MappingProxyType({})
MOST_INSIDE = 2**30  # bytes of weights that are part of a model in memory, which ends at 2 GiB

Runner = Callable[[Mapping[str, Any], State], dict[str, Array]]
"""Inputs by name, and weights by name, to outputs by name."""


class StepRunner(Protocol):
    """What takes a step of training, again and again."""

    def __call__(
        self,
        feeds: Mapping[str, Any],
        spare: Mapping[str, Array],
        ready: Ready | None = None,
    ) -> dict[str, Array]:
        """Compute the outputs of a step.

        Args:
            feeds: Inputs by name.
            spare: Arrays by an output's name that it may be written to.
            ready: Gets outputs as soon as they are computed, where the engine tells.
        """
        ...


_RUNNERS: "WeakKeyDictionary[Graph, dict[Any, Runner]]" = WeakKeyDictionary()


class Engine(Protocol):
    """What computes graphs."""

    def open(
        self,
        graph: Graph,
        *,
        device: str = "cpu",
        dtype: str | None = None,
        weights: State | None = None,
    ) -> Runner:
        """Prepare a graph once, to be computed with inputs and weights that change.

        Args:
            graph: The graph.
            device: `cpu`, or `cuda` on onnxruntime.
            dtype: The float type to compute in, where it is not the graph's; NumPy only.
            weights: The weights that every run is given, where these stay the same: what
                depends on them alone is computed once.

        Raises:
            NetError: The engine, the device or the type is not available (E502).
        """

    def open_step(self, graph: Graph, *, device: str = "cpu") -> StepRunner:
        """Prepare a step of training, whose state is among its inputs and outputs.

        Args:
            graph: The step, without parameters.
            device: `cpu`, or `cuda` on onnxruntime.

        Raises:
            NetError: The engine or the device is not available (E502).
        """


def plan_of(graph: Graph, *, dtype: str | None = None, weights: State | None = None) -> Plan:
    """How NumPy computes a graph's outputs, in inference mode unless it is in a mode already."""
    kept = weights is not None and bytes_of(graph.parameters.values()) <= MOST_BYTES
    built = fold_normalizations(settle(build_functions(graph)), once=kept)
    if weights is not None:
        built = frozen(built, weights, dtype=dtype)
    return plan(built, dtype=dtype, fuse=True)


class OnNumpy:
    """Plans, computed by kernels on NumPy arrays."""

    def open(
        self,
        graph: Graph,
        *,
        device: str = "cpu",
        dtype: str | None = None,
        weights: State | None = None,
    ) -> Runner:
        """See `Engine`."""
        return partial(run_plan, self._planned(graph, device, dtype, weights))

    @staticmethod
    def _planned(
        graph: Graph, device: str, dtype: str | None = None, weights: State | None = None
    ) -> Plan:
        if device != "cpu":
            raise error(
                "E502",
                f"the engine numpy cannot run on the device `{device}`",
                help="it runs on `cpu`; the engine onnxruntime also supports `cuda`",
            )
        if dtype not in (None, "float32", "float64"):
            help = "use float32 or float64"
            raise error("E502", f"NumPy does not compute in `{dtype}`", help=help)
        return plan_of(graph, dtype=dtype, weights=weights)

    def open_step(self, graph: Graph, *, device: str = "cpu") -> StepRunner:
        """See `Engine`; kernels choose where results go that nobody waits for.

        What is below the least normal number is zero, as in TensorFlow.
        """
        planned = self._planned(graph, device)

        def compute(
            feeds: Mapping[str, Any], spare: Mapping[str, Array], ready: Ready | None = None
        ) -> dict[str, Array]:
            into = {} if ready is None else spare
            with zeros_for_denormals():
                return run_plan(planned, feeds, {}, ready=ready, into=into)

        return compute


class OnOnnxruntime:
    """ONNX models, computed by onnxruntime; weights that change are inputs of one session."""

    def open(
        self,
        graph: Graph,
        *,
        device: str = "cpu",
        dtype: str | None = None,
        weights: State | None = None,
    ) -> Runner:
        """See `Engine`; onnxruntime lays weights out that stay, and folds normalizations."""
        if dtype is not None:
            raise error("E502", "onnxruntime computes in the network's own element type only")
        settled = settle(graph)
        planned, names = plan(settled), tuple(graph.outputs)
        inside = weights is not None and bytes_of(graph.parameters.values()) <= MOST_INSIDE
        shown = settled if inside else expose_parameters(settled)
        session = _session(shown, device, weights or NO_WEIGHTS)

        def compute(feeds: Mapping[str, Any], state: State) -> dict[str, Array]:
            admit(planned, feeds)
            held = {} if inside else read_weights(planned, state)
            found = session.run({**feeds, **held})
            return dict(zip(names, found.values(), strict=True))

        return compute

    def open_step(self, graph: Graph, *, device: str = "cpu") -> StepRunner:
        """See `Engine`.

        Where it pays to know the batch, there is a session for the first, and one for all others.
        """
        settled = narrow_masks(settle(graph))
        planned, names = plan(settled), tuple(graph.outputs)
        sessions: dict[tuple[tuple[str, int], ...], Session] = {}
        if not gains_by_extents(settled):
            sessions[()] = _session(settled, device, step=True)

        def compute(
            feeds: Mapping[str, Any], spare: Mapping[str, Array], ready: Ready | None = None
        ) -> dict[str, Array]:
            checked = admit(planned, feeds)
            key = tuple(checked.symbols.items())
            if sessions and key not in sessions:
                key = ()
            if key not in sessions:
                sessions[key] = _session(bind_extents(settled, dict(key)), device, step=True)
            into = {_output(i): spare[name] for i, name in enumerate(names) if name in spare}
            found = sessions[key].run_into(checked.arrays, into)
            return dict(zip(names, found.values(), strict=True))

        return compute


def _session(
    graph: Graph, device: str, weights: State = NO_WEIGHTS, *, step: bool = False
) -> Session:
    """A graph with its weights inside, ready to run; its outputs by their number."""
    from ...compiler.emit.onnx import write  # with onnx, which the other engine starts without
    from .channel_block import channel_block
    from .gated_sums import has_gated_sums

    on_cpu = device == "cpu"
    graph = sum_by_ones(clip_masks(graph)) if step and on_cpu else graph
    graph = gate_sums(graph) if step and on_cpu and has_gated_sums() else graph
    block = channel_block() if on_cpu else None
    graph = graph if block is None else block_channels(graph, block)
    outputs = {_output(i): value for i, value in enumerate(graph.outputs.values())}
    buffer = io.BytesIO()
    write(replace(graph, outputs=outputs), weights, buffer)
    return Session(buffer.getvalue(), device=device, flushes=step and on_cpu)


def _output(number: int) -> str:
    """An output's name in the model: no label has a space in it, so it collides with no other."""
    return f"fetch {number}"


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
            _ask_numpy(graph, feeds, state, fetch, failure)
        raise


def _ask_numpy(
    graph: Graph,
    feeds: Mapping[str, Any],
    state: State,
    fetch: Sequence[str] | None,
    failure: NetError,
) -> None:
    """Fail as NumPy does on what onnxruntime trips over, or say that neither can run it."""
    try:
        opened(graph, fetch)(feeds, state)
    except NetError as other:
        if any(found.code != "E502" for found in other.diagnostics):
            raise
        lacking = [found.message for found in other.diagnostics]
        raise NetError(
            [
                replace(found, notes=(*found.notes, *lacking), help=None)
                for found in failure.diagnostics
            ]
        ) from None


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
