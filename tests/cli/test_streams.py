"""Standard streams that are closed, full, left by their reader, or of a narrow encoding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import netc

SOURCES = Path(__file__).parents[2] / "src"
CHAIN = "INPUT(2) -> FC(3)"


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The end of a bash command in which `netc` is the command line of this checkout."""
    netc = f'netc() {{ "{sys.executable}" -m netc "$@"; }}; {command}'
    variables = os.environ | {"PYTHONPATH": str(SOURCES)} | environment
    return subprocess.run(
        ["bash", "-c", netc], capture_output=True, text=True, env=variables, timeout=120
    )


@pytest.mark.parametrize("arguments", ["--help", "explain E203", f"summary '{CHAIN}'"])
def test_a_reader_that_leaves_is_no_error(arguments: str) -> None:
    """A pipe whose reader has gone ends a command with 0 and without a word."""
    done = shell(f"( sleep 0.5; netc {arguments}; echo $? >&2 ) | true")
    assert done.stderr == "0\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("arguments", ["--help", "explain E203", f"check '{CHAIN}'"])
def test_a_full_device_is_an_error(arguments: str) -> None:
    """What cannot be written is reported, not raised."""
    done = shell(f"netc {arguments} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith("error[E004]: cannot write to standard output: ")
    assert "Traceback" not in done.stderr


WARNED = "check 'INPUT(33x33x3) -> POOL -> FC(10)'"
WRONG = "check 'INPUT -> FD'"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("error", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize(
    ("arguments", "status"), [(WARNED, 0), (WRONG, 1), ("check --nope", 2), ("sumary", 2)]
)
def test_standard_error_never_fails(error: str, arguments: str, status: int) -> None:
    """A command does its work and ends as usual where nothing can be said of it."""
    done = shell(f"netc {arguments} {error}")
    assert done.returncode == status
    assert done.stdout.startswith("ok: ") == (status == 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize("streams", ["2>/dev/full", ">/dev/full 2>&1", "2>&1 | true", ">&- 2>&-"])
def test_training_saves_before_it_prints(streams: str, tmp_path: Path) -> None:
    """Whatever becomes of what is printed, the run is whole, and the next one finds it finished."""
    program = "INPUT(2) -> FC(2)\ntrain { data = xor(20), epochs = 2 }\n"
    (tmp_path / "a.net").write_text(program)
    shell(f"cd {tmp_path}; netc train a.net {streams}")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"checkpoint.safetensors", "run.json", "weights.safetensors"} <= names
    assert not any(name.startswith(".netc-") for name in names)
    assert netc("train", "a.net", cwd=tmp_path).out.endswith("written to run2\n")


@pytest.mark.parametrize("streams", ["| true", ">&-", "2>&1 | true"])
def test_building_writes_before_it_prints(streams: str, tmp_path: Path) -> None:
    """A reader that leaves early still finds the files."""
    (tmp_path / "a.net").write_text(CHAIN)
    shell(f"cd {tmp_path}; netc build a.net {streams}")
    names = {path.name for path in (tmp_path / "build").iterdir()}
    assert "a.onnx" in names
    assert names & {"a.svg", "a.dot"}


def test_closed_streams_raise_nothing() -> None:
    """A closed standard input is an error; closed outputs swallow what is printed."""
    done = shell("netc check - <&-")
    assert (done.returncode, done.stderr) == (1, "error[E001]: standard input is closed\n\n")
    assert shell(f"netc check '{CHAIN}' >&-").returncode == 0
    assert shell("netc check 'INPUT -> FD' 2>&-").returncode == 1


def test_a_narrow_encoding_escapes_what_it_lacks() -> None:
    """A name beyond Latin-1 prints as its escape."""
    done = shell("""netc check $'net "\\u4e2d"\nINPUT(2) -> FC(3)'""", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert "\\u4e2d" in done.stdout


def test_a_misspelled_command_is_answered_with_its_name() -> None:
    """The nearest command is named."""
    done = shell("netc sumary x")
    assert done.returncode == 2
    assert "no command `sumary`; did you mean `summary`?" in done.stderr


def test_colour_follows_the_environment() -> None:
    """FORCE_COLOR colours a pipe; NO_COLOR wins over it."""
    plain, forced = {"NO_COLOR": "", "FORCE_COLOR": ""}, {"NO_COLOR": "", "FORCE_COLOR": "1"}
    command = "netc check 'INPUT -> FD'"
    assert "\x1b[" not in shell(command, **plain).stderr
    assert "\x1b[" in shell(command, **forced).stderr
    assert "\x1b[" not in shell(command, **forced | {"NO_COLOR": "1"}).stderr
