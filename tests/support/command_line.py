"""Runs the command line: in this process, or in one of its own, as a user does."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, chdir
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple, Self
from unittest.mock import patch

import netc as package
from netc.cli import run

# The package under test, also where it is run from a checkout and not installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}

# Runs netc with a limit on the size of files, as a full disk has: a write beyond it fails. Python
# would leave half of a module's bytecode, which the next process that needs it cannot read.
FULL_DISK = """
import resource, signal, sys
sys.dont_write_bytecode = True
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
from netc.cli import main
main(sys.argv[1:])
"""


class Outcome(NamedTuple):
    """What a command left: its exit status, and what it printed."""

    status: int
    out: str
    err: str

    def ok(self) -> Self:
        """What it left, where it did what it was to do."""
        assert self.status == 0, self.err
        return self

    def quiet(self) -> Self:
        """The same, with nothing to say on standard error."""
        assert (self.status, self.err) == (0, "")
        return self

    def failed(self) -> Self:
        """What it left, where it refused."""
        assert self.status == 1, self.err
        return self


Call = Callable[..., Outcome]  # a command, by its arguments


def netc(*arguments: str, cwd: Path, stdin: bytes = b"", is_merged: bool = False) -> Outcome:
    """Run `netc ARGUMENTS` in a folder, in this process: to start one takes longer than most work.

    Streams are files of bytes, as a shell gives them; merged, what is an error is output, too.
    """
    files = {"stdin": BytesIO(stdin), "stdout": BytesIO(), "stderr": BytesIO()}
    with ExitStack() as stack:
        stack.enter_context(chdir(cwd))
        for name, file in files.items():
            stream = TextIOWrapper(file, encoding="utf-8", write_through=True)
            stack.enter_context(patch.object(sys, name, stream))
        if is_merged:
            stack.enter_context(patch.object(sys, "stderr", sys.stdout))
        status = run(arguments)
        out, err = (files[name].getvalue().decode() for name in ("stdout", "stderr"))
    return Outcome(status, out, err)


def netc_process(
    *arguments: str, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] = ENVIRONMENT
) -> Outcome:
    """Run `netc ARGUMENTS` in a folder, in a separate process."""
    done = subprocess.run(
        [sys.executable, "-m", "netc", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=env,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
