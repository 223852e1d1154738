"""Where the parser's tables are kept between runs: reading is ten times as fast as making them.

The place is `$XDG_CACHE_HOME/netc`, or `~/.cache/netc`. Tables are
plain numbers and texts, never a pickle, which could run code; still, a folder that others may write
to is never used, and without a safe folder the tables are made again in each run.
"""

import marshal
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

_DIGEST = 32  # bytes in front of the tables, which tell damaged ones

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
    path = folder / f"tables-{sha256(repr(key).encode()).hexdigest()[:16]}"
    with suppress(OSError):
        data = path.read_bytes()
        if sha256(data[_DIGEST:]).digest() == data[:_DIGEST]:
            kept: Tables = marshal.loads(data[_DIGEST:])
            return kept
    tables = make()
    data = marshal.dumps(tables)
    temporary = folder / f".tables-{secrets.token_hex(8)}.tmp"
    with suppress(OSError):
        try:
            temporary.write_bytes(sha256(data).digest() + data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return tables


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
