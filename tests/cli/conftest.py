"""The command line in this process, for tests that call it many times."""

from pathlib import Path

import pytest
from support.command_line import Call, Outcome
from support.training_files import PROGRAM, SMALL, write_data

from netc.cli import run


@pytest.fixture
def called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs `netc ARGUMENTS` in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Outcome:
        status = run(arguments)
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return call


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a program on digits, and one on `data.npz`."""
    (tmp_path / "digits.net").write_text(PROGRAM)
    (tmp_path / "small.net").write_text(SMALL)
    write_data(tmp_path)
    return tmp_path
