"""What ranks lose to each other: steps together over MPI, against the same steps by each alone.

Prints a Markdown table. `mpiexec` starts the ranks, with one thread each; all take some steps on
their own, which nobody else knows of, then as many together, in turn, so that both meet the same
machine. The figure is samples a second together as a share of the sum of those alone.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from measure import markdown

import netc
from netc.compiler.passes.shards import FIRST, WHOLE
from netc.runtime.benchmarking.work import Work, random_work
from netc.runtime.ranks.team import Team, join
from netc.runtime.training.stepper import Stepper, scalars

# Samples of each rank.
NETS = {"vgg": 32, "mlp": 256, "lenet5": 64, "residual": 16, "wavenet": 4}
ENGINES = ("numpy", "onnxruntime")
HEAD = ("net", "engine", "samples", "alone, samples/s", "together", "share", "of rounds")


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ranks", type=int, default=2)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--seconds", type=float, default=1.0, help="of a block of steps")
    options.add_argument("--only", choices=NETS, action="append")
    options.add_argument("--worker", nargs=2, metavar=("NET", "ENGINE"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.worker:
        found = Worker(join(), *given.worker).measure(given.rounds, given.seconds)
        if found is not None:
            print(json.dumps(found))
        return
    rows = []
    for net in given.only or NETS:
        for engine in ENGINES:
            alone, together = started(given, net, engine)
            shares = [b / a for a, b in zip(alone, together, strict=True)]
            spread = f"{min(shares):.0%} to {max(shares):.0%}"
            speeds = [f"{median(each):,.0f}" for each in (alone, together)]
            rows.append([net, engine, str(NETS[net]), *speeds, f"{median(shares):.0%}", spread])
    print(markdown(HEAD, rows))


def started(given: argparse.Namespace, net: str, engine: str) -> list[list[float]]:
    """What ranks measure of a network."""
    beside = Path(sys.executable).with_name("mpiexec")
    command = [str(beside) if beside.exists() else "mpiexec", "-n", str(given.ranks)]
    command += ["env", "NETC_NUM_THREADS=1", sys.executable, __file__]
    command += ["--rounds", str(given.rounds), "--seconds", str(given.seconds)]
    command += ["--worker", net, engine]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: list[list[float]] = json.loads(text)
    return found


class Worker:
    """One of the ranks, with a network that it trains alone, and one that all train together."""

    def __init__(self, team: Team, net: str, engine: str) -> None:
        self.team = team
        path = Path(__file__).parent / "nets" / f"{net}.net"
        network = netc.load(str(path))
        recipe = network.recipe
        assert recipe is not None
        count = NETS[net]
        own = replace(recipe, seed=team.rank)
        self.work: Work = random_work(network.graph, own, batch=count, step=True)
        self.count = count
        self.given = scalars(network.graph, 0, *self.work.rates)
        self.feeds = {**self.work.feeds, **self.given}
        place = {FIRST: np.array(team.rank * count), WHOLE: np.array(team.size * count)}
        shared = replace(self.work, recipe=recipe)  # of one seed
        state = team.share(dict(self.work.state))
        self.alone = Stepper(self.work.train_step(), self.work.state, engine=engine)
        self.together = Stepper(shared.train_step(shards=True), state, engine=engine, team=team)
        self.shard: Mapping[str, Any] = {**self.feeds, **place}

    def measure(self, rounds: int, seconds: float) -> tuple[list[float], list[float]] | None:
        """Samples a second of all ranks, alone and together, in each round; rank 0 tells."""
        steps = self.steps(seconds)
        found: tuple[list[float], list[float]] = [], []
        for _ in range(rounds):
            for speeds, stepper, feeds in zip(
                found, (self.alone, self.together), (self.feeds, self.shard), strict=True
            ):
                speeds.append(self.speed(lambda: stepper.advance(feeds), steps))  # noqa: B023
        return found if self.team.rank == 0 else None

    def steps(self, seconds: float) -> int:
        """How many steps take so long, the same on all ranks."""
        for stepper, feeds in ((self.alone, self.feeds), (self.together, self.shard)):
            for _ in range(3):
                stepper.advance(feeds)
        start = time.perf_counter()
        for _ in range(3):
            self.alone.advance(self.feeds)
        one = (time.perf_counter() - start) / 3
        return self.team.share(max(3, round(seconds / one)))

    def speed(self, step: Callable[[], object], steps: int) -> float:
        """Samples a second of all ranks together, which begin at the same time."""
        self.team.any()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        taken = time.perf_counter() - start
        return sum(self.count * steps / each for each in self.team.gather(taken))


if __name__ == "__main__":
    main()
