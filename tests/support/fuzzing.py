"""Compiles programs in a process of its own, under limits of time and of memory.

A hang or a crash there cannot be caught where it happens; here it is, and it is named.
"""

import multiprocessing
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import netc
from netc.sources import zoo
from support.mutations import mutated_bytes, mutated_tokens
from support.networks import random_network
from support.programs import random_program

MAX_LAYERS = 5_000
CPU_SECONDS = 2.0  # of the process itself, on an idle machine
WALL_SECONDS = 60.0  # for what hangs, or sleeps
MEMORY = 500 * 2**20


class Failure(NamedTuple):
    """A case that did what no program may do."""

    number: int
    reason: str


def case(number: int) -> bytes:
    """The program of a case: the same number is the same program."""
    random = Random(number)
    texts = _seeds()
    # Small programs more often: they compile faster, and say as much.
    base = random.choices(texts, [1 / (200 + len(text)) for text in texts])[0]
    match number % 4:
        case 0:
            return mutated_bytes(random, base.encode())
        case 1:
            return mutated_tokens(random, base, texts).encode(errors="replace")
        case 2:
            return random_network(random).encode()
        case _:
            program = random.choice((random_program, random_network))(random)
            return mutated_tokens(random, program, texts).encode(errors="replace")


_SEEDS: list[str] = []


def _seeds() -> list[str]:
    if not _SEEDS:
        _SEEDS.extend(path.read_text(encoding="utf-8") for path in zoo().values())
    return _SEEDS


def failures(numbers: Iterable[int]) -> Iterator[Failure]:
    """Run cases one after the other in a worker, a new one where a case has ended it."""
    worker = Worker()
    for number in numbers:
        answer = worker.run(case(number))
        if answer.failure:
            yield Failure(number, answer.failure)
            worker.stop()
            worker = Worker()
    worker.stop()


class Answer(NamedTuple):
    """What a program came to: the diagnostics, or what no program may do, or nothing."""

    diagnostics: str
    failure: str = ""


class Worker:
    """A process that compiles one program after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.connection.recv()  # ready

    def run(self, program: bytes) -> Answer:
        """Compile a program under the limits."""
        self.connection.send(program)
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
    """Answer programs until there are no more."""
    netc.compile("INPUT -> [CONV -> RELU -> POOL]*2 -> FC").summary()
    _limit_memory()
    connection.send(None)
    with TemporaryDirectory() as folder:
        while True:
            try:
                program = connection.recv()
            except EOFError:
                return
            started = time.process_time()
            answer = compiled(program, Path(folder))
            spent = time.process_time() - started
            if spent > CPU_SECONDS and spent > CPU_SECONDS * _slowness():
                answer = Answer(answer.diagnostics, f"took {spent:.1f} seconds")
            connection.send(answer)


def compiled(program: bytes, folder: Path) -> Answer:
    """What a program comes to; a network and a `NetError` must both be fit to be shown."""
    path = folder / "case.net"
    path.write_bytes(program)
    diagnostics: tuple[netc.Diagnostic, ...]
    try:
        try:
            network = netc.load(path, max_layers=MAX_LAYERS)
        except netc.NetError as failure:
            diagnostics = failure.diagnostics
        else:
            diagnostics = network.warnings
            str(network.summary())
        [diagnostic.to_dict() for diagnostic in diagnostics]
        return Answer(str(netc.NetError(diagnostics)) if diagnostics else "")
    except BaseException:
        return Answer("", traceback.format_exc(limit=-6))


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
    """Write a failing program to a file; returns what a report says of it."""
    path = folder / f"case_{failure.number}.net"
    path.write_bytes(case(failure.number))
    return f"case {failure.number} ({path}):\n{failure.reason}"
