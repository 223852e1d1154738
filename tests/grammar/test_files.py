"""Reading programs, and writing files whole or not at all."""

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.refusals import refusal

from netc.grammar.files import (
    atomic_writer,
    check_readable,
    read_source,
    remove_remains,
    write_text,
)
from netc.grammar.limits import MAX_TEXT

as_root = pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="permissions do not bind root"
)


def read_failure(path: Path | str) -> str:
    """What is said of a file that cannot be read, the folder left out."""
    return refusal(read_source, str(path)).replace(f"{Path(path).parent}{os.sep}", "")


def write_failure(path: Path | str) -> str:
    """What is said of a file that cannot be written, the folder left out."""
    return refusal(write_text, str(path), "new").replace(f"{Path(path).parent}{os.sep}", "")


def test_reads_text(tmp_path: Path) -> None:
    """A byte-order mark is dropped, and the line ends are kept."""
    path = tmp_path / "a.net"
    path.write_bytes(b"\xef\xbb\xbfINPUT\r\n -> FC # \xc3\xa9\r\n")
    source = read_source(str(path))
    assert source.name == str(path)
    assert source.text == "INPUT\r\n -> FC # é\r\n"


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is E001."""
    assert read_failure(tmp_path / "a.net") == (
        "error[E001]: cannot read `a.net`: no such file or folder\n  = help: check the path"
    )


def test_reading_a_folder(tmp_path: Path) -> None:
    """A folder is E001."""
    assert read_failure(tmp_path) == (
        f"error[E001]: cannot read `{tmp_path.name}`: it is a folder\n  = help: name a file in it"
    )


@as_root
def test_reading_without_permission(tmp_path: Path) -> None:
    """A file that may not be read is E001."""
    path = tmp_path / "a.net"
    path.touch(mode=0)
    assert "permission denied" in read_failure(path)


def test_a_null_character_in_a_path() -> None:
    """A path that no system takes is an error like any other."""
    assert "cannot read" in read_failure("a\0b")
    assert "null character" in write_failure("a\0b")


def test_not_utf8(tmp_path: Path) -> None:
    """E002 points at the first byte that is not UTF-8, and says its offset."""
    path = tmp_path / "a.net"
    path.write_bytes("INPUT # é\n-> \xe4".encode("latin-1"))
    assert read_failure(path) == (
        "error[E002]: `a.net` is not UTF-8 text\n"
        "  --> a.net:1:9\n"
        "   |\n"
        " 1 | INPUT # \ufffd\n"
        "   |         ^ byte 0xe9 at offset 8\n"
        "   |\n"
        "   = help: save the file as UTF-8"
    )


def test_not_utf8_on_a_later_line(tmp_path: Path) -> None:
    """The offset counts bytes, the column characters."""
    path = tmp_path / "a.net"
    path.write_bytes("# é\n-> ".encode() + b"\xff")
    assert "a.net:2:4\n" in read_failure(path)
    assert "byte 0xff at offset 8" in read_failure(path)


def test_too_much_text(tmp_path: Path) -> None:
    """A file over the limit is E403, and is not read to its end."""
    path = tmp_path / "a.net"
    path.write_bytes(b"#" * (MAX_TEXT + 1))
    assert read_failure(path).startswith("error[E403]: `a.net` holds more than 10 MiB of text")


def test_writes_and_replaces(tmp_path: Path) -> None:
    """A file is made, and made again, and no temporary file stays."""
    path = tmp_path / "a.txt"
    write_text(str(path), "é\n")
    write_text(str(path), "new\n")
    assert path.read_bytes() == b"new\n"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare name is written in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_text("a.txt", "new")
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions(tmp_path: Path) -> None:
    """A new file has the permissions that the umask leaves, a replaced one keeps its own."""
    path = tmp_path / "a.txt"
    before = os.umask(0o027)
    try:
        write_text(str(path), "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_text(str(path), "newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_symbolic_link_stays(tmp_path: Path) -> None:
    """What a link points at is replaced, also where it does not exist yet."""
    (tmp_path / "inner").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "inner" / "a.txt")
    for text in ("first", "second"):
        write_text(str(link), text)
        assert link.is_symlink()
        assert (tmp_path / "inner" / "a.txt").read_text() == text
    assert os.listdir(tmp_path / "inner") == ["a.txt"]


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is E004."""
    assert write_failure(tmp_path / "inner" / "a.txt") == (
        "error[E004]: cannot write `a.txt`: no such file or folder\n  = help: check the path"
    )


