"""How much memory there is, asked before it is taken: systems promise more than they have."""

import os
import sys
from functools import cache

from ..grammar.diagnostics import NetError, error


@cache
def physical_memory() -> int:
    """Bytes of memory of this machine; the address space where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on every system
        return sys.maxsize


def check_memory(what: str, needed: int, help: str | None = None) -> None:
    """Refuse what memory cannot hold before any of it is taken.

    Args:
        what: What needs it, such as "3 pictures of 28x28".
        needed: How many bytes it needs at least.
        help: How to need less.

    Raises:
        NetError: E507.
    """
    if needed > physical_memory():
        raise not_enough_memory(what, needed, help)


def not_enough_memory(what: str, needed: int, help: str | None = None) -> NetError:
    """The error for what memory cannot hold."""
    return error("E507", f"there is not enough memory for {what}: {needed:_} bytes", help=help)
