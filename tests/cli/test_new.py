"""`netc new` writes programs that are right as they stand."""

from pathlib import Path

import pytest
from support.command_line import netc

from netc.cli.commands.new import TASKS


@pytest.mark.parametrize("task", TASKS)
def test_first_programs(task: str, tmp_path: Path) -> None:
    """Each passes every check, is in canonical form, and says how to train it."""
    assert netc("new", task, cwd=tmp_path).out == f"wrote {task}.net\n"
    netc("check", "--strict", f"{task}.net", cwd=tmp_path).ok()
    assert netc("fmt", "--check", f"{task}.net", cwd=tmp_path).status == 0
    failed = netc("train", f"{task}.net", cwd=tmp_path)  # for want of data alone
    assert failed.err.startswith("error[E001]")


def test_tasks_are_listed(tmp_path: Path) -> None:
    """Without a task, each has a line."""
    lines = netc("new", cwd=tmp_path).out.splitlines()
    assert [line.split()[0] for line in lines] == list(TASKS)
    assert lines[0] == "images        Classifies images"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there stays, unless it is to go."""
    (tmp_path / "a.net").write_text("mine")
    refused = netc("new", "images", "-o", "a.net", cwd=tmp_path)
    assert (refused.status, refused.err.split(":")[0]) == (1, "error[E004]")
    assert (tmp_path / "a.net").read_text() == "mine"
    assert netc("new", "images", "-o", "a.net", "--force", cwd=tmp_path).status == 0
    assert netc("new", "tables", cwd=tmp_path).status == 2
