"""Any ONNX file is read as a network, or refused with a `NetError`."""

import os
from itertools import islice
from pathlib import Path

import pytest
from support.fuzzing import Case, failures, keep
from support.model_mutants import check, lay, read_and_use
from support.model_seeds import structures

SOME = 300
MORE = 2_000
MANY = int(os.environ.get("NETC_FUZZ_CASES", "100_000"))
PARTS = 10
KIND = "onnx messages"


def test_seeds_are_sound(tmp_path: Path) -> None:
    """What is damaged was a model that is read."""
    for seed in structures():
        read_and_use(lay(seed, tmp_path))


def test_three_hundred_models(tmp_path: Path) -> None:
    """Damaged models, some so little that they are still sound."""
    for number in range(SOME):
        check(number, tmp_path)


@pytest.mark.slow
def test_two_thousand_models(tmp_path: Path) -> None:
    """As above, in a process under limits of time and memory."""
    _check(range(MORE), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_many_models(part: int, tmp_path: Path) -> None:
    """As above, with a hundred thousand, or as many as `NETC_FUZZ_CASES` says."""
    _check(range(MANY * part // PARTS, MANY * (part + 1) // PARTS), tmp_path)


def _check(numbers: range, folder: Path) -> None:
    found = islice(failures(Case(KIND, number) for number in numbers), 10)
    kept = [keep(failure, folder) for failure in found]
    assert not kept, "\n\n".join(kept)
