"""`kill -9` at any moment of a run: what `--resume` makes of the rest has the same final bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from support.command_line import ENVIRONMENT, netc

from netc.runtime.run_folder.checkpoint import load_checkpoint
from netc.runtime.run_folder.folder import CHECKPOINT, WEIGHTS
from netc.runtime.run_folder.folder import PROGRAM as SOURCE

PROGRAM = """\
INPUT(8x8) -> CONV(3x3, 3) -> BN -> RELU -> POOL -> DROPOUT(0.3) -> FC(10)

train {
  data       = digits
  split      = (0.2, 0.4, 0.4)
  preprocess = standardize
  augment    = [rotate(10), translate(1), noise(0.05)]
  optimizer  = adam(lr=0.01)
  schedule   = cosine(warmup=2)
  batch      = 20
  epochs     = 3
}
"""
POLL = 0.002  # seconds
LONGEST = 60.0  # seconds until a process must have begun its run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="`kill -9` is POSIX's")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The folder of a run that nobody killed, and how many seconds its steps took."""
    folder = tmp_path_factory.mktemp("unbroken")
    (folder / "all.net").write_text(PROGRAM)
    netc("train", "all.net", "--save-every", "0", cwd=folder).ok()
    begun, ended = (os.stat(folder / "run" / name).st_mtime for name in (SOURCE, WEIGHTS))
    return folder / "run", ended - begun


def killed(folder: Path, delay: float) -> None:
    """Begin a run or go on with it, and kill it some seconds after it has begun."""
    (folder / "run" / SOURCE).unlink(missing_ok=True)
    words = ["train", "all.net", "--save-every", "0", "--resume"]
    process = subprocess.Popen(
        [sys.executable, "-m", "netc", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    limit = time.monotonic() + LONGEST
    while not (folder / "run" / SOURCE).exists() and process.poll() is None:
        assert time.monotonic() < limit
        time.sleep(POLL)
    time.sleep(delay)  # the moment is the test's subject
    process.send_signal(signal.SIGKILL)
    process.wait()


def check(trial: int, unbroken: tuple[Path, float], folder: Path) -> None:
    """Kill a run once or several times at random moments, and compare its end."""
    expected, seconds = unbroken
    random = Random(trial)
    (folder / "all.net").write_text(PROGRAM)
    for _ in range(random.choice([1, 1, 2])):
        killed(folder, random.uniform(0, seconds))
    netc("train", "all.net", "--resume", cwd=folder).ok()
    assert (folder / "run" / WEIGHTS).read_bytes() == (expected / WEIGHTS).read_bytes()
    ours, theirs = (load_checkpoint(str(run / CHECKPOINT)) for run in (folder / "run", expected))
    assert {n: a.tobytes() for n, a in ours.state.items()} == (
        {n: a.tobytes() for n, a in theirs.state.items()}
    )
    assert ours.progress["step"] == theirs.progress["step"]
    assert {path.name for path in (folder / "run").iterdir()} == (
        {path.name for path in expected.iterdir()}
    )


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(3))
def test_three_kills(trial: int, unbroken: tuple[Path, float], tmp_path: Path) -> None:
    """Killed at a random moment, a run goes on to the same bytes, and leaves no other files."""
    check(trial, unbroken, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("trial", range(100, 200))
def test_a_hundred_kills(trial: int, unbroken: tuple[Path, float], tmp_path: Path) -> None:
    """As above, a hundred times."""
    check(trial, unbroken, tmp_path)
