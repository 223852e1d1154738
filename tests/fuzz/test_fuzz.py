"""Any text and any file gives an answer or a `NetError`, in bounded time and memory, never else."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from support.fuzzing import NETWORK, PROGRAM, Case, failures, keep
from support.mutants import KINDS

SOME = 3_000
MANY = int(os.environ.get("NETC_FUZZ_CASES", "1_000_000"))
PARTS = 2
LONG_PARTS = 50


# Half of the cases are programs, a third files of all kinds, the rest networks that run.
TURN = [kind for name in KINDS for kind in (PROGRAM, name, PROGRAM, name, PROGRAM, NETWORK)]


def cases(numbers: range) -> Iterator[Case]:
    """The cases of some numbers."""
    for number in numbers:
        turn, place = divmod(number, len(TURN))
        kind = TURN[place]
        is_rare = kind in KINDS and turn % KINDS[kind].every > 0
        yield Case(PROGRAM if is_rare else kind, number)


def _check(numbers: range, folder: Path) -> None:
    found = [keep(failure, folder) for failure in islice(failures(cases(numbers)), 10)]
    assert not found, "\n\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_some_cases(part: int, tmp_path: Path) -> None:
    """Three thousand random programs and damaged files are read or refused, within the limits."""
    _check(range(SOME * part // PARTS, SOME * (part + 1) // PARTS), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("part", range(LONG_PARTS))
def test_many_cases(part: int, tmp_path: Path) -> None:
    """As above, with a million, or as many as `NETC_FUZZ_CASES` says."""
    _check(
        range(SOME + MANY * part // LONG_PARTS, SOME + MANY * (part + 1) // LONG_PARTS), tmp_path
    )