def test_writing_to_a_folder(tmp_path: Path) -> None:
    """A folder is never replaced."""
    (tmp_path / "a").mkdir()
    assert write_failure(tmp_path / "a") == (
        "error[E004]: cannot write `a`: it is a folder\n  = help: name a file in it"
    )


@as_root
def test_writing_without_permission(tmp_path: Path) -> None:
    """Neither a read-only file nor a file in a read-only folder is replaced."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o400)
    assert "permission denied" in write_failure(path)
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "no space left on device"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EIO, "input/output error"),
    ],
)
def test_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    """Where the system refuses the bytes, the old file is intact and nothing else is left."""

    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", refuse)
    assert write_failure(path).startswith(f"error[E004]: cannot write `a.txt`: {reason}")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


FULL = """
import resource, sys
from netc.grammar.files import atomic_writer
from netc.grammar.diagnostics import NetError
sys.dont_write_bytecode = True
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with atomic_writer(sys.argv[1]) as file:
        for _ in range(100):
            file.write(bytes(1000))
except NetError as failure:
    sys.exit(str(failure))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_file_over_the_limit(tmp_path: Path) -> None:
    """A real write that the system cuts short leaves the old file and no other."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FULL, str(path)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.stderr == (
        f"error[E004]: cannot write `{path}`: the file would be larger than allowed\n"
        "  = help: raise the limit on file sizes\n"
    )
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_of_the_writer(tmp_path: Path) -> None:
    """An exception of the code that writes goes through as it is, and leaves no file."""

    def write_half() -> None:
        with atomic_writer(str(tmp_path / "a.txt")) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """What is no ordinary file is written to, and stays what it is."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()), daemon=True)
    reader.start()
    write_text(str(path), "new")
    reader.join(timeout=10)
    assert found == [b"new"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
def test_standard_output(tmp_path: Path) -> None:
    """`/dev/stdout` is written to, whether it is a pipe or a file."""
    code = "from netc.grammar.files import write_text; write_text('/dev/stdout', 'new')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    piped = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert piped.stdout == b"new"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(command, env=environment, stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out"]


def test_writers_side_by_side(tmp_path: Path) -> None:
    """Two writers of one file do not meet: each has a temporary file of its own."""
    path = str(tmp_path / "a.txt")
    with atomic_writer(path) as first, atomic_writer(path) as second:
        first.write(b"first")
        second.write(b"second")
    assert Path(path).read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a.txt"]


WRITER = """
import sys, time
from netc.grammar.files import atomic_writer
with atomic_writer(sys.argv[1]) as file:
    file.write(bytes(10**6))
    file.flush()
    print("half", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="`kill -9` is POSIX's")
def test_what_a_killed_writer_leaves(tmp_path: Path) -> None:
    """The next writer removes what a killed one left, and never what a living one writes."""
    path = tmp_path / "model.onnx.data"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = []
    for _ in range(2):
        command = [sys.executable, "-c", WRITER, str(path)]
        writers.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
        out = writers[-1].stdout
        assert out is not None
        assert out.readline() == b"half\n"
    try:
        assert len(os.listdir(tmp_path)) == 2
        write_text(str(path), "new")
        remove_remains(str(tmp_path))
        assert len(os.listdir(tmp_path)) == 3
        writers[0].kill()
        writers[0].wait()
        write_text(str(path), "newer")
        assert len(os.listdir(tmp_path)) == 2
        assert path.read_text() == "newer"
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    remove_remains(str(tmp_path))
    assert os.listdir(tmp_path) == ["model.onnx.data"]


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("read", [read_source, check_readable])
def test_only_regular_files_are_read(tmp_path: Path, read: Callable[[str], object]) -> None:
    """A pipe that nobody writes to would never end, nor would some devices."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for path in (str(pipe), str(tmp_path / "link"), "/dev/zero"):
        assert refusal(read, path) == (
            f"error[E001]: cannot read `{path}`: it is a pipe or a device\n"
            "  = help: copy its contents into a file"
        )


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="streams by their number")
def test_a_stream_that_is_open_is_read() -> None:
    """`netc check <(...)` names a pipe that the shell has opened."""
    reading, writing = os.pipe()
    os.write(writing, b"INPUT(2) -> FC(1)")
    os.close(writing)
    try:
        assert read_source(f"/dev/fd/{reading}").text == "INPUT(2) -> FC(1)"
    finally:
        os.close(reading)
