"""How much work the products of a plan are -> on how many threads BLAS computes them.

BLAS's threads wait for each other actively. Small products gain next to nothing from several
threads, and lose much where other processes use the same cores.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

from ...compiler.analysis.counts import node_cost
from ...compiler.ir.graph import Graph

# What a user sets who wants to choose; then nothing is changed.
CHOSEN = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")
LARGE = 100_000_000  # multiplications of one operator, from which on several threads pay


def is_large(graph: Graph, nodes: Sequence[int], symbols: Mapping[str, int]) -> bool:
    """Whether an operator is so much work that several threads pay.

    Args:
        graph: The graph.
        nodes: The nodes that are computed.
        symbols: The extents that inputs determine, such as the batch `N`.
    """
    macs = (node_cost(graph, graph[node], symbols).macs for node in nodes)
    return any(not isinstance(count, int) or count >= LARGE for count in macs)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let BLAS use one thread, unless the user has chosen how many; what was before returns."""
    if any(os.environ.get(name) for name in CHOSEN):
        yield
        return
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()


class _Limit:
    """A limit for the whole process, whose users may overlap.

    Each thread gives back what the first one found: OpenBLAS heeds no other thread in that.
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
