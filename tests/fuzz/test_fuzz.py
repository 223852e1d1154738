"""Any text gives a network or a `NetError`, in bounded time and memory, and nothing else."""

from itertools import islice
from pathlib import Path

import pytest
from support.fuzzing import failures, keep

FEW = 1_000
MANY = 100_000
PARTS = 20


def _check(numbers: range, folder: Path) -> None:
    found = [keep(failure, folder) for failure in islice(failures(numbers), 10)]
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("part", range(2))
def test_some_programs(part: int, tmp_path: Path) -> None:
    """A thousand mutated and random programs are compiled or refused, within the limits."""
    _check(range(part, FEW, 2), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_many_programs(part: int, tmp_path: Path) -> None:
    """As above, with a hundred thousand."""
    _check(range(part, MANY, PARTS), tmp_path)
