"""Files in and out: a path to a `Source`, and writing that never leaves half a file behind."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from .diagnostics import NetError, error
from .limits import MAX_TEXT
from .source import UNPRINTABLE, Source, Span

try:
    import fcntl
except ImportError:  # not on Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]  # Windows has none

_BOM = b"\xef\xbb\xbf"
_TEMPORARY = (".netc-", ".tmp")  # what names of temporary files start and end with
_NO_BLOCKING, _BINARY = (getattr(os, name, 0) for name in ("O_NONBLOCK", "O_BINARY"))

# What went wrong, and how to continue, by the number of the system's error.
_REASONS: dict[int | None, tuple[str, str | None]] = {
    errno.ENOENT: ("no such file or folder", "check the path"),
    errno.ENOTDIR: ("a part of the path is not a folder", "check the path"),
    errno.EISDIR: ("it is a folder", "name a file in it"),
    errno.EACCES: ("permission denied", "check the permissions of the file and its folder"),
    errno.EPERM: ("permission denied", "check the permissions of the file and its folder"),
    errno.EROFS: ("the file system is read-only", "choose another folder"),
    errno.ENOSPC: ("no space left on device", "free some space, or choose another folder"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or choose another folder"),
    errno.EFBIG: ("the file would be larger than allowed", "raise the limit on file sizes"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter name"),
    errno.ELOOP: ("its symbolic links form a loop", "check the links"),
    errno.ENXIO: ("it is a pipe or a device", "copy its contents into a file"),
    errno.EPIPE: ("the reader has closed the pipe", None),
}


def read_source(path: str) -> Source:
    """Read a program from a file, or from a stream that is open already, such as `/dev/stdin`.

    A byte-order mark is dropped; at most one byte over the limit on text is read, so that an
    endless stream ends as well.

    Raises:
        NetError: E001 (missing, a folder, no permission), E002 (not UTF-8), E403 (too much text).
    """
    try:
        with open(path, "rb") if _is_open(path) else open_file(path) as file:
            data = file.read(MAX_TEXT + len(_BOM) + 1)
    except (OSError, ValueError) as failure:  # a null character in a path is a ValueError
        raise _file_error("E001", "read", path, failure) from None
    return decode_source(path, data)


def decode_source(name: str, data: bytes) -> Source:
    """A program from bytes, such as those of standard input.

    Raises:
        NetError: E002 (not UTF-8), E403 (too much text).
    """
    data = data.removeprefix(_BOM)
    if len(data) > MAX_TEXT:
        raise too_much_text(name)
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as failure:
        raise _not_utf8(name, data, failure.start) from None


def check_readable(path: str) -> None:
    """Find out whether a file can be read, for packages that open it by themselves.

    Raises:
        NetError: E001 (missing, no permission, a folder, a pipe, a device).
    """
    with open_file(path):
        return


def path_or_bytes(path: str) -> str | bytes:
    """A path for packages that take UTF-8 alone, or else what lies there."""
    return Path(path).read_bytes() if UNPRINTABLE.search(path) else path


def open_file(path: str) -> BinaryIO:
    """A regular file, open for reading: never a pipe or a device, which may have no end.

    Raises:
        NetError: E001 (missing, no permission, a folder, a pipe, a device).
    """
    try:
        # A pipe that nobody writes to would block here.
        handle = os.open(path, os.O_RDONLY | _NO_BLOCKING | _BINARY)
        try:
            mode = os.fstat(handle).st_mode
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(mode):
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
            return os.fdopen(handle, "rb")
        except OSError:
            os.close(handle)
            raise
    except (OSError, ValueError) as failure:  # a null character in a path is a ValueError
        raise _file_error("E001", "read", path, failure) from None


def _is_open(path: str) -> bool:
    """Whether a path names a stream of this process, as a shell's `<(...)` does."""
    return path == "/dev/stdin" or path.startswith(("/dev/fd/", "/proc/self/fd/"))


def too_much_text(name: str) -> NetError:
    """The error for a text beyond the limit."""
    return error(
        "E403",
        f"`{name}` holds more than {MAX_TEXT // 2**20} MiB of text",
        help="write repeated parts with `[...]*n`, `for` or a block",
    )


def check_writable(path: str) -> None:
    """Refuse a path that cannot be written to, before what is to stand there is computed.

    Raises:
        NetError: E004.
    """
    try:
        target = os.path.realpath(path)
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not _is_stream(path):
            temporary, handle = _temporary(target)
            os.close(handle)
            os.remove(temporary)
    except OSError as failure:
        raise _file_error("E004", "write", path, failure) from None


