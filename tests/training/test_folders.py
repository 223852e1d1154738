"""The folder of a run: one run at a time, and files that are damaged."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

import netc as package
from netc import NetError
from netc.runtime.run_folder.checkpoint import load_checkpoint
from netc.runtime.run_folder.folder import CHECKPOINT, FACTS, Facts, locked

PROGRAM = """\
INPUT(2) -> FC(2)

train {
  data       = xor(40)
  preprocess = standardize
  epochs     = 1
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    path = tmp_path_factory.mktemp("run")
    package.compile(PROGRAM).train(output=path)
    return path


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """While a run holds its folder, no other begins or goes on there; afterwards one does."""
    with locked(str(tmp_path)):
        for resume in (False, True):
            with pytest.raises(NetError, match="another process is training in"):
                package.compile(PROGRAM).train(output=tmp_path, resume=resume)
    package.compile(PROGRAM).train(output=tmp_path)


def test_a_flipped_bit(folder: Path, tmp_path: Path) -> None:
    """No single bit of a checkpoint can change unnoticed."""
    data = (folder / CHECKPOINT).read_bytes()
    random = Random(0)
    path = tmp_path / CHECKPOINT
    for _ in range(150):
        place = random.randrange(len(data))
        flipped = data[place] ^ (1 << random.randrange(8))
        path.write_bytes(data[:place] + bytes([flipped]) + data[place + 1 :])
        with pytest.raises(NetError):
            load_checkpoint(str(path))


def test_another_name(folder: Path, tmp_path: Path) -> None:
    """A program that was renamed resumes its run."""
    package.compile(PROGRAM, name="old.net").train(output=tmp_path)
    run = package.compile(PROGRAM, name="new.net").train(output=tmp_path, resume=True, epochs=2)
    assert len(run.history) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("settings", {"epochs": 3}),
        ("settings", []),
        ("changes", {"lr": None}),
        ("inputs", {"input": ["input"]}),
        ("shapes", {"input": ["2"]}),
        ("shapes", {"input": [-2]}),
        ("shapes", {"input": 2}),
        ("columns", True),
        ("columns", {"input": ["width", 2]}),
        ("outputs", {"output": {"indexed": True, "names": [1, 2]}}),
        ("options", {"engine": 3}),
        ("options", {"patience": "three"}),
        ("options", {"other": 3}),
        ("results", [1]),
    ],
)
def test_wrong_types(folder: Path, tmp_path: Path, name: str, value: Any) -> None:
    """A `run.json` with a field of another type is refused as one that training did not write."""
    facts = json.loads((folder / FACTS).read_text())
    (tmp_path / FACTS).write_text(json.dumps({**facts, name: value}))
    with pytest.raises(NetError, match="is not what training wrote"):
        Facts.read(str(tmp_path))
