"""Where `netc draw` puts a picture that was given no name."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from netc.cli import cli


@pytest.mark.parametrize(
    ("file", "picture"),
    [
        ("zoo:logic/xnor", "xnor.dot"),
        ("zoo:xnor", "xnor.dot"),
        ("INPUT(2) -> FC(3)", "network.dot"),
    ],
)
def test_a_picture_is_named_like_its_program(
    file: str, picture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `-o`, the picture lies in the working folder, and the command says where."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["draw", file, "--format", "dot"])
    assert done.output == f"wrote {picture}\n"
    assert [path.name for path in tmp_path.iterdir()] == [picture]


def test_a_picture_on_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-o -` writes the picture's bytes and nothing else; it is SVG unless `--format` says so."""
    monkeypatch.chdir(tmp_path)
    for options, start in (
        ([], b"<?xml"),
        (["--format", "png"], b"\x89PNG"),
        (["--style", "backward", "--loss", "mse", "--format", "dot"], b"digraph"),
    ):
        done = CliRunner().invoke(cli, ["draw", "INPUT(2) -> FC(3)", "-o", "-", *options])
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout_bytes.startswith(start)
    assert list(tmp_path.iterdir()) == []
    wrong = CliRunner().invoke(cli, ["draw", "INPUT(2) -> FC(3)", "-o", "-", "--format", "gif"])
    assert "there is no picture format `gif`" in str(wrong.exception)
