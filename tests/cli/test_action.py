"""What the GitHub Action runs, in a repository with a base and a change."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
BEFORE = 'import "blocks.net"\nINPUT(8x8x3) -> Two(4) -> FC(2)\n'
BLOCKS = "block Two(c) {\n  [CONV(3x3, c) -> RELU]*2\n}\n"


def _git(*arguments: str, cwd: Path) -> None:
    names = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *names, *arguments], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose base holds a network and the blocks that it imports."""
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "netc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m netc "$@"\n')
    (bin / "netc").chmod(0o755)
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "a.net").write_text(BEFORE)
    (folder / "blocks.net").write_text(BLOCKS)
    _git("init", "-q", cwd=folder)
    _git("add", ".", cwd=folder)
    _git("commit", "-qm", "base", cwd=folder)
    return folder


def _check(repository: Path, **settings: str) -> tuple[int, str, str]:
    """The exit status, the annotations, and the summary of the job."""
    summary = repository.parent / "summary.md"
    environment = {
        **ENVIRONMENT,
        "PATH": f"{repository.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(summary),
        **settings,
    }
    run = subprocess.run(
        [ROOT / "action" / "check"], cwd=repository, env=environment, capture_output=True, text=True
    )
    return run.returncode, run.stdout, summary.read_text() if summary.exists() else ""


@pytest.mark.slow
def test_what_changed_is_in_the_summary(repository: Path) -> None:
    """Changed networks are compared with the base, in its own imports; new ones are listed."""
    (repository / "a.net").write_text(BEFORE.replace("FC(2)", "FC(3)"))
    (repository / "blocks.net").write_text(BLOCKS.replace("RELU", "TANH"))
    (repository / "b.net").write_text("INPUT(4) -> FC(2)\n")
    _git("add", ".", cwd=repository)
    status, out, summary = _check(repository, NETC_BASE="HEAD")
    assert (status, out) == (0, "")
    assert "### `a.net`\n\n- **removed** `two1.relu1`: RELU after `two1.conv1`\n" in summary
    assert "| layers |" in summary
    assert "### `b.net`\n\n| layer" in summary
    assert "### `blocks.net`\n\nOne of the two versions has errors, or is a library.\n" in summary


@pytest.mark.slow
def test_findings_stand_beside_their_lines(repository: Path) -> None:
    """Errors are annotations and fail the job; form and warnings count if they are to."""
    (repository / "a.net").write_text("INPUT(8)->FCC(2)\n")
    status, out, _ = _check(repository)
    assert status == 1
    assert out.startswith("::error file=a.net,line=1,col=11")
    (repository / "a.net").write_text("INPUT(8)->FC(2)\n")
    assert _check(repository)[0] == 1
    assert _check(repository, NETC_FORMAT="false")[0] == 0
    (repository / "a.net").write_text("let a = 3\nINPUT(8) -> FC(2)\n")
    assert _check(repository)[0] == 1
    assert _check(repository, NETC_STRICT="false")[0] == 0
