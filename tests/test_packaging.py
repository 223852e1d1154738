"""The package list is written by hand: keep it equal to what is on disk."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import netc

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("compiler", "grammar", "runtime", "specs")


def _config() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def test_every_package_is_listed() -> None:
    """Each folder with an `__init__.py` is named in pyproject.toml, and nothing else is."""
    found = {"netc"}
    for name, folder in [("netc", ROOT / "src" / "netc"), *((p, ROOT / p) for p in PARTS)]:
        prefix = () if name == "netc" else ("netc",)
        for init in folder.rglob("__init__.py"):
            if name == "netc" and init.relative_to(folder).parts[0] in PARTS:
                continue  # reached through a link
            found.add(".".join((*prefix, name, *init.parent.relative_to(folder).parts)))
    assert sorted(_config()["tool"]["setuptools"]["packages"]) == sorted(found)


def test_version_is_the_same_in_both_places() -> None:
    """The package knows its version without reading metadata, which a bare checkout has not."""
    assert netc.__version__ == _config()["project"]["version"]


def test_every_module_is_in_a_package() -> None:
    """No module is in a folder without an `__init__.py`, which would not be installed."""
    orphans = [
        str(module.relative_to(ROOT))
        for part in PARTS
        for module in (ROOT / part).rglob("*.py")
        if not (module.parent / "__init__.py").exists()
    ]
    assert orphans == []


def test_data_files_are_installed() -> None:
    """Each file in a part that is no Python matches a pattern of `package-data`."""
    patterns = _config()["tool"]["setuptools"]["package-data"]
    for part in PARTS:
        folder = ROOT / part
        covered = {f for p in patterns.get(f"netc.{part}", ()) for f in folder.glob(p)}
        data = {
            f
            for f in folder.rglob("*")
            if f.is_file() and f.suffix != ".py" and "__pycache__" not in f.parts
        }
        assert data <= covered, f"not in the wheel: {sorted(data - covered)}"


@pytest.mark.parametrize("part", PARTS)
def test_link_points_at_the_top_level_folder(part: str) -> None:
    """The links in src/netc serve type checkers and a bare `pytest`."""
    link = ROOT / "src" / "netc" / part
    if not link.is_symlink():
        pytest.skip("checked out without symbolic links, or run from an sdist")
    assert link.resolve() == ROOT / part


def test_shipped_specs_are_resources() -> None:
    """The model zoo is found by `importlib.resources` wherever netc is installed."""
    names = {entry.name for entry in files("netc.specs").iterdir()}
    assert "lenet5.net" in names


@pytest.mark.parametrize("name", netc.__all__)
def test_public_names_load(name: str) -> None:
    """Each name that `netc` offers is found where its table says."""
    assert getattr(netc, name) is not None