@contextmanager
def atomic_writer(path: str) -> Iterator[BinaryIO]:
    """A binary file that appears under its name only once it is whole.

    The bytes go to a temporary file in the same folder, which replaces the target at the end; on
    any failure it is removed, and what stood under the name is untouched. A symbolic link is
    followed; what is not an ordinary file (`/dev/stdout`, a pipe) is written to directly.

    Raises:
        NetError: E004.
    """
    if "\0" in path:
        raise error("E004", "cannot write to a path with a null character in it")
    try:
        target = os.path.realpath(path)
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with open(path, "wb") if _is_stream(path) else _replacement(target) as file:
            yield file
    except OSError as failure:
        raise _file_error("E004", "write", path, failure) from None


def _is_stream(path: str) -> bool:
    """Whether a path names something that is written to, and never replaced."""
    if os.path.abspath(path).startswith(("/dev/std", "/dev/fd/", "/proc/")):
        return True
    return os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)


@contextmanager
def _replacement(target: str) -> Iterator[BinaryIO]:
    """A temporary file beside the target that takes its place when the block ends well."""
    replaced = os.path.exists(target)
    if replaced and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    temporary, handle = _temporary(target)
    lock = None if fcntl is None else os.dup(handle)  # holds until the file has its own name
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replaced:
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _temporary(target: str) -> tuple[str, int]:
    """A new file beside the target, open and locked; what a killed process left there goes.

    The names depend on the target alone, so that its next writer finds what is left.
    """
    for number in count():
        path = _temporary_path(target, number)
        _remove_remain(path)
        # Created by hand, not by `tempfile`, so that the user's umask sets the permissions.
        with suppress(FileExistsError):  # another process writes to it
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
            if _locked(handle, path):
                return path, handle
            os.close(handle)
    raise AssertionError("there is always a next number")


def _temporary_path(target: str, number: int) -> str:
    digest = crc32(os.fsencode(os.path.basename(target)))
    name = f"{_TEMPORARY[0]}{digest:08x}-{number}{_TEMPORARY[1]}"
    return os.path.join(os.path.dirname(target), name)


def _locked(handle: int, path: str) -> bool:
    """Whether this process alone has a new file, where the file system has locks."""
    try:
        return fcntl is None or _lock(handle, path)
    except OSError:
        return True


def _lock(handle: int, path: str) -> bool:
    """Lock a file; whether that succeeds, and the path is still its name.

    Raises:
        OSError: The file system has no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False


def _remove_remain(path: str) -> None:
    """Remove a temporary file, where there is one, unless a process is writing to it."""
    with suppress(OSError):
        if os.name != "posix":
            os.unlink(path)
            return
        handle = os.open(path, os.O_WRONLY | _NO_BLOCKING)
        try:
            if _lock(handle, path):
                os.unlink(path)
        finally:
            os.close(handle)


def write_text(path: str, text: str) -> None:
    """Write a text as UTF-8, whole or not at all.

    Raises:
        NetError: E004.
    """
    with atomic_writer(path) as file:
        file.write(text.encode("utf-8"))


def remove_remains(folder: str) -> None:
    """Remove the temporary files in a folder that killed processes left half written."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(_TEMPORARY[0]) and name.endswith(_TEMPORARY[1]):
                _remove_remain(os.path.join(folder, name))


def make_folder(path: str) -> None:
    """Make a folder, with those above it, where it is not there yet.

    Raises:
        NetError: E004, the folder cannot be made.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except (OSError, ValueError) as failure:
        raise _file_error("E004", "create the folder", path, failure) from None


@contextmanager
def writing(path: str) -> Iterator[None]:
    """What a package writes by itself to a file or a folder, its failures as ours.

    Raises:
        NetError: E004.
    """
    try:
        yield
    except (OSError, ValueError) as failure:  # a null character in a path is a ValueError
        raise _file_error("E004", "write", path, failure) from None


def _file_error(code: str, verb: str, path: str, failure: Exception) -> NetError:
    number = getattr(failure, "errno", None)
    reason, help = _REASONS.get(number, (getattr(failure, "strerror", None) or str(failure), None))
    return error(code, f"cannot {verb} `{path}`: {reason.lower()}", help=help)


def _not_utf8(path: str, data: bytes, offset: int) -> NetError:
    """The error for a byte that is no UTF-8; its line is shown with the byte replaced."""
    source = Source(path, data.decode("utf-8", errors="replace"))
    start = len(data[:offset].decode("utf-8"))
    return error(
        "E002",
        f"`{path}` is not UTF-8 text",
        Span(source, start, start + 1),
        label=f"byte 0x{data[offset]:02x} at offset {offset}",
        help="save the file as UTF-8",
    )
