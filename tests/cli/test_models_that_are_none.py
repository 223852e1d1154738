"""What is called `.onnx` and is none, or is not to be read: an error for every command."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto
from support.command_line import Call
from support.refusals import codes_of

import netc
from netc.cli import COMMANDS

# The commands that take a model; {} is where.
LINES = {
    "check": "check {}",
    "summary": "summary {}",
    "draw": "draw {} -o a.svg",
    "export": "export {} -o out.onnx",
    "import": "import {} -o out.net",
    "build": "build {} -d out",
    "plan": "plan {}",
    "run": "run {} --input [[1,2]]",
    "run on NumPy": "run {} --input [[1,2]] --engine numpy",
    "train": "train {}",
    "evaluate": "evaluate {}",
    "predict": "predict {} --input [[1,2]] --weights w.npz",
    "sanity": "sanity {}",
    "gradcheck": "gradcheck {}",
    "bench": "bench {}",
    "features": "features {} --label a -o a.npz",
    "show": "show filters {} -o a.svg",
    "report": "report {} -o a.html",
    "diff": "diff {} {}",
    "fmt": "fmt {}",
}


def _zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"w": [1.0]}))


def _cut(path: Path) -> None:
    netc.compile("INPUT(2) -> FC(2)").export(path)
    path.write_bytes(path.read_bytes()[:-9])


def _forbidden(path: Path) -> None:
    path.write_bytes(b"")
    path.chmod(0)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**31)


def _hollow(path: Path) -> None:
    path.write_bytes(ModelProto(ir_version=8).SerializeToString())


# What a file is, and what is said of it.
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "E001"),
    "empty": (lambda path: path.write_bytes(b""), "E505"),
    "folder": (lambda path: path.mkdir(), "E001"),
    "pipe": (lambda path: os.mkfifo(path), "E001"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "E001"),
    "loop": (lambda path: path.symlink_to(path), "E001"),
    "forbidden": (_forbidden, "E001"),
    "two gigabytes": (_sparse, "E404"),
    "text": (lambda path: path.write_text("INPUT(2) -> FC(2)"), "E505"),
    "noise": (lambda path: path.write_bytes(np.random.default_rng(0).bytes(9999)), "E505"),
    "pickle": (lambda path: path.write_bytes(pickle.dumps({"w": [1.0]})), "E505"),
    "archive": (_zipped, "E505"),
    "cut off": (_cut, "E505"),
    "hollow": (_hollow, "E505"),
}


@pytest.mark.skipif(os.name != "posix", reason="pipes, devices and rights of POSIX")
@pytest.mark.parametrize("kind", FILES)
def test_files(kind: str, tmp_path: Path) -> None:
    """What is no model is refused at once: a pipe that nobody fills is not waited for."""
    make, code = FILES[kind]
    make(tmp_path / "m.onnx")
    if kind == "forbidden" and os.access(tmp_path / "m.onnx", os.R_OK):
        pytest.skip("root reads every file")
    assert codes_of(netc.load, tmp_path / "m.onnx") == [code]


@pytest.mark.parametrize("line", LINES)
def test_commands(line: str, called: Call, tmp_path: Path) -> None:
    """Each command says what is wrong with the file, and nothing else."""
    for name, content in (("empty", b""), ("noise", b"\xff" * 99), ("truncated", b"\x08\x08:\x7f")):
        (tmp_path / f"{name}.onnx").write_bytes(content)
        found = called(*LINES[line].format(*[f"{name}.onnx"] * 2).split())
        assert found.status == (2 if line == "diff" else 1)  # which says 1 of a difference
        assert "error[E50" in found.err
        assert "Traceback" not in found.err


def test_all_commands_are_tried() -> None:
    """A command without a line here takes no model."""
    tried = {line.split()[0] for line in LINES.values()}
    assert set(COMMANDS) - tried == {"explain", "lsp", "new", "zoo"}
