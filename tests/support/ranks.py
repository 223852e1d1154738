"""Runs programs on several ranks with a real `mpiexec`, where there is one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar, cast

import pytest

from .command_line import ENVIRONMENT, Outcome

BESIDE = Path(sys.executable).with_name("mpiexec")  # which comes with the wheel
MPIEXEC = str(BESIDE) if BESIDE.exists() else shutil.which("mpiexec")
HAS_MPI = MPIEXEC is not None and find_spec("mpi4py") is not None
MISSING = "mpi4py or mpiexec is missing: pip install 'netc[mpi]'"
Test = TypeVar("Test")
LONGEST = 100  # seconds; ranks that wait for each other forever fail the test

# netc, with something that happens on one rank in one of its batches: WHAT RANK ARGUMENTS...
WITH_FAULT = """
import os, signal, sys
from netc.cli import main
from netc.grammar.diagnostics import error
from netc.runtime.feeding.samples import Samples
from netc.runtime.ranks.launch import launch

what, rank, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
feeds, made = Samples._feeds, []

def fault(self, *given):
    made.append(given)
    if len(made) == 12 and rank == str(launch().rank):
        if what == "death":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "interruption":
            os.kill(os.getpid(), signal.SIGINT)
        if what == "error":
            raise error("E523", "a label is out of range")
        if what == "bug":
            raise ValueError("nobody foresaw this")
        if what == "nan":
            found = feeds(self, *given)
            return {n: a * float("nan") if a.dtype.kind == "f" else a for n, a in found.items()}
    return feeds(self, *given)

Samples._feeds = fault
main(arguments)
"""


def needs_mpi(test: Test) -> Test:
    """Mark a test that runs on several ranks; it is skipped where that cannot be."""
    for mark in (pytest.mark.extra, pytest.mark.skipif(not HAS_MPI, reason=MISSING)):
        test = cast(Test, mark(test))
    return test


def on_ranks(count: int, *python: str, cwd: Path, env: Mapping[str, str] = ENVIRONMENT) -> Outcome:
    """Run `python PYTHON...` on some ranks, each with one thread."""
    assert MPIEXEC is not None
    command = [MPIEXEC, "-n", str(count), sys.executable, *python]
    single = {**env, "NETC_NUM_THREADS": "1"}
    found = subprocess.run(
        command, cwd=cwd, env=single, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    return Outcome(found.returncode, found.stdout, found.stderr)


def netc_on_ranks(count: int, *arguments: str, cwd: Path) -> Outcome:
    """Run `netc ARGUMENTS` on some ranks."""
    return on_ranks(count, "-m", "netc", *arguments, cwd=cwd)


def with_fault(count: int, what: str, *arguments: str, rank: int, cwd: Path) -> Outcome:
    """The same where something happens on one rank in its twelfth batch."""
    return on_ranks(count, "-c", WITH_FAULT, what, str(rank), *arguments, cwd=cwd)


def environment_without(module: str, folder: Path) -> dict[str, str]:
    """The environment of a Python that lacks a module."""
    (folder / f"{module}.py").write_text(f"raise ModuleNotFoundError({module!r})\n")
    path = os.pathsep.join([str(folder), ENVIRONMENT["PYTHONPATH"]])
    return {**ENVIRONMENT, "PYTHONPATH": path}
