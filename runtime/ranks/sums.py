"""A buffer on each rank -> their sum on all of them, by messages or in memory that they share."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..kerneldef import Array
from .buckets import ALIGNMENT, Layout, Sum

SHARED = Path("/dev/shm")  # where Linux keeps memory that processes share; containers limit it
SPARE = 2  # how many times what is needed must be free there


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

    What a rank wrote is only overwritten when no other reads it any more: terms are written anew
    after the whole sum has arrived, and a sum is added up anew when all ranks have started the next
    one, which they do after they have used the last.

    Args:
        memory: The memory.
        number: The number of the sum, from 0.
        terms: For each rank what it adds.
        total: Where the sum goes.
    """

    def __init__(
        self, memory: "SharedMemory", number: int, terms: Sequence[Array], total: Array
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
        self._memory.tell(self._started, self._turn)

    def arrived(self) -> bool:
        """See `Sum`."""
        if not self._is_added:
            if not self._memory.all_told(self._started, self._turn):
                return False
            first, second, *others = self._parts
            np.add(first, second, out=self._sum)
            for each in others:
                np.add(self._sum, each, out=self._sum)
            self._is_added = True
            self._memory.tell(self._added, self._turn)
        return self._memory.all_told(self._added, self._turn)


class SharedMemory:
    """Memory that ranks of one machine share, and notes in it of how far each of them is.

    A rank writes to its own notes alone, and only numbers that grow. `Sync` sees to it that what a
    rank wrote before a note is there for whoever reads the note.

    Args:
        window: A window that MPI allocated, `Win.Allocate_shared`.
        rank: The number of this process.
        size: How many there are.
        notes: How many notes each rank has, at the start of its memory.
    """

    def __init__(self, window: Any, rank: int, size: int, notes: int) -> None:
        self.rank, self.size = rank, size
        self._window = window
        window.Lock_all()  # without which it may not be synchronized
        self._memory = [memoryview(window.Shared_query(each)[0]) for each in range(size)]
        self._notes = [each[: 8 * notes].cast("q") for each in self._memory]
        for note in range(notes):
            self._notes[rank][note] = 0
        window.Sync()

    def array(self, rank: int, start: int, layout: Layout) -> Array:
        """A flat array in a rank's memory.

        Args:
            rank: Whose.
            start: Where it begins, in bytes.
            layout: Its size and its element type.
        """
        held = self._memory[rank][start : start + layout.bytes]
        return np.frombuffer(held, layout.dtype)

    def tell(self, note: int, turn: int) -> None:
        """Note that this rank is so far."""
        self._window.Sync()
        self._notes[self.rank][note] = turn

    def all_told(self, note: int, turn: int) -> bool:
        """Whether all ranks are so far."""
        if any(each[note] < turn for each in self._notes):
            return False
        self._window.Sync()
        return True


def shared_sums(mpi: Any, ranks: Any, layouts: Sequence[Layout]) -> list[Sum] | None:
    """Sums in memory that ranks share; None where they are on several machines, or it is scarce.

    The first rank's memory holds the sums, after its terms. The memory is given back when the
    processes end.

    Args:
        mpi: The module `mpi4py.MPI`.
        ranks: The communicator.
        layouts: What is to be summed.
    """
    here = ranks.Split_type(mpi.COMM_TYPE_SHARED)
    rank, size = here.Get_rank(), here.Get_size()
    starts = np.cumsum([_whole(16 * len(layouts)), *(_whole(x.bytes) for x in layouts)]).tolist()
    end = starts.pop()
    lengths = [2 * end - starts[0] if layouts else end, *[end] * (size - 1)]
    apart = size < ranks.Get_size() or rank != ranks.Get_rank()
    if any(ranks.allgather(apart or not _is_free(sum(lengths)))):
        here.Free()
        return None
    window = mpi.Win.Allocate_shared(lengths[rank], 1, comm=here)
    memory = SharedMemory(window, rank, size, 2 * len(layouts))
    here.Barrier()  # nobody reads notes before they are cleared
    sums: list[Sum] = []
    for number, (start, layout) in enumerate(zip(starts, layouts, strict=True)):
        terms = [memory.array(each, start, layout) for each in range(size)]
        total = memory.array(0, start + end - starts[0], layout)
        sums.append(InMemory(memory, number, terms, total))
    return sums


def _share(total: Array, rank: int, size: int) -> slice:
    """A rank's part of a buffer, of whole cache lines."""
    step = ALIGNMENT // total.itemsize
    cuts = [-(-total.size * each // (size * step)) * step for each in (rank, rank + 1)]
    return slice(*(min(cut, total.size) for cut in cuts))


def _whole(size: int) -> int:
    """Bytes, of whole cache lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _is_free(size: int) -> bool:
    """Whether so many bytes of memory can be shared, and some more for others."""
    if not SHARED.is_dir():
        return True
    found = os.statvfs(SHARED)
    return SPARE * size < found.f_bavail * found.f_frsize
