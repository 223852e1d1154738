"""Every program in the README and the manual does what the text around it says.

By the language of the fenced block:

- `net` compiles; with the word `error` behind it, it is refused with a `NetError`.
- `python` runs, in a folder of its own that holds `specs/`.
- `sh`: each line that starts with `netc` runs and succeeds.
- `console`: each `$ netc ...` runs and prints what stands below it; `...` stands for anything.
- `toml`, `csv`, `net`: a word behind it such as `a.csv` is the name of a file, which all commands
  find.

With the word `error` behind `sh` or `console`, each command fails with exit status 1. With `about`
behind `console`, numbers may differ, as they do from machine to machine.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.command_line import netc as netc_here

import netc
from netc import show
from netc.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)(?P=fence) *$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its place, its language, the words behind it, and its text."""

    place: str
    language: str
    words: tuple[str, ...]
    text: str


def _blocks(*languages: str) -> list[Block]:
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            language, *words = match["info"].split() or [""]
            line = text.count("\n", 0, match.start()) + 1
            place = f"{page.relative_to(ROOT).as_posix()}:{line}"
            body = "\n".join(
                row.removeprefix(match["indent"]) for row in match["body"].splitlines()
            )
            if language in languages:
                found.append(Block(place, language, tuple(words), body + "\n"))
    return found


def _place(block: Block) -> str:
    return block.place


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped specs, the manual's files, and a `netc` that runs this checkout."""
    (tmp_path / "specs").symlink_to(ROOT / "specs", target_is_directory=True)
    for block in _blocks("toml", "csv", "net"):
        for name in block.words:
            if "." in name:
                (tmp_path / name).write_text(block.text, encoding="utf-8")
    command = tmp_path / ".bin" / "netc"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m netc "$@"\n')
    command.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(command.parent), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"), prepend=os.pathsep)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # tests run beside each other
    return tmp_path


@pytest.mark.parametrize("block", _blocks("net"), ids=_place)
def test_net(block: Block, folder: Path) -> None:
    """A program of the manual compiles, or is refused where the manual says so."""
    if "error" in block.words:
        with pytest.raises(netc.NetError):
            netc.compile(block.text)
    else:
        netc.compile(block.text)


@pytest.mark.slow
@pytest.mark.parametrize("block", _blocks("python"), ids=_place)
def test_python(block: Block, folder: Path) -> None:
    """A Python example runs."""
    exec(compile(block.text, block.place, "exec"), {"__name__": "__main__"})


def test_python_is_public() -> None:
    """Examples need nothing of the compiler or the runtime: what users call is in `netc` itself."""
    inner = re.compile(r"netc\.(?:grammar|compiler|runtime)|from netc\.\w+ import _")
    assert [block.place for block in _blocks("python") if inner.search(block.text)] == []


NAMED = re.compile(r"`netc (?!has no rule)([a-z]+)(?: ([a-z]+))?[ `]")


def test_commands_in_sentences_exist() -> None:
    """What a page calls a command in passing is one."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        for name, inner in NAMED.findall(page.read_text(encoding="utf-8")):
            assert name in COMMANDS, f"{page.name}: netc {name}"
            if name == "show" and inner:
                assert inner in show.__all__, f"{page.name}: netc show {inner}"


def _commands(block: Block) -> list[tuple[str, str | None]]:
    """The commands of a block, each with the output that the manual shows, or None."""
    rows = block.text.splitlines(keepends=True)
    if block.language == "sh":
        return [(row.strip(), None) for row in rows if row.startswith("netc ")]
    commands: list[tuple[str, str | None]] = []
    for row in rows:
        if row.startswith("$ "):
            commands.append((row[2:].strip(), None))
        elif commands:
            command, shown = commands[-1]
            commands[-1] = (command, (shown or "") + row)
    return [pair for pair in commands if pair[0].startswith("netc ")]


@pytest.mark.slow
@pytest.mark.parametrize("block", _blocks("sh", "console"), ids=_place)
def test_commands(block: Block, folder: Path) -> None:
    """A command of the manual succeeds, or fails where it should, and prints what is shown."""
    if not (commands := _commands(block)):
        pytest.skip("no netc command")
    for command, shown in commands:
        status, out = _run(command, folder)
        assert status == int("error" in block.words), out
        if shown is not None:
            want, got = _trimmed(shown), _trimmed(out)
            if "about" in block.words:
                want, got = _without_numbers(want), _without_numbers(got)
            same = doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)
            assert same, f"$ {command}\n{got}"


SHELL = set("|&;<>()$`\\*?#~")  # of a command, outside quotes: only a shell knows what it means


def _run(command: str, folder: Path) -> tuple[int, str]:
    """The status and the output of a command, in this process where it needs no shell."""
    if not SHELL & set(re.sub(r"\"[^\"$`\\]*\"|'[^']*'", "", command)):
        found = netc_here(*shlex.split(command)[1:], cwd=folder, is_merged=True)
        return found.status, found.out
    run = subprocess.run(
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return run.returncode, run.stdout


def _trimmed(text: str) -> str:
    return "\n".join(row.rstrip() for row in text.strip("\n").splitlines()) + "\n"


def _without_numbers(text: str) -> str:
    """All numbers as `#`, whatever their width."""
    return re.sub(r" +", " ", re.sub(r"\d[\d.,:]*(e[+-]\d+)?", "#", text))


QUOTED = re.findall(
    r"^```python\n# (?P<file>\S+\.py)\n(?P<code>.*?)^```",
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    re.M | re.S,
)


@pytest.mark.parametrize(("file", "code"), QUOTED, ids=[file for file, _ in QUOTED])
def test_contributing_quotes_the_repository(file: str, code: str) -> None:
    """The worked example is the code as it stands."""
    assert code in (ROOT / file).read_text(encoding="utf-8")


def test_contributing_has_a_worked_example() -> None:
    """A layer, an operator, a loss, an optimizer, a data source and a style are shown."""
    assert len(QUOTED) == 16
