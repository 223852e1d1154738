"""Arrays of each rank -> their sums over all ranks, in flat buffers that travel meanwhile.

A message costs time however short it is, so arrays share buffers; and a sum takes time, so the
first buffers are on their way while the arrays of later ones are computed (Li et al. 2020, "PyTorch
Distributed: Experiences on Accelerating Data Parallel Training", section 3.2).
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, Protocol

import numpy as np

from ...compiler.ir.types import TensorType
from ..arrays.element_types import numpy_type
from ..kerneldef import Array

BUCKET = 2**20  # bytes that travel together; measured, see docs/scaling.md
ALIGNMENT = 64  # bytes; where an array begins in its buffer


class Sum(Protocol):
    """A sum over all ranks of what each of them has, taken again and again."""

    @property
    def terms(self) -> Array:
        """What this rank adds, flat."""
        ...

    @property
    def total(self) -> Array:
        """Where the sum is, once it has arrived; its memory may be that of the terms."""
        ...

    def start(self) -> None:
        """All that this rank adds is there."""
        ...

    def arrived(self) -> bool:
        """Whether the sum is there; asking also moves it on."""
        ...


def wait(arrived: Callable[[], bool]) -> None:
    """Wait for a sum, and leave the core to others meanwhile, which MPI itself would not."""
    while not arrived():
        give_way()


give_way: Callable[[], object] = getattr(os, "sched_yield", partial(time.sleep, 0))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where arrays lie in a buffer.

    Attributes:
        dtype: Their element type.
        places: Where each begins, in elements, and its extents.
        size: How many elements there are, gaps among them.
    """

    dtype: np.dtype[Any]
    places: Mapping[str, tuple[int, tuple[int, ...]]]
    size: int

    @classmethod
    def of(cls, terms: Mapping[str, TensorType]) -> "Layout":
        """That of arrays of one element type and fixed extents."""
        dtype = numpy_type(next(iter(terms.values())).dtype)
        step = ALIGNMENT // dtype.itemsize
        places, end = {}, 0
        for name, type in terms.items():
            places[name] = end, _extents(type)
            end += -(-prod(_extents(type)) // step) * step
        return cls(dtype, places, end)

    @property
    def bytes(self) -> int:
        """How many bytes there are."""
        return self.size * self.dtype.itemsize

    def arrays(self, buffer: Array) -> dict[str, Array]:
        """The arrays in a buffer."""
        return {
            name: buffer[start : start + prod(extents)].reshape(extents)
            for name, (start, extents) in self.places.items()
        }


def layouts(terms: Mapping[str, TensorType], limit: int = BUCKET) -> list[Layout]:
    """The buffers that arrays travel in.

    Args:
        terms: Their types, of fixed extents, in the order in which they are computed.
        limit: How many bytes a buffer holds at most, unless a single array has more.
    """
    return [Layout.of({name: terms[name] for name in names}) for names in grouped(terms, limit)]


@dataclass(eq=False)
class Bucket:
    """Arrays that travel together.

    Attributes:
        sum: Their sum.
        terms: Their names.
        missing: How many of them are not there yet.
    """

    sum: Sum
    terms: Sequence[str]
    missing: int = 0


class Buckets:
    """The sums of some arrays, again and again.

    Sums start in the order of buckets, which is the same on all ranks, each as soon as its arrays
    and those of all buckets before it are there.

    Attributes:
        places: Where the arrays go.

    Args:
        contents: For each bucket where its arrays lie, and what sums it, in the order in which they
            are computed.
    """

    def __init__(self, contents: Iterable[tuple[Layout, Sum]]) -> None:
        self.buckets: list[Bucket] = []
        self.places: dict[str, Array] = {}
        self._sums: dict[str, Array] = {}
        self._home: dict[str, Bucket] = {}
        for layout, each in contents:
            bucket = Bucket(each, tuple(layout.places))
            self.buckets.append(bucket)
            self.places |= layout.arrays(each.terms)
            self._sums |= layout.arrays(each.total)
            self._home |= dict.fromkeys(layout.places, bucket)
        self._begin()

    def offer(self, name: str, array: Array) -> None:
        """One of the arrays is there; it is copied, unless it was written to its place."""
        if array is not self.places[name]:
            np.copyto(self.places[name], array)
        self._home[name].missing -= 1
        self._start()

    def offer_nothing(self) -> None:
        """None of the arrays will be there, so this rank adds zeros."""
        for bucket in self.buckets:
            bucket.sum.terms[:] = 0
            bucket.missing = 0
        self._start()

    def collect(self) -> dict[str, Array]:
        """Wait for the sums; they stay as they are until the next array is offered."""
        for bucket in self.buckets:
            assert not bucket.missing, f"missing: {bucket.terms}"
        wait(self._moved)
        self._begin()
        return dict(self._sums)

    def _begin(self) -> None:
        for bucket in self.buckets:
            bucket.missing = len(bucket.terms)
        self._started = 0
        self._under_way: list[Bucket] = []

    def _moved(self) -> bool:
        """Move those sums on that are on their way; whether none is left."""
        self._under_way = [bucket for bucket in self._under_way if not bucket.sum.arrived()]
        return not self._under_way

    def _start(self) -> None:
        """Start the sums whose turn it is, and move those on that are on their way."""
        self._moved()
        for bucket in self.buckets[self._started :]:
            if bucket.missing:
                return
            bucket.sum.start()
            self._under_way.append(bucket)
            self._started += 1


def grouped(terms: Mapping[str, TensorType], limit: int) -> list[list[str]]:
    """Names that share a bucket: as many of one element type, in order, as the limit allows."""
    groups: list[list[str]] = []
    open_ones: dict[str, tuple[list[str], int]] = {}
    for name, type in terms.items():
        size = prod(_extents(type)) * numpy_type(type.dtype).itemsize
        group, held = open_ones.get(type.dtype.value, ([], 0))
        if not group or held + size > limit:
            group, held = [], 0
            groups.append(group)
        group.append(name)
        open_ones[type.dtype.value] = group, held + size
    return groups


def _extents(type: TensorType) -> tuple[int, ...]:
    return tuple(extent for extent in type.shape if isinstance(extent, int))
