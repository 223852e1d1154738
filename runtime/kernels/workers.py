"""Blocks of work -> computed on a few threads of ours, while BLAS uses one thread in each.

NumPy holds no lock while it computes on large arrays. BLAS's own threads split each product,
wait for each other actively, and do nothing for the operators between the products.
"""

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import cache
from itertools import pairwise
from typing import TypeVar

import numpy as np

# What a user sets who wants to choose how many threads a program has.
OURS = "NETC_NUM_THREADS"
OF_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")
# Work, in bytes of memory, from which on another thread pays, which starts after some 0.1 ms, and
# how many multiplications of a product of matrices take as long as a byte; measured.
WORTHWHILE, PER_BYTE = 2**21, 4

Part = TypeVar("Part")
_limit: ContextVar[int | None] = ContextVar("limit", default=None)


@contextmanager
def limited(count: int) -> Iterator[None]:
    """Spread work on so many threads within, whatever the environment says."""
    token = _limit.set(count)
    try:
        yield
    finally:
        _limit.reset(token)


def chosen_workers() -> int | None:
    """On how many threads the user wants work to be spread; None where nobody said."""
    limit = _limit.get()
    if limit is not None:
        return limit
    text = os.environ.get(OURS, "")
    return (int(text) if text.isdecimal() else 0) or None


def workers() -> int:
    """On how many threads work is spread; one where the user has chosen threads of BLAS."""
    chosen = chosen_workers()
    if chosen is not None:
        return chosen
    if any(os.environ.get(name) for name in OF_BLAS):
        return 1
    return shared_cores() or len(allowed_cores())


@cache
def allowed_cores() -> frozenset[int]:
    """The cores that the system lets this process use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return frozenset(affinity(0) if affinity else range(os.cpu_count() or 1))


_shares: list[int] = []


def have_cores(count: int) -> None:
    """Leave all cores but so many to processes that were started with this one."""
    _shares[:] = [count]


def shared_cores() -> int | None:
    """How many cores this process has to itself; None where it shares them with nobody."""
    return _shares[0] if _shares else None


def spread(compute: Callable[[Part], None], parts: Sequence[Part], work: int) -> None:
    """Call a function with each part, on several threads where there is enough work.

    Args:
        compute: What writes its result somewhere; calls may be at the same time.
        parts: What to call it with, about as much work each.
        work: How much work all parts are, in bytes.
    """
    count = min(threads_for(work), len(parts))
    if count < 2:
        for part in parts:
            compute(part)
        return

    remaining = deque(parts)

    def take() -> None:
        with np.errstate(all="ignore"):
            for part in _taken(remaining):
                compute(part)

    pool = _pool(workers() - 1)
    pool.leave_core()
    others = [pool.submit(copy_context().run, take) for _ in range(1, count)]
    try:
        take()
    finally:
        remaining.clear()
        for other in others:
            other.exception()  # wait: nobody may write to what the caller goes on with
    for other in others:
        other.result()


def threads_for(work: int) -> int:
    """On how many threads so much work, in bytes, is worth being spread."""
    count = work // WORTHWHILE
    return min(workers(), count) if count > 1 else 1


def of_product(multiplications: int) -> int:
    """The work of a product of matrices."""
    return multiplications // PER_BYTE


def _taken(remaining: deque[Part]) -> Iterator[Part]:
    """Parts, each for one thread: whoever is done with one takes the next."""
    while True:
        try:
            part = remaining.popleft()
        except IndexError:
            return
        yield part


class _Pool(ThreadPoolExecutor):
    """Threads that keep off the core of whoever gives them work.

    Linux may wake a thread on the core of the one that wakes it, and leave it waiting there.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count, thread_name_prefix="netc", initializer=self._enter)
        self._core: int | None = None
        self._identifiers: list[int] = []

    def leave_core(self) -> None:
        """Leave the core that the caller runs on to it, if there are others."""
        tell = _core_teller()
        if tell is not None and (core := tell()) != self._core:
            self._core = core
            for thread in self._identifiers:
                self._keep_off(thread)

    def _enter(self) -> None:
        self._identifiers.append(threading.get_native_id())
        self._keep_off(self._identifiers[-1])

    def _keep_off(self, thread: int) -> None:
        others = allowed_cores() - {self._core}
        if others and self._core is not None:
            with suppress(OSError):  # a system may forbid it, or take cores away
                os.sched_setaffinity(thread, others)


@cache
def _core_teller() -> Callable[[], int] | None:
    """Linux's function that tells the core that a thread runs on; None elsewhere."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    found: Callable[[], int] | None = getattr(ctypes.CDLL(None), "sched_getcpu", None)
    return found


@cache
def _pool(count: int) -> _Pool:
    return _Pool(count)


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def shares(extent: int, least: int = 1) -> list[slice]:
    """An extent in as many parts as there are workers, none of them below `least`."""
    count = max(1, min(workers(), extent // least))
    ends = [extent * number // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]
