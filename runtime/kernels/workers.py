"""Blocks of work -> computed on a few threads of ours, while BLAS uses one thread in each.

NumPy holds no lock while it computes on large arrays. BLAS's own threads split each product,
wait for each other actively, and do nothing for the operators between the products.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import pairwise
from typing import TypeVar

import numpy as np

from ...grammar.diagnostics import error
from .crew import allowed_cores, helpers
from .underflow import as_wanted

# What a user sets who wants to choose how many threads a program has.
OURS = "NETC_NUM_THREADS"
OF_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")
# Work, in bytes of memory, from which on another thread pays, which starts after some 0.1 ms, and
# how many multiplications of a product of matrices take as long as a byte; measured.
WORTHWHILE, PER_BYTE = 2**21, 4

BUFFER = 256  # elements; measured

Part = TypeVar("Part")
_limit: ContextVar[int | None] = ContextVar("limit", default=None)


@contextmanager
def arithmetic() -> Iterator[None]:
    """Compute without warnings within, as ONNX does: an overflow is infinity.

    What broadcasts along rows that are shorter than NumPy's buffer is copied to it, which takes
    twice as long as to add it. A smaller buffer makes that rare.
    """
    with np.errstate(all="ignore"), as_wanted():
        before = np.setbufsize(BUFFER)
        try:
            yield
        finally:
            np.setbufsize(before)


@contextmanager
def limited(count: int) -> Iterator[None]:
    """Spread work on `count` threads within, whatever the environment says."""
    token = _limit.set(count)
    try:
        yield
    finally:
        _limit.reset(token)


def chosen_workers() -> int | None:
    """On how many threads the user wants work to be spread; None where it is not set."""
    limit = _limit.get()
    if limit is not None:
        return limit
    text = os.environ.get(OURS, "").strip()
    if not text:
        return None
    count = int(text) if text.isdecimal() else 0
    if not count:
        raise error("E125", f"`{OURS}` must be a positive integer, not `{text}`")
    return count


def workers() -> int:
    """On how many threads work is spread; one where the user has chosen threads of BLAS."""
    chosen = chosen_workers()
    if chosen is not None:
        return chosen
    if any(os.environ.get(name) for name in OF_BLAS):
        return 1
    return shared_cores() or len(allowed_cores())


_shares: list[int] = []


def have_cores(count: int) -> None:
    """Leave all but this number of cores to processes that were started with this one."""
    _shares[:] = [count]


def shared_cores() -> int | None:
    """How many cores this process has to itself; None where it shares them with no other."""
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
        with arithmetic():
            for part in _taken(remaining):
                compute(part)

    begun = []
    try:
        for helper in helpers(count - 1):
            if helper.begin(partial(copy_context().run, take)):
                begun.append(helper)
        take()
    finally:
        remaining.clear()
        with ExitStack() as stack:
            for helper in begun:  # wait: no thread may write to what the caller reads next
                stack.callback(helper.end)


def threads_for(work: int) -> int:
    """On how many threads it pays to spread work, in bytes."""
    count = work // WORTHWHILE
    return min(workers(), count) if count > 1 else 1


def of_product(multiplications: int) -> int:
    """The work of a product of matrices."""
    return multiplications // PER_BYTE


def _taken(remaining: deque[Part]) -> Iterator[Part]:
    """Parts, each for one thread: a thread that is done with one takes the next."""
    while True:
        try:
            part = remaining.popleft()
        except IndexError:
            return
        yield part


def shares(extent: int, least: int = 1) -> list[slice]:
    """An extent in as many parts as there are workers, none of them below `least`."""
    count = max(1, min(workers(), extent // least))
    ends = [extent * number // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]
