"""The pictures that the documentation shows are those that its commands draw."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from netc.cli import cli

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMANDS = re.findall(r"^netc (draw .*)$", (DOCS / "drawing.md").read_text("utf-8"), re.M)
README = "draw zoo:lenet5 --direction LR -o lenet5.svg"
SHOWN = [c for c in [*COMMANDS, README] if (DOCS / "images" / c.rpartition(" ")[2]).exists()]


def test_all_pictures_have_a_command() -> None:
    """No picture of a page is left from a command that is gone."""
    shown = re.findall(r"\(images/([\w.]+)\)", (DOCS / "drawing.md").read_text("utf-8"))
    assert set(shown) <= {command.rpartition(" ")[2] for command in SHOWN}
    assert len(shown) > 3


@pytest.mark.parametrize("command", SHOWN)
def test_a_picture_is_up_to_date(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is the same to the byte; where it is not, run the command in `docs/images`."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, shlex.split(command))
    assert done.exit_code == 0, done.output
    name = command.rpartition(" ")[2]
    assert (tmp_path / name).read_bytes() == (DOCS / "images" / name).read_bytes()
