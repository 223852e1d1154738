"""Where the parser's tables are kept between runs: reading is ten times as fast as making them.

The place is `$XDG_CACHE_HOME/netc`, or `~/.cache/netc`. Tables are
plain numbers and texts, never a pickle, which could run code; still, a folder that others may write
to is never used, and without a safe folder the tables are made again in each run.
"""

import marshal
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from zlib import crc32  # `hashlib` takes ten times as long to load

_DIGEST = 4  # bytes in front of the tables, which reveal damaged ones

Tables = dict[str, Any]


def kept_tables(*key: str, make: Callable[[], Tables]) -> Tables:
    """The tables that an earlier run kept, or else new ones, which are kept.

    New tables are written under a temporary name and take their own at the end, so that no other
    process ever reads half of them.

    Args:
        key: Everything that the tables depend on.
        make: Makes them, of plain numbers, texts, lists and dictionaries.
    """
    folder = _folder()
    if folder is None:
        return make()
    path = folder / f"tables-{_digest(repr(key).encode()).hex()}"
    with suppress(OSError, EOFError):
        data = path.read_bytes()
        if _digest(data[_DIGEST:]) == data[:_DIGEST]:
            kept_key, kept = marshal.loads(data[_DIGEST:])
            if kept_key == key:
                return cast(Tables, kept)
    tables = make()
    data = marshal.dumps((key, tables))
    temporary = folder / f".tables-{os.urandom(8).hex()}.tmp"
    with suppress(OSError):
        try:
            temporary.write_bytes(_digest(data) + data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return tables


def _digest(data: bytes) -> bytes:
    return crc32(data).to_bytes(_DIGEST, "big")


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
