"""A command in, what one process took of time and memory out; and a table of rows."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Usage:
    """What one process took: seconds from start to exit and on processors, peak MiB, its output."""

    seconds: float
    processor: float
    mebibytes: float
    output: str


def run(command: Sequence[str]) -> Usage:
    """Run a command in a separate process; a failing one ends the benchmark."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)  # the usage of this child alone
    seconds = time.perf_counter() - start
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"failed with {process.returncode}: {' '.join(command)[:200]}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, output)


def medians(command: Sequence[str], *, repeat: int) -> tuple[float, float]:
    """The medians of seconds and of MiB over `repeat` runs, after one that fills the caches."""
    run(command)
    usages = [run(command) for _ in range(repeat)]
    return median(u.seconds for u in usages), median(u.mebibytes for u in usages)


def netc(*arguments: str) -> list[str]:
    """The command line that runs netc in this interpreter."""
    return [sys.executable, "-m", "netc", *arguments]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
