"""What has no end, or takes more memory than there is, is refused by every command that reads."""

import os
from pathlib import Path

import pytest
from support.command_line import Call

PROGRAM = "INPUT(2) -> FC(2)\ntrain { data = xor(8) }\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize(
    "command",
    [
        ["check", "pipe"],
        ["fmt", "pipe"],
        ["summary", "/dev/zero"],
        ["run", "a.net", "--input", "pipe.npy"],
        ["run", "a.net", "--input", "/dev/zero"],
        ["run", "a.net", "--weights", "pipe.npz"],
        ["run", "pipe.onnx", "--input", "[[1, 2]]"],
        ["export", "a.net", "--weights", "pipe.safetensors", "-o", "a.onnx"],
        ["train", "a.net", "--set", 'data=csv("pipe")'],
        ["train", "a.net", "--set", 'data=npz("pipe.npz")'],
        ["train", "a.net", "--set", 'data=idx("pipe", labels="pipe")'],
        ["predict", "a.net", "--weights", "pipe.npz", "--input", "[[1, 2]]"],
        ["train", "a.net", "-o", "run", "--resume"],
    ],
)
def test_pipes_and_devices(called: Call, tmp_path: Path, command: list[str]) -> None:
    """No command waits for a pipe that nobody writes to, or reads a device without end."""
    (tmp_path / "a.net").write_text(PROGRAM)
    (tmp_path / "run").mkdir()
    for name in ("pipe", "pipe.npy", "pipe.npz", "pipe.onnx", "pipe.safetensors", "run/run.json"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "run" / "weights.safetensors").write_bytes(b"")
    found = called(*command).failed()
    assert found.err.startswith("error[E001]: cannot read")
    assert "it is a pipe or a device" in found.err


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("xor(1000000000000)", "E507"),
        ("spirals(1000000000000)", "E507"),
        ("spirals(3, classes=1000000000)", "E532"),
        ("shapes(1000000000000)", "E507"),
        ("shapes(3, objects=1000000000)", "E532"),
    ],
)
def test_data_of_any_size(called: Call, tmp_path: Path, data: str, code: str) -> None:
    """Numbers that no machine has memory for are refused before anything is made."""
    (tmp_path / "a.net").write_text(PROGRAM)
    found = called("train", "a.net", "--set", f"data={data}").failed()
    assert found.err.startswith(f"error[{code}]")


def test_memory_that_runs_out(
    called: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system refuses memory unexpectedly, that is what is said."""

    def refuse(text: str) -> None:
        raise MemoryError

    (tmp_path / "a.net").write_text(PROGRAM)
    monkeypatch.setattr("netc.loading.read_program", refuse)
    found = called("run", "a.net").failed()
    assert found.err.startswith("error[E507]: there is not enough memory\n")
