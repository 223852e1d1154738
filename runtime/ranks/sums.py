"""A buffer on each rank -> their sum on all of them, by messages or in memory that they share."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kerneldef import Array
from .buckets import ALIGNMENT, Layout, Sum
from .shared_memory import SharedMemory, placed, shared_memory


class ByMessages:
    """MPI's `Iallreduce`, in place.

    Args:
        mpi: The module `mpi4py.MPI`.
        ranks: The communicator.
        buffer: Memory for terms and sum.
    """

    def __init__(self, mpi: Any, ranks: Any, buffer: Array) -> None:
        self._mpi, self._ranks = mpi, ranks
        self.terms = self.total = buffer

    def start(self) -> None:
        """See `Sum`."""
        self._request = self._ranks.Iallreduce(self._mpi.IN_PLACE, self.terms)

    def arrived(self) -> bool:
        """See `Sum`."""
        return bool(self._request.Test())


class InMemory:
    """A sum that ranks of one machine take in memory which all of them see.

    Each rank adds up its part of the buffer as soon as the terms of all ranks are there, in the
    order of ranks, and all read the parts where they lie: every element is read once by one rank,
    and is the same on all of them.

    What a rank wrote is only overwritten when no other reads it any more: terms are written again
    after the whole sum has arrived, and a sum is added up again when all ranks have started the
    next one, which they do after they have used the last.

    Args:
        memory: The memory.
        number: The number of the sum, from 0.
        terms: For each rank what it adds.
        total: Where the sum goes.
    """

    def __init__(
        self, memory: SharedMemory, number: int, terms: Sequence[Array], total: Array
    ) -> None:
        self._memory = memory
        self._started, self._added = 2 * number, 2 * number + 1
        self.terms, self.total = terms[memory.rank], total
        own = _share(total, memory.rank, memory.size)
        self._parts, self._sum = [each[own] for each in terms], total[own]
        self._turn, self._is_added = 0, False

    def start(self) -> None:
        """See `Sum`."""
        self._turn += 1
        self._is_added = False
        self._memory.post(self._started, self._turn)

    def arrived(self) -> bool:
        """See `Sum`."""
        if not self._is_added:
            if not self._memory.all_posted(self._started, self._turn):
                return False
            first, second, *others = self._parts
            np.add(first, second, out=self._sum)
            for each in others:
                np.add(self._sum, each, out=self._sum)
            self._is_added = True
            self._memory.post(self._added, self._turn)
        return self._memory.all_posted(self._added, self._turn)


def shared_sums(mpi: Any, ranks: Any, layouts: Sequence[Layout]) -> list[Sum] | None:
    """Sums in memory that ranks share; None where there is none.

    The first rank's memory holds the sums, after its terms.

    Args:
        mpi: The module `mpi4py.MPI`.
        ranks: The communicator.
        layouts: What is to be summed.
    """
    starts, end = placed(layouts)
    memory = shared_memory(mpi, ranks, each=end, first=end, notes=2 * len(layouts))
    if memory is None:
        return None
    sums: list[Sum] = []
    for number, (start, layout) in enumerate(zip(starts, layouts, strict=True)):
        terms = [memory.array(rank, start, layout) for rank in range(memory.size)]
        total = memory.array(0, end + start, layout)
        sums.append(InMemory(memory, number, terms, total))
    return sums


def _share(total: Array, rank: int, size: int) -> slice:
    """A rank's part of a buffer, of whole cache lines."""
    step = ALIGNMENT // total.itemsize
    cuts = [-(-total.size * each // (size * step)) * step for each in (rank, rank + 1)]
    return slice(*(min(cut, total.size) for cut in cuts))
