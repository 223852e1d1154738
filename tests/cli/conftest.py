"""The command line in this process, for tests that call it many times."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import Outcome

from netc.cli import run

Call = Callable[..., Outcome]


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
