"""How much memory there is, asked before it is taken: systems promise more than they have."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from ...grammar.diagnostics import NetError, error

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # Windows has none


# Where Linux states what a container may take at most, by the version of its control groups.
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def physical_memory() -> int:
    """Bytes of memory that this process may take, as far as the system says."""
    return min([sys.maxsize, *_machine(), *_container(), *_process()])


def _machine() -> Iterator[int]:
    with suppress(AttributeError, OSError, ValueError):  # not on every system
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _container() -> Iterator[int]:
    for path in _LIMITS:
        with suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            yield int(file.read())  # `max` where there is no limit


def _process() -> Iterator[int]:
    """What `ulimit -v` says."""
    if resource is not None:
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            yield limit


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
