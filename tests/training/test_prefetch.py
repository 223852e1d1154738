"""Batches are made while steps are taken on those before."""

import threading
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from netc.runtime.feeding.prefetch import prefetched


def test_one_is_made_ahead() -> None:
    """While a batch is used the next one is made, no more, and the order stays."""
    made = [threading.Event() for _ in range(5)]

    def batches() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    for number, batch in enumerate(prefetched(batches())):
        assert batch == number
        if number + 1 < len(made):
            assert made[number + 1].wait(10)
        assert not any(event.is_set() for event in made[number + 2 :])
    assert number == 4


def test_what_goes_wrong_is_raised_in_its_turn() -> None:
    """The batches before a fault are used first; no thread is left behind."""

    def batches() -> Iterator[int]:
        yield 0
        yield 1
        raise ValueError("the third is damaged")

    found = prefetched(batches())
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="third"):
        next(found)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("netc-data")]


def test_a_loop_that_ends_early_leaves_nothing() -> None:
    """No thread goes on, and no more batches are made."""
    made = []

    def batches() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with closing(prefetched(batches())) as found:
        assert next(found) == 0
    assert len(made) <= 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("netc-data")]


def test_the_caller_says_what_numbers_may_do() -> None:
    """NumPy's handling of overflow is that of the thread that asks."""

    def batches() -> Iterator[np.float32]:
        yield np.float32(3e38) * np.float32(10)

    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        list(prefetched(batches()))
