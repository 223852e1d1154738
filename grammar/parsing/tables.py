"""Where the parser's tables are kept between runs: reading is ten times as fast as making them.

The place is `$XDG_CACHE_HOME/netc`, or `~/.cache/netc`. Tables are
plain numbers and texts, never a pickle, which could run code; still, a folder that others may write
to is never used, and without a safe folder the tables are made again in each run.
"""

import marshal
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any


@contextmanager
def kept_tables(*key: str) -> Iterator[str | None]:
    """The path to read tables from or to write them to, or None where they cannot be kept.

    New tables are written under a temporary name and take their own at the end, so that no other
    process ever reads half of them.

    Args:
        key: Everything that the tables depend on.
    """
    folder = _folder()
    if folder is None:
        yield None
        return
    path = folder / f"tables-{sha256(repr(key).encode()).hexdigest()[:16]}"
    if path.exists():
        yield str(path)
        return
    temporary = folder / f".tables-{secrets.token_hex(8)}.tmp"
    try:
        yield str(temporary)
        with suppress(OSError):
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def read_tables(path: str | None) -> dict[str, Any]:
    """The tables that a file holds.

    Raises:
        OSError, EOFError, ValueError, TypeError: There are none, or they are damaged.
    """
    if path is None:
        raise FileNotFoundError
    tables: dict[str, Any] = marshal.loads(Path(path).read_bytes())
    return tables


def write_tables(path: str | None, tables: dict[str, Any]) -> None:
    """Write tables to a file, where they can be kept."""
    if path is not None:
        with suppress(OSError, ValueError):
            Path(path).write_bytes(marshal.dumps(tables))


def _folder() -> Path | None:
    """The user's own cache folder, made if need be, or None where there is no safe one."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(home, "netc")
    if not folder.is_absolute() or not hasattr(os, "getuid"):
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return None
    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    writable = os.access(folder, os.W_OK)
    return folder if status.st_uid == os.getuid() and not shared and writable else None
