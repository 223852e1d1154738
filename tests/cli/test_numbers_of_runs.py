"""What `netc run` prints, and what the other commands say of an ONNX model."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from netc.cli import cli, run

XNOR = "zoo:logic/xnor"


def test_few_numbers_are_printed() -> None:
    """The truth table of XNOR is read from the terminal."""
    table = "[[0,0],[0,1],[1,0],[1,1]]"
    done = CliRunner().invoke(cli, ["run", XNOR, "--input", table])
    assert done.output.endswith(": float32[4, 1]\n[[1.]\n [0.]\n [0.]\n [1.]]\n")


def test_many_numbers_are_summed_up() -> None:
    """Above a hundred numbers, their range, mean and deviation stand in."""
    rows = str([[0, 0]] * 101)
    done = CliRunner().invoke(cli, ["run", XNOR, "--input", rows])
    assert "\n  from 1 to 1, mean 1, standard deviation 0\n" in done.output


@pytest.mark.parametrize("command", ["check", "summary", "draw", "diff"])
def test_onnx_models_cannot_be_read_yet(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands that take programs say so, rather than complain of UTF-8."""
    model = tmp_path / "m.onnx"
    model.write_bytes(b"\x08\x09\xff")
    more = {"draw": ["-o", str(tmp_path / "m.svg")], "diff": [str(model)]}.get(command, [])
    assert run([command, str(model), *more]) != 0
    assert "error[E505]: netc cannot read ONNX models such as" in capsys.readouterr().err
