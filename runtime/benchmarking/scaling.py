"""Counts of a step and the speed of one worker -> what several come to, who share each batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import NormalDist

from ...compiler.analysis.counts import node_cost
from ...compiler.analysis.memory import live_bytes
from ...compiler.ir.graph import Graph, Node
from ...compiler.ir.types import TensorType
from ...compiler.ops.opdef import row_of
from ...compiler.passes.bind_extents import bind_extents
from ...compiler.passes.cut_at_sums import cut_at_sums
from ...compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from ...compiler.passes.training_mode import NEXT
from ...compiler.training.train_step import TrainStep
from ..ranks.buckets import BUCKET, grouped
from .devices import Device

LAUNCH = 5e-6  # seconds from one operator's start to the next on a GPU, at least
WORTH_IT = 0.5  # the share of ideal speed below which more workers are not worth it
MOST_SAMPLES = 2**20


@dataclass(frozen=True, slots=True)
class Link:
    """What a worker is connected to the others by.

    Attributes:
        bytes: How many it carries each way in a second.
        latency: Seconds until a message arrives, however short it is.
    """

    bytes: float
    latency: float

    def all_reduce(self, size: float, workers: int) -> float:
        """Seconds of a sum of `size` bytes over a ring of workers.

        Each sends and receives 2 (n - 1) / n of the bytes in 2 (n - 1) messages (Patarasuk and Yuan
        2009, "Bandwidth Optimal All-reduce Algorithms for Clusters of Workstations").
        """
        if workers == 1:
            return 0.0
        messages = 2 * (workers - 1)
        return messages / workers * size / self.bytes + messages * self.latency


@dataclass(frozen=True, slots=True)
class StepCosts:
    """What a step of training costs a worker by the samples that it sees.

    Attributes:
        graph: The step, of which every result is used.
        symbols: The extents that are not the batch.
        gradients: Bytes of all gradients.
        state: Bytes of weights, running statistics and the optimizer's tensors.
    """

    graph: Graph
    symbols: Mapping[str, int]
    gradients: int
    state: int

    @classmethod
    def of(cls, step: TrainStep, symbols: Mapping[str, int]) -> "StepCosts":
        """Those of a step."""
        sizes = {name: _whole(type.bytes) for name, type in step.state.items()}
        weights = [n for n in sizes if n not in step.slots and f"{n}{NEXT}" in step.graph.outputs]
        gradients = sum(sizes[name] for name in weights)
        live = eliminate_dead_nodes(step.graph)
        return cls(live, symbols, gradients, sum(sizes.values()))

    def macs(self, samples: int) -> int:
        """Multiply-accumulates, those of the backward pass among them."""
        symbols = {**self.symbols, "N": samples}
        return sum(_whole(node_cost(self.graph, node, symbols).macs) for node in self._operators())

    def memory(self, samples: int) -> int:
        """Bytes at the peak: state, its new values, activations, gradients; and these once more.

        Gradients travel in buffers of their own.
        """
        bound = bind_extents(self.graph, {**self.symbols, "N": samples})
        peak = max((_whole(live) for _, live in live_bytes(bound)), default=0)
        return peak + self.gradients

    def seconds(self, device: Device, samples: int, efficiency: float) -> float:
        """How long a device takes that reaches a share of what its data sheet says.

        Each operator is bound by its products or by the memory that it reads and writes (Williams,
        Waterman and Patterson 2009, "Roofline"), and starts no sooner than `LAUNCH` after the last.
        """
        symbols, total = {**self.symbols, "N": samples}, 0.0
        for node in self._operators():
            values = [value.type for value in node.inputs if value is not None]
            moved = sum(_whole(t.bind(symbols).bytes) for t in (*values, *node.outputs))
            products = 2e-12 * _whole(node_cost(self.graph, node, symbols).macs) / device.tflops
            total += max(products, 1e-9 * moved / device.bandwidth) / efficiency + LAUNCH
        return total

    def _operators(self) -> list[Node]:
        """The operators that compute something."""
        return [node for node in self.graph.records if node.row and not row_of(node).view]


@dataclass(frozen=True, slots=True)
class Sums:
    """What is summed in a step, and when it is there.

    Attributes:
        ready: For each buffer of gradients, in order, its bytes, and the share of the computation
            after which it is there.
        cut: Seconds that a step takes longer where it is cut at its sums.
        update: Seconds of the update, of which each of several workers takes a part; 0 where each
            updates all weights.
    """

    ready: Sequence[tuple[int, float]]
    cut: float = 0.0
    update: float = 0.0

    @classmethod
    def of(
        cls,
        step: TrainStep,
        symbols: Mapping[str, int],
        *,
        cut: float = 0.0,
        updated: float = inf,
    ) -> "Sums":
        """Those of a step for shards: buffers as ranks fill them, by the products before each.

        Args:
            step: The step.
            symbols: Its extents.
            cut: Seconds that its cut takes.
            updated: Bytes a second of what the update reads and writes, where it is shared.
        """
        summed: list[tuple[Mapping[str, TensorType], dict[str, int]]] = []
        done = 0
        parts = cut_at_sums(step.graph).parts
        for part in parts:
            after: dict[int, int] = {}
            for number, node in enumerate(part.graph.records):
                if node.row and not row_of(node).view:
                    done += _whole(node_cost(part.graph, node, symbols).macs)
                after[number] = done
            outputs = {name: part.graph.outputs[name] for name in part.summed}
            types = {name: value.type for name, value in outputs.items()}
            summed.append((types, {name: after[value.node] for name, value in outputs.items()}))
        ready = [
            (
                sum(_whole(types[name].bytes) for name in names),
                max(at[name] for name in names) / max(done, 1),
            )
            for types, at in summed
            for names in grouped(types, BUCKET)
        ]
        last = parts[-1].graph
        moved = [*last.inputs.values(), *last.outputs.values()]
        return cls(tuple(ready), cut, sum(_whole(v.type.bytes) for v in moved) / updated)

    @property
    def bytes(self) -> int:
        """How many there are."""
        return sum(size for size, _ in self.ready)

    def exposed(self, compute: float, link: Link, workers: int) -> float:
        """Seconds from the computation's end to that of the last sum, where sums travel meanwhile.

        Sums follow each other, none before its buffer is there.
        """
        end = 0.0
        messages = link.all_reduce(0, workers)  # which those of later buffers hide
        for size, share in self.ready:
            end = max(end, share * compute) + link.all_reduce(size, workers) - messages
        return max(0.0, end + messages - compute)


def slowest(workers: int) -> float:
    """By how many standard deviations the slowest of some workers exceeds their mean.

    The expected largest of n normal numbers, by Blom's approximation (Blom 1958, "Statistical
    Estimates and Transformed Beta-Variables"), which is at most 5 % above it.
    """
    return NormalDist().inv_cdf((workers - 0.375) / (workers + 0.25)) if workers > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """What some workers come to.

    Attributes:
        workers: How many there are.
        samples: How many samples each sees of a batch.
        compute, communicate: Seconds of a step that are spent so.
        wait: Seconds in which workers wait for the slowest, and that the cut of the step takes.
        exposed: Seconds of the communication that computation cannot hide.
        efficiency: Samples a second, as a share of the workers' number times those of one.
    """

    workers: int
    samples: int
    compute: float
    communicate: float
    wait: float
    exposed: float
    efficiency: float

    @property
    def seconds(self) -> float:
        """A step, where nothing of the communication is hidden behind computation."""
        return self.compute + self.wait + self.communicate

    @property
    def at_best(self) -> float:
        """A step, where all of it is hidden that can be."""
        return self.compute + self.wait + self.exposed

    @property
    def speed(self) -> float:
        """Samples a second of all workers."""
        return self.workers * self.samples / self.seconds


def predicted(
    batch: int,
    counts: Sequence[int],
    compute: Callable[[int], float],
    link: Link,
    sums: Sums,
    *,
    share: bool,
    jitter: float = 0.0,
) -> list[Point]:
    """What numbers of workers come to.

    Args:
        batch: Samples of one worker's batch.
        counts: The numbers of workers.
        compute: The seconds that one takes for some samples.
        link: What connects them.
        sums: What they sum in each step.
        share: Whether they share that batch; else each has as many samples as one.
        jitter: The standard deviation of a worker's steps, as a share of their mean.
    """
    found: list[Point] = []
    alone = batch / compute(batch)
    for workers in counts:
        samples = max(1, -(-batch // workers)) if share else batch
        spent, sent = compute(samples), link.all_reduce(sums.bytes, workers)
        spent -= sums.update * (1 - 1 / workers)
        wait = jitter * slowest(workers) * spent + sums.cut * (workers > 1)
        exposed = sums.exposed(spent, link, workers)
        whole = min(batch, samples * workers) if share else samples * workers
        efficiency = whole / (spent + wait + sent) / (alone * workers)
        found.append(Point(workers, samples, spent, sent, wait, exposed, efficiency))
    return found


def largest_batch(costs: StepCosts, available: float) -> int:
    """The most samples that fit into the `available` bytes, within 2 %, and at most `MOST_SAMPLES`.

    0 where not even one does.
    """
    if costs.memory(1) > available:
        return 0
    low, high = 1, 2
    while costs.memory(high) <= available:
        low, high = high, 2 * high
        if high > MOST_SAMPLES:
            return MOST_SAMPLES
    while high - low > max(1, low // 64):
        middle = (low + high) // 2
        low, high = (middle, high) if costs.memory(middle) <= available else (low, middle)
    return low


def _whole(count: object) -> int:
    return count if isinstance(count, int) else 0
