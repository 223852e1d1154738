"""Models -> how fast several workers would train them, and a table of that."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import inf
from typing import Any, NamedTuple

from .benchmarks import bench, check_loss, work_of
from .compiler.model import Model
from .grammar.diagnostics import did_you_mean, error
from .runtime.arrays.memory import physical_memory
from .runtime.benchmarking.devices import DEVICES
from .runtime.benchmarking.scaling import (
    MOST_SAMPLES,
    WORTH_IT,
    Link,
    Point,
    StepCosts,
    Sums,
    largest_batch,
    predicted,
)
from .tables import hanging, table

CPU = "cpu"
LATENCY = 20e-6  # seconds of a message through a switch
EFFICIENCY = 0.4  # of what a data sheet promises
ROUNDS = 3
# Measured of two ranks on two cores of an AMD EPYC by `benchmarks/ranks.py`; see docs/scaling.md.
JITTER = 0.035  # the deviation of steps that should take as long
CUT = 0.2e-3  # seconds of a step on a processor that its cut takes
HERE = Link(30e9, 5e-6)  # ranks of one machine, which sum in memory that they share
UPDATED = 20e9  # bytes a second of what an update reads and writes, which such ranks share
LOCAL = "local"
HEAD = (
    *("workers", "samples each", "compute ms", "sum ms", "wait ms", "step ms"),
    *("samples/s", "efficiency"),
)
UNITS = {"b": 1 / 8, "B": 1.0}
PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
BANDWIDTH = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)([bB])(?:/s|ps|it/s)?")


@dataclass(frozen=True)
class Plan:
    """How fast several workers are predicted to train.

    Attributes:
        network: The network's name.
        device: What a worker computes on.
        link: What connects the workers.
        batch: Samples of a batch.
        gradients: Bytes that each worker sums with the others in each step.
        memory: Bytes that a worker needs for the whole batch.
        available: Bytes that it has.
        fits: The most samples that a worker can take at once.
        shared: What numbers of workers come to that share that batch.
        grown: What they come to where each has as many samples as one.
        basis: Where the time of one worker comes from.
        cut: Seconds that a step of several takes longer, being cut.
    """

    network: str
    device: str
    link: Link
    batch: int
    gradients: int
    memory: int
    available: int
    fits: int
    shared: Sequence[Point]
    grown: Sequence[Point]
    basis: str
    cut: float

    def limit(self, points: Sequence[Point]) -> int:
        """The most workers, in a row from one, that reach half of the ideal speed."""
        most = 1
        for point in points:
            if point.efficiency < WORTH_IT:
                break
            most = point.workers
        return most

    def to_text(self, room: int | None = None) -> str:
        """Two tables, and sentences about them, at most `room` columns wide."""
        lines = [f"{self.network}: data parallelism on {self.device}", ""]
        lines += [f"a batch of {self.batch}, shared:", *table(self._rows(self.shared), room=room)]
        lines += ["", f"{self.batch} samples for each worker:"]
        lines += [*table(self._rows(self.grown), room=room), ""]
        for sentence in self._sentences():
            lines += hanging("", sentence, room)
        return "\n".join(lines)

    @staticmethod
    def _rows(points: Sequence[Point]) -> list[tuple[str, ...]]:
        rows = [
            (
                f"{point.workers}",
                f"{point.samples}",
                f"{point.compute * 1e3:.3g}",
                f"{point.communicate * 1e3:.3g}",
                f"{point.wait * 1e3:.3g}",
                f"{point.at_best * 1e3:.3g} to {point.seconds * 1e3:.3g}",
                f"{point.speed:,.0f}",
                f"{point.efficiency:.0%}",
            )
            for point in points
        ]
        return [HEAD, *rows]

    def _sentences(self) -> Iterator[str]:
        yield f"one worker: {self.basis}"
        yield (
            "step ms: from all that can be hidden behind the backward pass to nothing hidden, which"
            " samples/s and efficiency take"
        )
        cut = f", and {self.cut * 1e3:.3g} ms for the cut of the step" * (self.cut > 0)
        yield f"wait: for the slowest worker, where steps differ by {JITTER:.1%}{cut}"
        yield (
            f"sums: each worker sends and receives up to {_bytes(2 * self.gradients)} in a step:"
            f" {_bytes(self.gradients)} of gradients, around a ring, at {_bytes(self.link.bytes)}/s"
            f" and {self.link.latency * 1e6:.3g} µs a message"
        )
        last = self.shared[-1].workers
        for what, points in (("shared", self.shared), ("grown with the workers", self.grown)):
            most = self.limit(points)
            end = f"at {points[-1].efficiency:.0%} with {last} workers"
            if most < last:
                end = f"stops at {_counted(most)}: beyond, more than half is lost"
            yield f"scaling, the batch {what}: {end}"
        have = f"of {_bytes(self.available)}"
        if not self.fits:
            yield f"memory: not even one sample fits into {_bytes(self.available)}"
        else:
            yield (
                f"memory: a worker needs {_bytes(self.memory)} {have} for {self.batch} samples, and"
                f" can take {self.fits:,}{' or more' * (self.fits == MOST_SAMPLES)} at once"
            )

    def to_dict(self) -> dict[str, Any]:
        """All figures, in seconds and bytes."""
        found = asdict(self)
        for name in ("shared", "grown"):
            points: Sequence[Point] = getattr(self, name)
            found[name] = [{**asdict(p), "seconds": p.seconds, "speed": p.speed} for p in points]
            found[f"{name}_limit"] = self.limit(points)
        return found


def plan_training(
    model: Model,
    *,
    workers: int,
    bandwidth: str = "10Gb",
    latency: float = LATENCY,
    device: str = CPU,
    batch: int | None = None,
    engine: str = "numpy",
    efficiency: float = EFFICIENCY,
    threads: int | None = None,
    seconds: float = 0.2,
) -> Plan:
    """Predict how fast several workers train.

    Args:
        model: The network.
        workers: The most workers; rows are powers of two up to that.
        bandwidth: What each worker can send and receive at the same time, such as `25Gb`; `local`
            for workers of one machine, whose latency it says, too.
        latency: Seconds of a message.
        device: `cpu`, whose speed is measured here, or a row of `DEVICES`.
        batch: Samples of a batch; the recipe's where it is None.
        engine: What is measured of `cpu`.
        efficiency: The share of a data sheet's figures that a device reaches.
        threads: How many threads a worker has on `cpu`.
        seconds: How long each is measured in each round.

    Raises:
        NetError: E125, a bandwidth or a device is none; the loss does not fit; or as `bench`.
    """
    check_loss(model)
    work = work_of(model, batch, step=True)
    costs = StepCosts.of(work.train_step(), work.symbols)
    link = HERE if bandwidth == LOCAL else Link(bytes_per_second(bandwidth), latency)
    cut = CUT if device == CPU else 0.0
    updated = UPDATED if bandwidth == LOCAL and device == CPU else inf
    sums = Sums.of(work.train_step(shards=True), work.symbols, cut=cut, updated=updated)
    if device == CPU:
        worker = _worker_here(model, work.batch, engine, threads, seconds)
    else:
        worker = _worker_of(device, costs, efficiency)
    counts = [2**k for k in range(workers.bit_length()) if 2**k < workers] + [workers]
    shared, grown = (
        predicted(work.batch, counts, worker.seconds, link, sums, share=share, jitter=JITTER)
        for share in (True, False)
    )
    return Plan(
        network=model.graph.name,
        device=worker.name,
        link=link,
        batch=work.batch,
        gradients=costs.gradients,
        memory=costs.memory(work.batch),
        available=worker.memory,
        fits=largest_batch(costs, worker.memory),
        shared=shared,
        grown=grown,
        basis=worker.basis,
        cut=sums.cut,
    )


class _Worker(NamedTuple):
    """What one worker has: its name, where its time comes from, bytes, and seconds of a step."""

    name: str
    basis: str
    memory: int
    seconds: Callable[[int], float]


def _worker_of(device: str, costs: StepCosts, efficiency: float) -> _Worker:
    """A worker on a device of the table.

    Raises:
        NetError: E125, there is no such device.
    """
    if device not in DEVICES:
        known = [CPU, *DEVICES]
        help = did_you_mean(device, known) or f"the devices are {', '.join(known)}"
        raise error("E125", f"unknown device `{device}`", help=help)
    row = DEVICES[device]
    basis = f"{efficiency:.0%} of the speed that {row.source} states"
    compute = partial(costs.seconds, row, efficiency=efficiency)
    return _Worker(row.name, basis, int(row.gigabytes * 1e9), compute)


def _worker_here(
    model: Model, batch: int, engine: str, threads: int | None, seconds: float
) -> _Worker:
    """A worker on this machine, whose time is measured."""
    compute = _measured(model, batch, engine, threads, seconds)
    name = f"this machine ({engine})"
    return _Worker(name, "its time was measured here", physical_memory(), compute)


def bytes_per_second(text: str) -> float:
    """A bandwidth such as `25Gb` or `3GB/s`: the letter's case distinguishes bits and bytes.

    Raises:
        NetError: E125, it is none.
    """
    found = BANDWIDTH.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        help = "bits are written `25Gb`, bytes `3GB`; `local` is between ranks of one machine"
        raise error("E125", f"`{text}` is not a bandwidth", help=help)
    return float(found[1]) * PREFIXES[found[2]] * UNITS[found[3]]


def _measured(
    model: Model, batch: int, engine: str, threads: int | None, seconds: float
) -> Callable[[int], float]:
    """Seconds of a step by its samples: a line through two that are timed."""
    sizes = sorted({batch, max(2, batch // 4)})
    times = []
    for size in sizes:
        options: dict[str, Any] = {"engines": [engine], "seconds": seconds, "rounds": ROUNDS}
        found = bench(model, mode="step", batch=size, threads=threads, **options).of(engine)
        assert found is not None
        times.append(found.seconds)
    each = max(0.0, (times[-1] - times[0]) / (sizes[-1] - sizes[0])) if len(sizes) > 1 else 0.0
    each = each or times[-1] / sizes[-1]
    fixed = max(0.0, times[-1] - each * sizes[-1])
    return lambda samples: fixed + each * samples


def _counted(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{workers} workers"


def _bytes(count: float) -> str:
    """Bytes with a unit: `2.7 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"
