"""How much memory there is, asked before it is taken: systems promise more than they have."""

import os
import sys
from functools import cache


@cache
def physical_memory() -> int:
    """Bytes of memory of this machine; the address space where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on every system
        return sys.maxsize
