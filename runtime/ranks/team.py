"""Processes that train together, started by `mpiexec`, or one alone, which asks for no MPI."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

import numpy as np

from ...compiler.ir.types import TensorType
from ...grammar.diagnostics import error
from ..kernels.crew import allowed_cores
from ..kernels.workers import have_cores
from .buckets import Buckets, Layout, Sum, layouts, wait
from .launch import Launch, launch
from .shared_state import SharedState, shared_state
from .sums import ByMessages, shared_sums

Shared = TypeVar("Shared")
LAUNCHER = "what started them belongs to another MPI than mpi4py"


class Team(Protocol):
    """Ranks 0 to size - 1, which all call the same methods in the same order."""

    @property
    def rank(self) -> int:
        """The number of this process."""
        ...

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def buckets(self, parts: Sequence[Mapping[str, TensorType]]) -> list[Buckets]:
        """Sums of arrays over all ranks, for each part of a step those of its arrays."""
        ...

    def state(self, types: Mapping[str, TensorType]) -> SharedState | None:
        """Memory for new state, of which each rank computes a part, where all see the same."""
        ...

    def any(self, *facts: bool) -> list[bool]:
        """For each fact whether it is true on any rank."""
        ...

    def gather(self, found: Shared) -> list[Shared]:
        """What each rank found, on all of them."""
        ...

    def share(self, found: Shared) -> Shared:
        """What rank 0 found, on all of them."""
        ...

    def abort(self, code: int) -> None:
        """End all ranks at once, this one among them."""
        ...


class Alone:
    """A team of one."""

    rank = 0
    size = 1

    def buckets(self, parts: Sequence[Mapping[str, TensorType]]) -> list[Buckets]:
        """There is nothing to sum."""
        raise NotImplementedError

    def state(self, types: Mapping[str, TensorType]) -> SharedState | None:
        """There are no other ranks."""
        return None

    def any(self, *facts: bool) -> list[bool]:
        """See `Team`."""
        return list(facts)

    def gather(self, found: Shared) -> list[Shared]:
        """See `Team`."""
        return [found]

    def share(self, found: Shared) -> Shared:
        """See `Team`."""
        return found

    def abort(self, code: int) -> None:
        """See `Team`."""
        raise SystemExit(code)


ALONE: Team = Alone()


class OverMpi:
    """The processes that an MPI launcher started.

    Args:
        mpi: The module `mpi4py.MPI`.
    """

    def __init__(self, mpi: Any) -> None:
        self._mpi = mpi
        self._all = mpi.COMM_WORLD
        self.rank: int = self._all.Get_rank()
        self.size: int = self._all.Get_size()

    def buckets(self, parts: Sequence[Mapping[str, TensorType]]) -> list[Buckets]:
        """See `Team`."""
        laid_out = [layouts(terms) for terms in parts]
        every = [layout for part in laid_out for layout in part]
        sums = iter(shared_sums(self._mpi, self._all, every) or self._messages(every))
        return [Buckets(zip(part, islice(sums, len(part)), strict=True)) for part in laid_out]

    def state(self, types: Mapping[str, TensorType]) -> SharedState | None:
        """See `Team`."""
        return shared_state(self._mpi, self._all, types) if types else None

    def _messages(self, layouts: Sequence[Layout]) -> list[Sum]:
        return [ByMessages(self._mpi, self._all, np.zeros(x.size, x.dtype)) for x in layouts]

    def any(self, *facts: bool) -> list[bool]:
        """See `Team`."""
        found = bytearray(map(bool, facts))
        given = [found, self._mpi.BYTE]
        wait(self._all.Iallreduce(self._mpi.IN_PLACE, given, self._mpi.BOR).Test)
        return list(map(bool, found))

    def gather(self, found: Shared) -> list[Shared]:
        """See `Team`."""
        gathered: list[Shared] = self._all.allgather(found)
        return gathered

    def share(self, found: Shared) -> Shared:
        """See `Team`."""
        shared: Shared = self._all.bcast(found)
        return shared

    def abort(self, code: int) -> None:
        """See `Team`."""
        self._all.Abort(code)

    def cores(self) -> int:
        """How many cores each rank of this machine may use, where all share them."""
        here = self._all.Split_type(self._mpi.COMM_TYPE_SHARED)
        masks = here.allgather(allowed_cores())
        here.Free()
        return cores_of(allowed_cores(), masks)


def cores_of(own: frozenset[int], masks: Sequence[frozenset[int]]) -> int:
    """A process's part of the cores that it may use, of which others may use some, too.

    Args:
        own: The cores that the process may use.
        masks: Those of each process of the machine, itself among them.
    """
    users = {core: sum(core in mask for mask in masks) for core in own}
    return max(1, int(sum(1 / count for count in users.values()) + 1e-9))


def join() -> Team:
    """The processes that were started with this one; alone, MPI is not even imported.

    Each gets its part of the machine's cores.

    Raises:
        NetError: E548, there are several, and mpi4py is missing or does not find the others.
    """
    started = launch()
    if started.size == 1:
        return ALONE
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as failure:  # the latter where it finds no library
        found = "mpi4py is not installed"
        missing = isinstance(failure, ModuleNotFoundError)
        raise error(
            "E548",
            f"{started.size} processes were started, which cannot reach each other",
            notes=[found if missing else f"mpi4py cannot be loaded: {failure}"],
            help="pip install 'netc[mpi]', or start one process, without mpiexec",
        ) from None
    team = OverMpi(MPI)
    check_size(started, team.size)
    have_cores(team.cores())
    return team


def check_size(started: Launch, size: int) -> None:
    """Refuse processes that would each train alone, and write to the same files.

    Raises:
        NetError: E548.
    """
    if size != started.size:
        raise error(
            "E548",
            f"{started.size} processes were started, but MPI sees {size}",
            notes=[LAUNCHER],
            help="use the mpiexec beside this Python, which pip install 'netc[mpi]' brings, or"
            " build mpi4py for the launcher's MPI: pip install --no-binary mpi4py mpi4py",
        )
