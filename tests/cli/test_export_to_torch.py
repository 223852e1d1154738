"""`netc export --to torch`."""

from pathlib import Path

import pytest
from support.command_line import Outcome
from support.command_line import netc as netc_here

import netc


def export(*arguments: str, cwd: Path) -> Outcome:
    """`netc export` in a folder."""
    return netc_here("export", *arguments, cwd=cwd)


def test_the_command(tmp_path: Path) -> None:
    """`--to torch` writes the file, `net.export_torch` the same one."""
    found = export("zoo:lenet5", "--to", "torch", "-o", "net.py", cwd=tmp_path)
    assert (found.status, found.out, found.err) == (0, "wrote net.py\n", "")
    netc.load("zoo:lenet5").export_torch(tmp_path / "again.py")
    assert (tmp_path / "net.py").read_text() == (tmp_path / "again.py").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "tf"), "'tf' is not one of 'onnx', 'torch'"),
        (("--to", "torch", "--opset", "20"), "drop --opset"),
        (("--to", "torch", "--seed", "1", "--verify"), "drop --seed, --verify"),
        (("--to", "torch", "--weights", "w.npz"), "without weights: drop --weights"),
        (("--to", "torch", "--run", "run"), "without weights: drop --run"),
    ],
)
def test_wrong_use(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    """Other targets, and options that a file of Python has no use for."""
    found = export("INPUT(3) -> FC(2)", "-o", "net.py", *options, cwd=tmp_path)
    assert found.status == 2
    assert message in found.err
    assert not (tmp_path / "net.py").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "net.py"), "a file of Python, not of a model"),
        (("-o", "net.py", "--training", "--set", "loss=mse"), "a file of Python, not of a model"),
        (("--to", "torch", "-o", "net.onnx"), "an ONNX model, not of Python"),
    ],
)
def test_names_of_other_formats(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """A model is not written to a file of Python, nor Python to a model."""
    found = export("INPUT(3) -> FC(2)", *arguments, cwd=tmp_path)
    assert found.status == 1
    assert "error[E505]" in found.err
    assert message in found.err
    assert list(tmp_path.iterdir()) == []
