"""BLAS on one thread while a plan runs: its work is spread on threads of ours (`workers`).

BLAS's threads wait for each other actively, and lose much where other processes use the same cores.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

from ..kernels.workers import OF_BLAS, chosen_workers


@contextmanager
def one_thread() -> Iterator[None]:
    """Let BLAS use one thread, unless the user has chosen how many; what was before returns."""
    if chosen_workers() is None and any(os.environ.get(name) for name in OF_BLAS):
        yield
        return
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()


class _Limit:
    """A limit for the whole process, whose users may overlap.

    Each thread gives back what the first one found: OpenBLAS listens to no other thread in that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: list[int] = []

    def enter(self) -> None:
        """Another one needs the limit."""
        with self._lock:
            if self._users == 0:
                self._before = [library.num_threads for library in _libraries()]
            self._users += 1
            self._set([1] * len(self._before))

    def leave(self) -> None:
        """One of them is done."""
        with self._lock:
            self._users -= 1
            self._set(self._before)

    def _set(self, counts: Sequence[int]) -> None:
        for library, count in zip(_libraries(), counts, strict=True):
            library.set_num_threads(count)


@cache
def _libraries() -> list[Any]:
    """BLAS's libraries, which are looked for once."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


_LIMIT = _Limit()
