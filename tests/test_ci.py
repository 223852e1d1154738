"""The scripts that CI reads the README and the dependencies with."""

import runpy
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
