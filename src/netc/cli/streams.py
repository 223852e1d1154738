"""Standard streams that are closed, full, or of a narrow encoding."""

import os
import sys
from io import BufferedWriter, RawIOBase, TextIOWrapper
from typing import IO, Any


class _Forgiving(RawIOBase):
    """A stream that loses what cannot be written to it, since nothing is left to say so on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The file's."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether the file is a terminal."""
        return self._file.isatty()

    def write(self, data: Any) -> int:
        """Write what can be written, and say that all was."""
        try:
            self._file.write(data)
            self._file.flush()
        except OSError:
            pass
        return len(data)


def prepare_streams() -> None:
    """Escape what a terminal's encoding lacks; print into nothing where a stream is closed.

    Standard error never fails: a command does its work even where nothing reads its warnings.
    """
    if sys.stdout is None:
        sys.stdout = _nowhere()
    elif isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is None:
        sys.stderr = _nowhere()
    elif isinstance(sys.stderr, TextIOWrapper):
        sys.stderr = TextIOWrapper(  # whose file `sys.__stderr__` keeps open
            BufferedWriter(_Forgiving(sys.stderr.buffer)),
            encoding=sys.stderr.encoding,
            errors="backslashreplace",
            line_buffering=True,
            write_through=True,
        )


def discard_output() -> None:
    """Lead standard output into nothing, so that no later flush fails again."""
    sys.stdout = _nowhere()
    os.dup2(sys.stdout.fileno(), 1)


def _nowhere() -> TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")
