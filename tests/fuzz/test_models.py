"""Any ONNX file is read as a network, or refused with a `NetError`."""

import os
from itertools import islice
from pathlib import Path

import pytest
from support.fuzzing import Case, failures, keep
from support.model_mutants import check, read_and_use, seeds

SOME = 300
MANY = int(os.environ.get("NETC_FUZZ_CASES", "200_000"))
PARTS = 4
KIND = "onnx messages"


def test_seeds_are_sound() -> None:
    """What is damaged was a model that is read."""
    for seed in seeds():
        read_and_use(seed)


def test_three_hundred_models() -> None:
    """Damaged models, some so little that they are still sound."""
    for number in range(SOME):
        check(number)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_many_models(part: int, tmp_path: Path) -> None:
    """As above, in a process under limits of time and memory; `NETC_FUZZ_CASES` says how many."""
    numbers = range(MANY * part // PARTS, MANY * (part + 1) // PARTS)
    found = [
        keep(failure, tmp_path) for failure in islice(failures(Case(KIND, n) for n in numbers), 10)
    ]
    assert not found, "\n\n".join(found)
