"""The scripts that CI reads the README and the dependencies with, and installs packages with."""

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[1] / ".ci"
commands = runpy.run_path(str(CI / "readme_commands.py"))["commands"]
floors = runpy.run_path(str(CI / "floors.py"))["floors"]

INSTALL = "```sh install\npip install . && netc build x.net\n```\n"
TEST = "```sh test\npytest\n```\n"


def test_readme_holds_both_commands() -> None:
    """The README of this repository is one that CI can follow."""
    found = commands((CI.parent / "README.md").read_text(encoding="utf-8"))
    assert "netc build" in found["install"]
    assert "pytest" in found["test"]


@pytest.mark.parametrize(
    ("readme", "message"),
    [
        (INSTALL, "no block `sh test`"),
        (TEST, "no block `sh install`"),
        ("```sh\npytest\n```\n", "no block `sh install`"),
        (INSTALL + TEST + TEST, "two blocks `sh test`"),
        (INSTALL + "```sh test\npytest\nruff check\n```\n", "not one command"),
        (INSTALL + "```sh test\n$ pytest\n```\n", "not one command"),
        (INSTALL + "```sh test\n```\n", "not one command"),
        (INSTALL + TEST + "```sh lint\nruff\n```\n", "`sh lint` is none of install, test"),
    ],
)
def test_other_readmes_are_refused(readme: str, message: str) -> None:
    """A README without exactly one command of each kind is an error that says what is wrong."""
    with pytest.raises(ValueError, match=message):
        commands(readme)


def test_floors_are_the_lower_bounds() -> None:
    """Lower bounds become pins; what has none, or is held otherwise, is left out."""
    requirements = ["a>=1.2", "b-c >= 3, <4", "d[x]>=2", "netc[cpu]", "e~=1.0", "f==1"]
    assert floors(requirements) == ["a==1.2", "b-c==3", "d[x]==2"]


@pytest.mark.parametrize(
    ("user", "apt", "said"),
    [
        (1000, "exit 0", "newtool is missing, and only root can install new-tool"),
        (0, None, "newtool is missing, and there is no apt-get to install new-tool"),
        (0, "echo 'no network' >&2; exit 100", "apt-get cannot install new-tool: no network"),
        (0, "exit 0", "newtool is installed"),
    ],
)
def test_packages_are_installed_where_they_can(
    tmp_path: Path, user: int, apt: str | None, said: str
) -> None:
    """Whatever is missing to install a package is said, and is never a failure."""
    commands = {"id": f"echo {user}", "apt-get": apt}
    for name in ("mktemp", "tail", "rm", "timeout"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    for name, script in commands.items():
        if script is not None:
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", CI / "debian", "newtool", "new-tool"],
        env={"PATH": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said in done.stdout
    assert done.stderr == ""


def test_packages_that_are_there_are_left_alone() -> None:
    """Nothing is installed for a command that is there."""
    done = subprocess.run([CI / "debian", "sh", "dash"], capture_output=True, text=True, check=True)
    assert done.stdout == "sh is there\n"
