"""Processes of one machine -> memory that all of them see, and how far each of them is in it."""

import os
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from ..kerneldef import Array
from .buckets import ALIGNMENT, Layout

SHARED = Path("/dev/shm")  # where Linux keeps memory that processes share; containers limit it
SPARE = 2  # how many times what is needed must be free there
NOTE = 8  # bytes


class SharedMemory:
    """Memory that ranks of one machine share, and notes in it of how far each of them is.

    A rank writes to its own notes alone, and only numbers that grow. `Sync` sees to it that what a
    rank wrote before a note is there for a rank that reads the note.

    Args:
        window: A window that MPI allocated, `Win.Allocate_shared`, in which notes come first.
        rank: The number of this process.
        size: How many there are.
        notes: How many notes each rank has.
    """

    def __init__(self, window: Any, rank: int, size: int, notes: int) -> None:
        self.rank, self.size = rank, size
        self._window = window
        window.Lock_all()  # without which it may not be synchronized
        memory = [memoryview(window.Shared_query(each)[0]) for each in range(size)]
        self._notes = [each[: NOTE * notes].cast("q") for each in memory]
        self._memory = [each[aligned(NOTE * notes) :] for each in memory]
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

    def post(self, note: int, turn: int) -> None:
        """Note that this rank is so far."""
        self._window.Sync()
        self._notes[self.rank][note] = turn

    def all_posted(self, note: int, turn: int) -> bool:
        """Whether all ranks are so far."""
        if any(each[note] < turn for each in self._notes):
            return False
        self._window.Sync()
        return True


def shared_memory(
    mpi: Any, ranks: Any, *, each: int, first: int, notes: int
) -> SharedMemory | None:
    """Memory that ranks share; None where they are on several machines, or it is scarce.

    It is given back when the processes end.

    Args:
        mpi: The module `mpi4py.MPI`.
        ranks: The communicator.
        each: How many bytes each rank gets.
        first: How many more the first one gets.
        notes: How many notes each rank has.
    """
    here = ranks.Split_type(mpi.COMM_TYPE_SHARED)
    rank, size = here.Get_rank(), here.Get_size()
    own = aligned(NOTE * notes) + each + (first if rank == 0 else 0)
    apart = size < ranks.Get_size() or rank != ranks.Get_rank()
    if any(ranks.allgather(apart or not _is_free(size * own))):
        here.Free()
        return None
    window = mpi.Win.Allocate_shared(own, 1, comm=here)
    memory = SharedMemory(window, rank, size, notes)
    here.Barrier()  # no rank reads notes before they are cleared
    return memory


def placed(layouts: Sequence[Layout]) -> tuple[list[int], int]:
    """Where buffers begin that lie one behind the other, in bytes, and where the last one ends."""
    *starts, end = accumulate((aligned(layout.bytes) for layout in layouts), initial=0)
    return starts, end


def aligned(size: int) -> int:
    """Bytes, of whole cache lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _is_free(size: int) -> bool:
    """Whether `size` bytes of memory can be shared, and some more for others."""
    if not SHARED.is_dir():
        return True
    found = os.statvfs(SHARED)
    return SPARE * size < found.f_bavail * found.f_frsize
