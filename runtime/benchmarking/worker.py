"""One contender in a separate process: blocks of time in, seconds per call out, as lines.

`python -m netc.runtime.benchmarking.worker WORK CONTENDER RESULTS` answers each line of input with
one of JSON: a number of seconds with a block, or `profile` and seconds with the time of each layer.
"""

import json
import os
import pickle
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ...grammar.diagnostics import NetError
from .contenders import CONTENDERS, Contender, Task, compared
from .memory import peak, reset_peak, resident
from .profile import profile
from .work import Work

PROFILE = "profile "
CHECKED = 3  # calls whose results are compared: an update that is wrong shows in the next losses
LEAST = 3  # calls in a block
QUIET, QUIET_SECONDS, PATIENCE = 0.1, 0.02, 1.0  # busy share and seconds: when threads have rested


def main() -> None:
    """Open the work, store its first results, and time blocks until input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    path, name, results = sys.argv[1:]
    try:
        serve(path, name, results, answers)
    except NetError as failure:
        say(answers, failure="\n".join(d.message for d in failure.diagnostics))


def serve(path: str, name: str, results: str, answers: TextIO) -> None:
    """See `main`."""
    contender = CONTENDERS[name]
    contender.load()
    reset_peak()
    before = resident()
    work = pickle.loads(Path(path).read_bytes())
    if work.noisy:  # only without its noise is it comparable
        check(contender, replace(work, step=False), results)
        reset_peak()
    else:
        check(contender, work, results)
    task = contender.open(work)
    say(answers, ready=True)
    for line in sys.stdin:
        if line.startswith(PROFILE):
            found = profile(work, float(line.removeprefix(PROFILE)))
            say(answers, layers=[asdict(layer) for layer in found])
            continue
        start = time.process_time()
        times, processor = block(task, float(line))
        rest()
        now = peak()
        memory = None if now is None or before is None else now - before
        cpu = time.process_time() - start
        say(answers, times=times, processor=processor, cpu=cpu, mebibytes=memory)


def check(contender: Contender, work: Work, results: str) -> None:
    """Store what the first calls come to, for a comparison with other contenders."""
    task = contender.open(work)
    found = [compared(work, task.compute()) for _ in range(CHECKED if work.step else 1)]
    named: Any = {f"{i} {n}": a for i, each in enumerate(found) for n, a in each.items()}
    np.savez(results, **named)


def block(task: Task, seconds: float) -> tuple[list[float], list[float]]:
    """Call for `seconds`, after one call that is not counted.

    Returns:
        Of each call the seconds that passed, and those of all processors together.
    """
    task.restart()
    task.compute()
    times: list[float] = []
    processor: list[float] = []
    start = time.perf_counter()
    while len(times) < LEAST or time.perf_counter() - start < seconds:
        busy, begin = time.process_time(), time.perf_counter()
        task.compute()
        times.append(time.perf_counter() - begin)
        processor.append(time.process_time() - busy)
    return times, processor


def rest() -> None:
    """Wait until the threads of a library have stopped waiting for work actively."""
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        before = time.process_time()
        time.sleep(QUIET_SECONDS)
        if time.process_time() - before < QUIET * QUIET_SECONDS:
            return


def say(answers: TextIO, **facts: Any) -> None:
    """Send one answer."""
    print(json.dumps(facts), file=answers, flush=True)


if __name__ == "__main__":
    main()
