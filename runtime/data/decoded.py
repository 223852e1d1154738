"""Decoded pictures, kept from epoch to epoch as far as a bound on memory goes."""

import os
from collections.abc import Callable
from threading import Lock
from typing import Any

from ...grammar.diagnostics import error
from ..arrays.memory import physical_memory
from ..kerneldef import Array

BOUND = "NETC_PICTURE_CACHE"  # MiB that a user sets
MIB = 2**20
MOST, SHARE = 1024 * MIB, 4  # by default: that much, and no more than a fourth of all memory


class Decoded:
    """Pictures by number, decoded once; those that came first stay, in whatever order they come.

    Epochs come in orders by chance, so keeping those that were used last would gain less.

    Args:
        most: Bytes that are kept at most; by default, what the environment says.

    Raises:
        NetError: E125, the environment says something else than a number.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = _bound() if most is None else most
        self.bytes = 0
        self._kept: dict[int, Array] = {}
        self._lock = Lock()  # batches are made on another thread than validation's

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is bounded likewise, and holds no pictures yet."""
        return Decoded, (self.most,)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, number: int, decode: Callable[[], Array]) -> Array:
        """The picture of a number, which must not be changed; decoded unless it was kept."""
        found = self._kept.get(number)
        if found is None:
            found = decode()
            with self._lock:
                if number not in self._kept and self.bytes + found.nbytes <= self.most:
                    self._kept[number] = found
                    self.bytes += found.nbytes
        return found


def _bound() -> int:
    """How many bytes may be kept.

    Raises:
        NetError: E125.
    """
    text = os.environ.get(BOUND, "").strip()
    if not text:
        return min(MOST, physical_memory() // SHARE)
    if not (text.isascii() and text.isdigit()):
        message = f"the environment variable `{BOUND}` is `{text}`, no number of MiB"
        raise error("E125", message, help=f"`{BOUND}=0` keeps no pictures")
    return int(text) * MIB
