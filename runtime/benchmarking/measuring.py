"""Work and contenders -> times: a process for each, blocks in turn, several rounds."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ..engines.agreement import norm_difference
from ..kerneldef import Array
from ..kernels.workers import OF_BLAS, OURS
from .contenders import CONTENDERS, Contender
from .profile import LayerTime
from .work import Work, dumped
from .worker import PROFILE

TOLERANCE = 1e-3  # of the largest number
ROUNDS = 5
RETRIES = 3  # of a block during which other processes kept the processors busy
CALM = 0.08  # the share of all processors that others may take during a block
# What makes libraries compute as on another processor; each contender chooses for this one.
INSTRUCTIONS = (
    *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY"),
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"),
)


@dataclass
class Timing:
    """What a contender took.

    Attributes:
        contender: Its name.
        engine: Its engine.
        rounds: The median of each round's calls, in seconds.
        fastest: The fastest call.
        processor: The least median of a round's calls in seconds of all processors together, which
            says more where other processes use them.
        contended: The largest share of the processors that other processes took meanwhile.
        mebibytes: The most memory beyond what its libraries take when they are loaded.
        difference: How far its results are from the first contender's, relative to the largest.
        failure: Why it was not timed.
    """

    contender: str
    engine: str
    rounds: list[float] = field(default_factory=list)
    fastest: float = float("inf")
    processor: float = float("inf")
    contended: float = 0.0
    mebibytes: float | None = None
    difference: float | None = None
    failure: str | None = None

    @property
    def seconds(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    def ratio(self, other: "Timing") -> float:
        """How many times as long as another, the median over rounds."""
        return median(a / b for a, b in zip(self.rounds, other.rounds, strict=True))


def measure(
    work: Work,
    contenders: Sequence[Contender],
    *,
    seconds: float,
    rounds: int = ROUNDS,
    threads: int | None = None,
    done: Callable[[], object] = lambda: None,
) -> list[Timing]:
    """Time contenders on the same work, after their results were compared.

    Args:
        work: What is computed.
        contenders: Who computes it.
        seconds: How long a block lasts; there is one of each contender in each round.
        rounds: How many rounds.
        threads: How many threads each uses; by default, as many as it chooses itself.
        done: Is called `rounds` + 1 times for each contender.
    """
    timings = {each.name: Timing(each.name, each.engine) for each in contenders}
    with TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "work"
        path.write_bytes(dumped(work))
        running: dict[str, _Process] = {}
        for each in contenders:
            done()
            process = stack.enter_context(_process(each, path, threads))
            failure = process.answer().get("failure")
            timings[each.name].failure = failure
            if failure is None:
                running[each.name] = process
        _compare({name: process.results for name, process in running.items()}, timings)
        running = {n: p for n, p in running.items() if timings[n].failure is None}
        for _ in range(rounds):
            for name, process in running.items():
                done()
                process.take(seconds, timings[name])
    return list(timings.values())


def layer_times(work: Work, *, seconds: float, threads: int | None = None) -> list[LayerTime]:
    """The time of each layer on NumPy, in a separate process.

    Raises:
        NetError: E506, the network cannot be computed.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "work"
        path.write_bytes(dumped(work))
        with _process(CONTENDERS["numpy"], path, threads) as process:
            found = process.answer()
            if "failure" not in found:
                found = process.ask(f"{PROFILE}{seconds}")
    if "failure" in found:
        raise error("E506", "nothing could be timed", notes=[found["failure"]])
    return [LayerTime(**layer) for layer in found["layers"]]


def _compare(files: Mapping[str, Path], timings: Mapping[str, Timing]) -> None:
    """Refuse contenders whose results differ from the first one's."""
    found: dict[str, Mapping[str, Array]] = {}
    for name, file in files.items():
        with np.load(file) as archive:
            found[name] = dict(archive)
    if not found:
        return
    first, *others = found
    for name in others:
        distance = max(norm_difference(a, found[first][key]) for key, a in found[name].items())
        timings[name].difference = distance
        if not distance <= TOLERANCE:
            timings[name].failure = f"its results differ from those of {first} by {distance:.1e}"


@dataclass
class _Process:
    """A worker that waits for its turn."""

    process: "subprocess.Popen[str]"
    results: Path
    errors: Path

    def answer(self) -> dict[str, Any]:
        """Its next answer; of one that ended, how."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        code = self.process.wait()
        *_, last = self.errors.read_text(errors="replace").strip().split("\n") or [""]
        return {"failure": f"its process ended with {code}: {last}"}

    def ask(self, line: str) -> dict[str, Any]:
        """The answer to a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.answer()

    def take(self, seconds: float, timing: Timing) -> None:
        """Time a block, again where others took too much of the processors, and keep the best."""
        if timing.failure is not None:
            return
        best: tuple[float, dict[str, Any]] | None = None
        for _ in range(RETRIES if timing.contended < CALM else 1):  # a busy machine stays so
            busy, start = _busy(), time.perf_counter()
            found = self.ask(str(seconds))
            if "failure" in found:
                timing.failure = found["failure"]
                return
            spent = time.perf_counter() - start
            others = (_busy() - busy - found["cpu"]) / spent / (os.cpu_count() or 1)
            others = min(max(others, 0.0), 1.0)
            timing.mebibytes = found["mebibytes"]
            if best is None or others < best[0]:
                best = others, found
            if others < CALM:
                break
        assert best is not None
        timing.contended = max(timing.contended, best[0])
        timing.rounds.append(median(best[1]["times"]))
        timing.fastest = min(timing.fastest, *best[1]["times"])
        timing.processor = min(timing.processor, median(best[1]["processor"]))


@contextmanager
def _process(contender: Contender, work: Path, threads: int | None) -> Iterator[_Process]:
    results = work.with_name(f"{contender.name}.npz")
    errors = work.with_name(f"{contender.name}.txt")
    module = f"{__package__}.worker"
    command = [sys.executable, "-m", module, str(work), contender.name, str(results)]
    with open(errors, "w") as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**environment(threads), **contender.environment},
        )
    try:
        yield _Process(process, results, errors)
    finally:
        process.kill()
        process.communicate()


def environment(threads: int | None) -> dict[str, str]:
    """Ours, with a number of threads for all libraries, or as many as each chooses.

    What chooses instructions is left out. Modules are found where we find them, and nowhere else.
    """
    chosen = (OURS, *OF_BLAS)
    left_out = {*chosen, *INSTRUCTIONS}
    kept = {name: text for name, text in os.environ.items() if name not in left_out}
    kept["PYTHONPATH"] = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    kept["PYTHONSAFEPATH"] = "1"
    return kept if threads is None else kept | dict.fromkeys(chosen, str(threads))


def _busy() -> float:
    """Seconds that all processors together were busy since the system started; 0 if unknown."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, soft, *_ = map(int, file.readline().split()[1:])
    except OSError:
        return 0.0
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
