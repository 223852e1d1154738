"""Arrays of each rank -> their sums over all ranks, in flat buffers that travel meanwhile.

A message costs time however short it is, so arrays share buffers; and a sum takes time, so the
first buffers are on their way while the arrays of later ones are computed (Li et al. 2020, "PyTorch
Distributed: Experiences on Accelerating Data Parallel Training", section 3.2).
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Protocol

import numpy as np

from ...compiler.ir.types import TensorType
from ..arrays.element_types import numpy_type
from ..kerneldef import Array

BUCKET = 2**20  # bytes that travel together; measured, see docs/scaling.md
ALIGNMENT = 64  # bytes; where an array begins in its buffer


class Request(Protocol):
    """A sum that is on its way."""

    def Test(self) -> bool:
        """Whether it has arrived; asking also moves it on."""
        ...


def wait(request: Request) -> None:
    """Wait for a sum, and leave the core to others meanwhile, which MPI itself would not."""
    while not request.Test():
        give_way()


give_way: Callable[[], object] = getattr(os, "sched_yield", partial(time.sleep, 0))


class Summing(Protocol):
    """What sums a buffer over all ranks in its place, and returns at once."""

    def __call__(self, buffer: Array) -> Request:
        """Start."""
        ...


@dataclass(eq=False)
class Bucket:
    """Arrays that travel together.

    Attributes:
        buffer: Their memory.
        terms: Their names.
        missing: How many of them are not there yet.
        request: Their sum, where it is on its way.
    """

    buffer: Array
    terms: Sequence[str]
    missing: int = 0
    request: Request | None = None


class Buckets:
    """The sums of some arrays, again and again.

    Sums start in the order of buckets, which is the same on all ranks, each as soon as its arrays
    and those of all buckets before it are there.

    Attributes:
        places: Where the arrays go, and where their sums are.

    Args:
        terms: The types of the arrays, of fixed extents, in the order in which they are computed.
        summing: What sums over ranks.
        limit: How many bytes a bucket holds at most, unless a single array has more.
    """

    def __init__(
        self, terms: Mapping[str, TensorType], summing: Summing, *, limit: int = BUCKET
    ) -> None:
        self.summing = summing
        self.buckets: list[Bucket] = []
        self.places: dict[str, Array] = {}
        self._home: dict[str, Bucket] = {}
        for names in grouped(terms, limit):
            self._add({name: terms[name] for name in names})
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
            bucket.buffer[:] = 0
            bucket.missing = 0
        self._start()

    def collect(self) -> dict[str, Array]:
        """Wait for the sums; they stay as they are until the next array is offered."""
        for bucket in self.buckets:
            assert bucket.request is not None, f"missing: {bucket.terms}"
            wait(bucket.request)
        self._begin()
        return dict(self.places)

    def _begin(self) -> None:
        for bucket in self.buckets:
            bucket.missing, bucket.request = len(bucket.terms), None
        self._started = 0

    def _start(self) -> None:
        """Start the sums whose turn it is, and move those on that are on their way."""
        for bucket in self.buckets[: self._started]:
            if bucket.request is not None:
                bucket.request.Test()
        for bucket in self.buckets[self._started :]:
            if bucket.missing:
                return
            bucket.request = self.summing(bucket.buffer)
            self._started += 1

    def _add(self, terms: Mapping[str, TensorType]) -> None:
        """A bucket of arrays of one element type."""
        dtype = numpy_type(next(iter(terms.values())).dtype)
        step = ALIGNMENT // dtype.itemsize
        sizes = [prod(_extents(type)) for type in terms.values()]
        ends = np.cumsum([0, *(-(-size // step) * step for size in sizes)])
        bucket = Bucket(np.zeros(ends[-1], dtype), tuple(terms))
        for (name, type), start, size in zip(terms.items(), ends[:-1], sizes, strict=True):
            self.places[name] = bucket.buffer[start : start + size].reshape(_extents(type))
            self._home[name] = bucket
        self.buckets.append(bucket)


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
