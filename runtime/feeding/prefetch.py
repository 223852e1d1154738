"""The next batch is made while a step is taken on the one before."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar, cast

import numpy as np

Made = TypeVar("Made")


def prefetched(batches: Iterator[Made]) -> Generator[Made, None, None]:
    """The same batches in the same order, each made on a thread of its own one ahead of time.

    What goes wrong is raised where it would have been without the thread.
    """
    nothing = object()
    context, handling = copy_context(), np.geterr()

    def make() -> Made | object:
        with np.errstate(**handling):  # which NumPy 1 keeps for each thread
            return next(batches, nothing)

    with ThreadPoolExecutor(1, thread_name_prefix="netc-data") as thread:
        coming = thread.submit(context.run, make)
        while (batch := coming.result()) is not nothing:
            coming = thread.submit(context.run, make)
            yield cast(Made, batch)
