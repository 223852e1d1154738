"""Extents -> where the results of a plan's kernels lie: decided once, and used by every run.

Fresh memory costs more than arithmetic, because the system clears each page of it. What lives
within a run lies in one block, an arena, by first and last use. What leaves a run is written to
an array of an earlier one that nobody holds any more; so a step of training alternates between
two sets of weights, and whoever keeps an older one keeps it.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.types import TensorType
from ..kerneldef import Array, Layout
from ..kernels.slabs import in_order, is_worthwhile

ALIGNMENT = 64  # bytes; what vector instructions load at once
KEPT = 3  # arrays that left a run, per result: two in turn, and one that is being looked at

Extents = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A result of a step.

    Attributes:
        type: Its type, with the symbols of the graph.
        dtype: What it is computed in.
        layout: The layout that suits the kernel.
        slot: What names it in the plan.
        arguments: The slots of the step's arguments.
        lives_until: The last step that reads its memory, directly or not; the number of steps
            where it leaves the run; None where the kernel is given no memory.
    """

    type: TensorType
    dtype: np.dtype[Any]
    layout: Layout
    _: KW_ONLY
    slot: int
    arguments: tuple[int, ...]
    lives_until: int | None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What must be kept from one step to another."""

    first: int
    last: int
    bytes: int


def places(lifetimes: Sequence[Lifetime]) -> tuple[list[int], int]:
    """Offsets at which nothing overlaps that lives at the same time, and the size of it all.

    The largest are placed first, each as low as it can lie (Pisarchyk and Lee 2020, "Efficient
    Memory Management for Deep Neural Net Inference", greedy by size).
    """
    count = len(lifetimes)
    first, last, start, end = np.zeros((4, count), np.int64)
    offsets = [0] * count
    by_size = sorted(range(count), key=lambda number: -lifetimes[number].bytes)
    for placed, number in enumerate(by_size):
        life = lifetimes[number]
        size = -(-life.bytes // ALIGNMENT) * ALIGNMENT
        beside = np.flatnonzero((first[:placed] <= life.last) & (last[:placed] >= life.first))
        beside = beside[np.argsort(start[beside], kind="stable")]
        free = np.concatenate(([0], np.maximum.accumulate(end[beside])))  # above each of them
        fits = np.flatnonzero(start[beside] - free[:-1] >= size)
        offset = int(free[fits[0] if fits.size else -1])
        first[placed], last[placed] = life.first, life.last
        start[placed], end[placed] = offset, offset + size
        offsets[number] = offset
    return offsets, int(end.max(initial=0))


class Memory:
    """The memory of one run at a time.

    Attributes:
        arena: The block, in bytes.
    """

    def __init__(self, results: Sequence[Sequence[Result]], symbols: Mapping[str, int]) -> None:
        self._arrays: list[list[Array | None]] = [[None] * len(each) for each in results]
        self._leaving: dict[tuple[int, int], tuple[Result, tuple[int, ...], list[Array]]] = {}
        within: list[tuple[int, int, Result, tuple[int, ...]]] = []
        lifetimes: list[Lifetime] = []
        for position, each in enumerate(results):
            for number, result in enumerate(each):
                shape = known_extents(result.type, symbols)
                if result.lives_until is None or shape is None:
                    continue
                if result.lives_until == len(results):
                    self._leaving[position, number] = result, shape, []
                else:
                    size = prod(shape) * result.dtype.itemsize
                    within.append((position, number, result, shape))
                    lifetimes.append(Lifetime(position, result.lives_until, size))
        offsets, size = places(lifetimes)
        block = np.empty(size + ALIGNMENT, np.uint8)
        start = -block.ctypes.data % ALIGNMENT
        self.arena = block[start : start + size]
        innermost = batches_innermost(results, symbols)
        for (position, number, result, shape), offset in zip(within, offsets, strict=True):
            memory = np.ndarray(prod(shape), result.dtype, self.arena, offset)
            inner = result.slot in innermost
            array = in_order(memory, shape) if inner else memory.reshape(shape)
            self._arrays[position][number] = array
        self._leave = {position for position, _ in self._leaving}

    def arrays(self, position: int) -> list[Array | None]:
        """Where the results of a step go; None where its kernel chooses."""
        if position not in self._leave:
            return self._arrays[position]
        return [
            self._to_leave(*self._leaving[position, number])
            if (position, number) in self._leaving
            else array
            for number, array in enumerate(self._arrays[position])
        ]

    @staticmethod
    def _to_leave(result: Result, shape: tuple[int, ...], earlier: list[Array]) -> Array:
        """An array for what leaves the run: an earlier one that nobody holds, or a new one."""
        for number in range(len(earlier)):
            if _holders(earlier, number) == ALONE:
                return earlier[number]
        fresh = np.empty(shape, result.dtype)
        if len(earlier) < KEPT:
            earlier.append(fresh)
        return fresh


def batches_innermost(results: Sequence[Sequence[Result]], symbols: Mapping[str, int]) -> set[int]:
    """The slots whose arrays lie in memory with the batch innermost."""
    found: set[int] = set()
    ranks = {result.slot: result.type.rank for each in results for result in each}
    for result in (result for each in results for result in each):
        if result.lives_until == len(results):  # what leaves is row-major
            continue
        shape = known_extents(result.type, symbols)
        if result.layout is Layout.BATCH_INNERMOST:
            inner = shape is not None and is_worthwhile(shape)
        else:
            alike = {slot for slot in result.arguments if ranks.get(slot) == result.type.rank}
            inner = result.layout is Layout.AS_ARGUMENT and bool(alike & found)
        if inner:
            found.add(result.slot)
    return found


def known_extents(type: TensorType, symbols: Mapping[str, int]) -> tuple[int, ...] | None:
    """The extents of a value; None where inputs do not tell them."""
    shape = type.bind(symbols).shape
    extents = tuple(extent for extent in shape if isinstance(extent, int))
    return extents if len(extents) == len(shape) else None


def _holders(arrays: Sequence[Any], number: int) -> int:
    """How many hold an array that a list holds, counted as CPython counts; a view is a holder."""
    return sys.getrefcount(arrays[number])


# What an array counts that only a list holds. Without the global lock, counts tell nothing.
ALONE = _holders([object()], 0) if getattr(sys, "_is_gil_enabled", lambda: True)() else -1


class Memories:
    """The memory of a plan's runs, for each set of extents; runs at the same time have their own.

    Args:
        results: What each step yields.
    """

    MOST = 4  # sets of extents

    def __init__(self, results: Sequence[Sequence[Result]]) -> None:
        self.results = results
        self._free: dict[Extents, list[Memory]] = {}  # what no run uses, the latest extents last

    @contextmanager
    def taken(self, symbols: Mapping[str, int]) -> Iterator[Memory | None]:
        """Memory for a run; None where the arena is more than there is, so that steps say which."""
        extents = tuple(sorted(symbols.items()))
        memory: Memory | None = None
        with suppress(IndexError, KeyError):
            memory = self._free[extents].pop()
        if memory is None:
            with suppress(MemoryError):
                memory = Memory(self.results, symbols)
        yield memory
        if memory is not None:
            self._free[extents] = [*self._free.pop(extents, ()), memory]
            while len(self._free) > self.MOST:
                self._free.pop(next(iter(self._free)), None)
