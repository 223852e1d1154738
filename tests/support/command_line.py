"""Runs the command line in a process of its own, as a user does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import netc as package

# The package under test, also where it is run from a checkout and not installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}


class Outcome(NamedTuple):
    """What a command left: its exit status, and what it printed."""

    status: int
    out: str
    err: str


def netc(
    *arguments: str, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> Outcome:
    """Run `netc ARGUMENTS` in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "netc", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=ENVIRONMENT if env is None else env,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
