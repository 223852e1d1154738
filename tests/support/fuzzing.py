"""Compiles programs and reads files in a separate process, under limits of time and of memory.

A hang or a crash there cannot be caught where it happens; here it is, and it is named.
"""

import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from math import prod
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

import netc
from netc.compiler.ir.dim import substitute
from netc.drawing import to_picture, to_picture_text
from netc.grammar.formatting.formatter import format_source
from netc.grammar.source import Source
from netc.sources import zoo
from support import mutants
from support.mutations import mutated_bytes, mutated_tokens
from support.networks import grown_network, random_network
from support.programs import random_program

MAX_LAYERS = 5_000
CPU_SECONDS = 2.0  # of the process itself, on an idle machine
WALL_SECONDS = 60.0  # for what hangs, or sleeps
MEMORY = 500 * 2**20
SMALL = 100_000  # FLOPs, and numbers of a tensor, of networks that are run
EXTENTS = (0, 1, 2, 3, 8)  # of what a program leaves open


PROGRAM = "program"
NETWORK = "network"


class Case(NamedTuple):
    """What is tried: the same number of the same kind is the same program, or the same files."""

    kind: str
    number: int


class Failure(NamedTuple):
    """A case that did what no input may do."""

    case: Case
    reason: str


def program(case: Case) -> bytes:
    """The program of a case."""
    number = case.number
    random = Random(number)
    if case.kind == NETWORK:
        return grown_network(random, compiles).encode()
    texts = _seeds()
    # Small programs more often: they compile faster, and say as much.
    base = random.choices(texts, [1 / (200 + len(text)) for text in texts])[0]
    match random.randrange(4):
        case 0:
            return mutated_bytes(random, base.encode())
        case 1:
            return mutated_tokens(random, base, texts).encode(errors="replace")
        case 2:
            return random_network(random).encode()
        case _:
            program = random.choice((random_program, random_network))(random)
            return mutated_tokens(random, program, texts).encode(errors="replace")


def compiles(text: str) -> bool:
    """Whether a program has no errors."""
    try:
        netc.compile(text, max_layers=MAX_LAYERS)
    except netc.NetError:
        return False
    return True


_SEEDS: list[str] = []


def _seeds() -> list[str]:
    if not _SEEDS:
        _SEEDS.extend(path.read_text(encoding="utf-8") for path in zoo().values())
    return _SEEDS


def failures(cases: Iterable[Case]) -> Iterator[Failure]:
    """Run cases one after the other in a worker, a new one where a case has ended it."""
    worker = Worker()
    for case in cases:
        answer = worker.run(case)
        if answer.failure:
            yield Failure(case, answer.failure)
            worker.stop()
            worker = Worker()
    worker.stop()


class Answer(NamedTuple):
    """The result of a program: the diagnostics, or what no program may do, or nothing."""

    diagnostics: str
    failure: str = ""


class Worker:
    """A process that compiles one program, or reads the files of one case, after the other."""

    def __init__(self) -> None:
        os.environ["MALLOC_ARENA_MAX"] = "1"  # else each thread reserves address space
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.connection.recv()  # ready

    def run(self, job: bytes | Case) -> Answer:
        """Compile a program, or read the files of a case, under the limits."""
        self.connection.send(job)
        if not self.connection.poll(WALL_SECONDS):
            return Answer("", f"no answer within {WALL_SECONDS:.0f} seconds")
        try:
            answer: Answer = self.connection.recv()
        except EOFError:
            self.process.join()
            return Answer("", f"the process ended with status {self.process.exitcode}")
        return answer

    def stop(self) -> None:
        """End the process."""
        self.connection.close()
        self.process.kill()
        self.process.join()


def _serve(connection: Connection) -> None:
    """Answer until there is no more to do."""
    netc.compile("INPUT -> [CONV -> RELU -> POOL]*2 -> FC").summary()
    for kind in mutants.KINDS:
        mutants.answer(kind, 0)  # loads what readers need before memory is limited
    _limit_memory()
    connection.send(None)
    with TemporaryDirectory() as folder:
        while True:
            try:
                job = connection.recv()
            except EOFError:
                return
            answer, spent = _answered(job, Path(folder))
            if spent > CPU_SECONDS and spent > CPU_SECONDS * _slowness():
                answer = Answer(answer.diagnostics, f"took {spent:.1f} seconds")
            connection.send(answer)


def _answered(job: bytes | Case, folder: Path) -> tuple[Answer, float]:
    """The answer to a job, and the seconds of the processor that it took."""
    if isinstance(job, Case):
        if job.kind not in (PROGRAM, NETWORK):
            return _timed(lambda: Answer("", mutants.answer(*job)))
        try:
            job = program(job)
        except Exception:  # while it grew
            return Answer("", traceback.format_exc(limit=-6)), 0.0
    return _timed(lambda: compiled(job, folder))


def _timed(work: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.process_time()
    return work(), time.process_time() - started


def compiled(program: bytes, folder: Path) -> Answer:
    """The result of a program; a network and a `NetError` must both be fit to be shown."""
    path = folder / "case.net"
    path.write_bytes(program)
    diagnostics: tuple[netc.Diagnostic, ...]
    try:
        try:
            network = netc.load(path, max_layers=MAX_LAYERS)
            diagnostics = network.warnings
            _use(network)
        except netc.NetError as failure:
            diagnostics = failure.diagnostics
        [diagnostic.to_dict() for diagnostic in diagnostics]
        return Answer(str(netc.NetError(diagnostics)) if diagnostics else "")
    except BaseException:
        return Answer("", traceback.format_exc(limit=-6))


def _use(network: netc.Network) -> None:
    """Count a network, draw it, format its program, and run it where that is little work."""
    str(network.summary())
    to_picture_text(network.model)
    to_picture(network.model, "svg")
    format_source(Source(network.model.origin, network.model.text))
    names = {dim for spec in network.inputs for dim in spec.shape if isinstance(dim, str)}
    random = Random(str(network.flops))
    extents = {name: random.choice(EXTENTS) for name in sorted(names)} | {"N": 2}
    work = substitute(network.flops, dict.fromkeys(extents, max(EXTENTS)))
    if not isinstance(work, int) or max(work, largest(network)) > SMALL:
        return
    feeds = {
        spec.name: np.ones(
            [d if isinstance(d, int) else extents[d] for d in spec.shape], spec.dtype
        )
        for spec in network.inputs
    }
    state = network.initialize(seed=0)
    for engine in ("numpy", "onnxruntime"):
        with suppress(netc.NetError):
            network.run(feeds, state, engine=engine)


def largest(network: netc.Network) -> int:
    """The numbers of the largest tensor, extents that are open left out."""
    return max(
        prod(extent for extent in type.shape if isinstance(extent, int))
        for _, node in network.graph.nodes()
        for type in node.outputs
    )


def _slowness() -> float:
    """How much slower this machine is now than an idle one on which limits were set."""
    started = time.process_time()
    for _ in range(2_000_000):
        pass
    return (time.process_time() - started) / 0.05


def _limit_memory() -> None:
    """Let the process have `MEMORY` more than it has now; only Linux can say what it has."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def keep(failure: Failure, folder: Path) -> str:
    """Write a failing case to a folder; returns what a report says of it."""
    kind, number = failure.case
    path = folder / f"{kind} {number}"
    is_text = kind in (PROGRAM, NETWORK)
    files = {"case.net": program(failure.case)} if is_text else mutants.mutant(kind, number)
    mutants.lay(files, path)
    return f"{kind} {number} ({path}):\n{failure.reason}"
