"""A network on NumPy -> how long each layer takes, forward and backward."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from ...compiler.analysis.counts import node_cost
from ...compiler.ir.graph import Graph, Node
from ...compiler.passes.pipeline import settle
from ...compiler.passes.set_mode import set_mode
from ...compiler.training.objective import LOSS
from ..engines.executor import run
from ..engines.plan import plan
from ..kerneldef import Array
from ..training.stepper import initial_state, scalars
from .work import Work

LEAST = 3  # runs that count, after one that does not
UPDATE = "update"
FORWARD, BACKWARD = "forward", "backward"

Place = tuple[str, str]  # a layer's path, and a phase


@dataclass(frozen=True)
class LayerTime:
    """What a layer takes for the batch.

    Attributes:
        layer: Its path; the loss and the update of the weights are the last ones of a step.
        kind: What the language calls it.
        forward, backward: Seconds, medians of several runs.
        macs: Multiply-accumulates, those of its gradients included.
    """

    layer: str
    kind: str
    forward: float
    backward: float
    macs: int

    @property
    def seconds(self) -> float:
        """Forward and backward."""
        return self.forward + self.backward

    @property
    def gflops(self) -> float:
        """10^9 operations a second, 2 per multiply-accumulate."""
        return 2e-9 * self.macs / self.seconds if self.seconds else 0.0


def profile(work: Work, seconds: float) -> list[LayerTime]:
    """Run the work for `seconds`, and time its layers, in the order of the network.

    Raises:
        NetError: The network cannot be computed.
    """
    if work.step:
        step = work.train_step()
        graph, state = settle(step.graph), {}
        given = scalars(step.graph, 0, *work.rates)
        feeds = {**work.feeds, **initial_state(step, work.state), **given}
    else:
        graph, state = settle(set_mode(work.graph, training=False)), dict(work.state)
        feeds = dict(work.inputs)
    places = _places(work, graph)
    found = list(_runs(graph, feeds, state, places, seconds))[1:]
    macs: dict[str, int] = defaultdict(int)
    for node, (layer, _) in places.items():
        count = node_cost(graph, graph[node], work.symbols).macs
        macs[layer] += count if isinstance(count, int) else 0
    return [
        LayerTime(
            layer,
            work.graph.layers[layer].kind if layer in work.graph.layers else "",
            forward=median(times.get((layer, FORWARD), 0.0) for times in found),
            backward=median(times.get((layer, BACKWARD), 0.0) for times in found),
            macs=macs[layer],
        )
        for layer in _in_order(work, macs)
    ]


def _runs(
    graph: Graph,
    feeds: Mapping[str, Array],
    state: Mapping[str, Array],
    places: Mapping[int, Place],
    seconds: float,
) -> Iterator[Mapping[Place, float]]:
    """What each place takes, of one run after another."""
    planned = plan(graph)
    numbers = {id(node): number for number, node in graph.nodes()}
    start, count = time.perf_counter(), 0
    while count <= LEAST or time.perf_counter() - start < seconds:
        times: dict[Place, float] = defaultdict(float)
        last = time.perf_counter()

        def note(node: Node, results: Any, times: dict[Place, float] = times) -> None:
            nonlocal last
            now = time.perf_counter()
            times[places[numbers[id(node)]]] += now - last
            last = time.perf_counter()

        run(planned, feeds, state, watch=note)
        count += 1
        yield times


def _places(work: Work, graph: Graph) -> dict[int, Place]:
    """The layer and the phase of each operator."""
    end = graph.outputs[LOSS].node if work.step else len(graph)
    return {
        number: (_layer(work, node), BACKWARD if number > end else FORWARD)
        for number, node in graph.nodes()
        if node.row is not None
    }


def _layer(work: Work, node: Node) -> str:
    """The path of an operator's layer; the update's operators have weights' names as scopes."""
    if node.scope in work.graph.layers:
        return node.scope
    if work.step:
        return LOSS if node.scope.split(".")[0] == LOSS else UPDATE
    return node.scope


def _in_order(work: Work, layers: Mapping[str, int]) -> list[str]:
    """The network's layers in its order, then what belongs to none."""
    own = [layer for layer in work.graph.layers if layer in layers]
    return [*own, *(layer for layer in layers if layer not in work.graph.layers)]
