"""The parser's tables are kept in a folder of the user's own, or not at all."""

import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netc.grammar.lexing.kept_tables import kept_tables

posix = pytest.mark.skipif(os.name != "posix", reason="users of POSIX")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def keep(*key: str) -> bool:
    """Whether tables were there; they are now."""
    made: list[str] = []

    def make() -> dict[str, str]:
        made.extend(key)
        return {"made": "of " + key[0]}

    assert kept_tables(*key, make=make) == {"made": "of " + key[0]}
    return not made


@posix
def test_tables_are_found_again(tmp_path: Path) -> None:
    """Tables are found by their key, and no temporary file stays."""
    assert [keep("a"), keep("a"), keep("b"), keep("a")] == [False, True, False, True]
    assert len(os.listdir(tmp_path / "netc")) == 2


@posix
def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """Where the tables cannot be made, none are kept."""

    def fail() -> dict[str, str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kept_tables("a", make=fail)
    assert os.listdir(tmp_path / "netc") == []


@posix
def test_a_folder_of_others_is_not_used(tmp_path: Path) -> None:
    """A folder that others may write to could hold anything, so it is left alone."""
    (tmp_path / "netc").mkdir()
    (tmp_path / "netc").chmod(0o777)
    assert [keep("a"), keep("a")] == [False, False]
    assert os.listdir(tmp_path / "netc") == []


def test_no_folder(tmp_path: Path) -> None:
    """Where the folder cannot be made, tables are not kept, and nothing fails."""
    (tmp_path / "netc").touch()
    assert [keep("a"), keep("a")] == [False, False]


@posix
def test_spoilt_tables_are_made_anew(tmp_path: Path) -> None:
    """A parser reads its tables, writes them where there are none, and survives spoilt ones."""
    code = "from netc.grammar.parsing.parser import parse; from netc.grammar.source import Source; "
    command = [sys.executable, "-c", code + "print(parse(Source('', 'a -> b # c')))"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def run() -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout

    first = run()
    (table,) = (tmp_path / "netc").iterdir()
    assert run() == first
    table.write_bytes(table.read_bytes()[:1000])
    assert run() == first
    assert len(os.listdir(tmp_path / "netc")) == 1


LEFT = {
    "a pickle": b"cposix\nsystem\n(S'touch PWNED'\ntR.",
    "nothing": b"",
    "zeros": bytes(4),
    "noise": bytes(range(256)),
    "a number": marshal.dumps(3),
    "half": marshal.dumps({"data": {}, "memo": {}}),
}


@posix
@pytest.mark.parametrize("kind", LEFT)
def test_what_stands_in_place_of_tables(kind: str, tmp_path: Path) -> None:
    """A damaged or forged file is never run; the tables are made and kept again."""
    command = [sys.executable, "-c", "import netc; netc.compile('INPUT(2) -> FC(2)')"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    (tables,) = (tmp_path / "netc").iterdir()
    key, _ = marshal.loads(tables.read_bytes()[4:])
    tables.write_bytes(LEFT[kind])
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    assert not (tmp_path / "PWNED").exists()
    assert marshal.loads(tables.read_bytes()[4:])[0] == key
