"""`netc fmt`: what is written where, exit codes, and what is left alone."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import ENVIRONMENT, FULL_DISK, netc

from netc.cli import COMMANDS

BEFORE = "INPUT(4)->FC( 3 ) # c\n"
AFTER = "INPUT(4) -> FC(3)  # c\n"
DIFF = """--- a.net
+++ a.net (formatted)
@@ -1 +1 @@
-INPUT(4)->FC( 3 ) # c
+INPUT(4) -> FC(3)  # c
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is not in canonical form."""
    path = tmp_path / "a.net"
    path.write_text(BEFORE)
    return path


def test_in_place(file: Path) -> None:
    """A file is rewritten once, keeps its permissions, and no other file is left behind."""
    file.chmod(0o640)
    found = netc("fmt", "a.net", cwd=file.parent)
    assert (found.status, found.out, found.err) == (0, "formatted a.net\n", "")
    assert file.read_text() == AFTER
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["a.net"]
    before = file.stat()
    found = netc("fmt", "a.net", cwd=file.parent)
    assert (found.status, found.out, found.err) == (0, "", "")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_line_ends_and_byte_order_mark(file: Path) -> None:
    """What is written is UTF-8 with the file's line ends, and no byte-order mark."""
    file.write_bytes(b"\xef\xbb\xbfINPUT->FC # caf\xc3\xa9\r\n\r\n")
    assert netc("fmt", "a.net", cwd=file.parent).status == 0
    assert file.read_bytes() == b"INPUT -> FC  # caf\xc3\xa9\r\n"
    assert netc("fmt", "--check", "a.net", cwd=file.parent).status == 0
    file.write_bytes(b"INPUT->FC\nassert depth==1\r\n")
    assert netc("fmt", "a.net", cwd=file.parent).status == 0
    assert file.read_bytes() == b"INPUT -> FC\nassert depth == 1\n"


def test_check(file: Path) -> None:
    """`--check` lists the files that would change, exits with 1, and writes nothing."""
    (file.parent / "good.net").write_text(AFTER)
    found = netc("fmt", "--check", "good.net", "a.net", cwd=file.parent)
    assert (found.status, found.out, found.err) == (1, "a.net\n", "")
    assert file.read_text() == BEFORE
    assert netc("fmt", "--check", "good.net", cwd=file.parent).status == 0


@pytest.mark.parametrize(("options", "status"), [(["--diff"], 0), (["--diff", "--check"], 1)])
def test_diff(file: Path, options: list[str], status: int) -> None:
    """`--diff` prints what would change, and writes nothing."""
    found = netc("fmt", *options, "a.net", cwd=file.parent)
    assert (found.status, found.out, found.err) == (status, DIFF, "")
    assert file.read_text() == BEFORE


def test_diff_without_a_last_line_end(file: Path) -> None:
    """A file whose last line does not end says so in the diff, as `diff` does."""
    file.write_text(AFTER.rstrip("\n"))
    found = netc("fmt", "--diff", "a.net", cwd=file.parent)
    assert found.out.splitlines()[3:] == [
        "-INPUT(4) -> FC(3)  # c",
        "\\ No newline at end of file",
        "+INPUT(4) -> FC(3)  # c",
    ]


def test_standard_input(tmp_path: Path) -> None:
    """`-` is formatted to standard output, whether it changes or not."""
    for text in (BEFORE, AFTER):
        found = netc("fmt", "-", cwd=tmp_path, stdin=text.encode())
        assert (found.status, found.out, found.err) == (0, AFTER, "")
    found = netc("fmt", "--check", "-", cwd=tmp_path, stdin=BEFORE.encode())
    assert (found.status, found.out) == (1, "-\n")


def test_errors(file: Path) -> None:
    """A file with a syntax error is left as it is; the others are formatted."""
    bad = file.parent / "bad.net"
    bad.write_text("INPUT  CONV\n")
    found = netc("fmt", "bad.net", "missing.net", "a.net", cwd=file.parent)
    assert (found.status, found.out) == (1, "formatted a.net\n")
    assert "error[E017]" in found.err
    assert "bad.net:1:8" in found.err
    assert "error[E001]: cannot read `missing.net`" in found.err
    assert bad.read_text() == "INPUT  CONV\n"
    assert netc("fmt", "-", cwd=file.parent, stdin=b"INPUT  CONV\n").out == ""


def test_a_full_disk(file: Path) -> None:
    """A write that fails leaves the file as it was, and no temporary one."""
    file.write_text("# " + "x" * 10_000 + "\n" + BEFORE)
    before = file.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK.format(limit=5_000), "fmt", "a.net"],
        cwd=file.parent,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[E004]: cannot write `a.net`" in done.stderr
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["a.net"]


def test_wrong_usage(tmp_path: Path) -> None:
    """Without a file the usage is shown."""
    found = netc("fmt", cwd=tmp_path)
    assert found.status == 2
    assert "Missing argument 'FILE...'" in found.err


def test_hooks() -> None:
    """Each hook for pre-commit calls a command that there is."""
    hooks = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
    lines = [line.strip() for line in hooks.read_text().splitlines()]
    entries = [line.removeprefix("entry: ") for line in lines if line.startswith("entry: ")]
    assert entries == ["netc check", "netc fmt"]
    assert all(entry.removeprefix("netc ") in COMMANDS for entry in entries)


def test_a_folder(file: Path) -> None:
    """All programs of a folder are formatted; one without any is an error."""
    inner = file.parent / "nets" / "inner"
    inner.mkdir(parents=True)
    for name in ("nets/a.net", "nets/inner/b.net", "nets/inner/notes.txt"):
        (file.parent / name).write_text(BEFORE)
    listed = netc("fmt", "--check", "nets", cwd=file.parent)
    assert (listed.status, listed.out) == (1, "nets/a.net\nnets/inner/b.net\n")
    assert netc("fmt", "nets", cwd=file.parent).status == 0
    assert (inner / "b.net").read_text() == AFTER
    assert (inner / "notes.txt").read_text() == BEFORE
    (file.parent / "empty").mkdir()
    found = netc("fmt", "empty", cwd=file.parent)
    assert (found.status, found.err.splitlines()[0]) == (
        1,
        "error[E001]: there is no .net file in `empty`",
    )
