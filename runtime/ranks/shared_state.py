"""The state of a training step, in memory that ranks share: each rank updates a part of it.

All ranks would come to the same new state, each by reading and writing all of it. Where they see
the same memory, each computes a part, and finds the others' beside its own (Rajbhandari et al.
2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", section 5.1).
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...compiler.ir.types import TensorType
from ...compiler.passes.training_mode import NEXT
from ..kerneldef import Array
from .buckets import layouts, wait
from .shared_memory import SharedMemory, placed, shared_memory


class SharedState:
    """New state, in two sets of arrays: a step reads what the last one wrote, and writes the other.

    A set is written when all ranks have summed their gradients, and so have read it for the last
    time; it is read when all have written it.

    Attributes:
        own: What this rank computes.

    Args:
        memory: The memory.
        sets: Both sets, by name.
        own: What this rank computes.
    """

    def __init__(
        self, memory: SharedMemory, sets: tuple[dict[str, Array], ...], own: frozenset[str]
    ) -> None:
        self._memory, self._sets, self.own = memory, sets, own
        self._turn = 0

    def places(self) -> dict[str, Array]:
        """Where what this rank computes in the next step is to be written."""
        current = self._sets[self._turn % 2]
        return {name: current[name] for name in self.own}

    def completed(self, found: Mapping[str, Array]) -> dict[str, Array]:
        """The new state, once all ranks have computed theirs.

        It stays as it is for the next step, and is written over by the one after that.

        Args:
            found: What this rank computed, in its place or elsewhere.
        """
        for name, place in self.places().items():
            if not np.may_share_memory(found[name], place):
                np.copyto(place, found[name])
        current = self._sets[self._turn % 2]
        self._turn += 1
        self._memory.post(0, self._turn)
        wait(lambda: self._memory.all_posted(0, self._turn))
        return dict(current)


def shared_state(mpi: Any, ranks: Any, types: Mapping[str, TensorType]) -> SharedState | None:
    """The state of a step in memory that ranks share; None where there is none.

    Args:
        mpi: The module `mpi4py.MPI`.
        ranks: The communicator.
        types: Of what is computed.
    """
    laid_out = layouts(types, limit=sys.maxsize)
    starts, end = placed(laid_out)
    memory = shared_memory(mpi, ranks, each=0, first=2 * end, notes=1)
    if memory is None:
        return None
    sets: tuple[dict[str, Array], ...] = ({}, {})
    for number, arrays in enumerate(sets):
        for start, layout in zip(starts, laid_out, strict=True):
            arrays |= layout.arrays(memory.array(0, number * end + start, layout))
    sizes = {name: array.nbytes for name, array in sets[0].items()}
    return SharedState(memory, sets, parts(sizes, memory.size)[memory.rank])


def parts(sizes: Mapping[str, int], ranks: int) -> list[frozenset[str]]:
    """What each rank computes of the new state, of about as many bytes each.

    A weight and what an optimizer keeps for it stay together, whose names begin with that of the
    weight. The largest go first, each to the rank that has least.
    """
    together: dict[str, list[str]] = {}
    for name in sorted(sizes, key=len):
        own = name.removesuffix(NEXT)
        root = next((each for each in together if own.startswith(f"{each}.")), own)
        together.setdefault(root, []).append(name)
    found: list[list[str]] = [[] for _ in range(ranks)]
    held = [0] * ranks
    groups = [(sum(sizes[name] for name in names), names) for names in together.values()]
    for size, names in sorted(groups, reverse=True):
        least = held.index(min(held))
        found[least] += names
        held[least] += size
    return [frozenset(names) for names in found]
