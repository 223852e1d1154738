"""The package list is written by hand: keep it equal to what is on disk."""

import re
import runpy
import tarfile
import tomllib
import zipfile
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


def _found(path: str, pattern: str) -> str:
    match = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None, f"no version in {path}"
    return match[1]


def test_the_version_is_the_same_everywhere() -> None:
    """The package knows its version without reading metadata, which a bare checkout has not.

    The last release of the changelog is of this version, or the one that is being prepared.
    """
    versions = {
        "pyproject.toml": _config()["project"]["version"],
        "CITATION.cff": _found("CITATION.cff", r"^version: (\S+)$"),
        "CHANGELOG.md": _found("CHANGELOG.md", r"^## \[(\d\S*)\] - \d{4}-\d\d-\d\d$"),
        "editors/vscode/package.json": _found(
            "editors/vscode/package.json", r'^  "version": "([^"]+)"'
        ),
    }
    assert versions == dict.fromkeys(versions, netc.__version__)
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        named = re.findall(r"netc(?:==|[ -]v?)(\d+\.\d+\.\d+)", page.read_text(encoding="utf-8"))
        assert set(named) <= {netc.__version__}, page


@pytest.mark.slow
def test_a_wheel_is_built_anywhere(tmp_path: Path) -> None:
    """A wheel is the same to the byte with and without links, and from the sdist.

    Git writes links as small files where there are no symbolic links. A wheel holds the package
    alone, with every spec.
    """
    setuptools = pytest.importorskip("setuptools")
    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip("setuptools is too old")
    package = runpy.run_path(str(ROOT / ".ci" / "package.py"))
    sdist, wheel, others = package["wheels"](ROOT, tmp_path)
    assert [other.read_bytes() == wheel.read_bytes() for other in others] == [True, True]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    info = f"netc-{netc.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"netc", info}
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]
    specs = {f"netc/specs/{path.relative_to(ROOT / 'specs').as_posix()}" for path in _specs()}
    assert specs <= set(names)
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"CHANGELOG.md", "LICENSE", "README.md", "compiler/__init__.py"} <= inside
    assert not [name for name in inside if name.startswith(("tests/", "docs/", "benchmarks/"))]


def _specs() -> list[Path]:
    return list((ROOT / "specs").rglob("*.net"))


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
