"""Pictures of two dozen networks are those in `golden/`, line by line; look at what changes there.

`--update-golden` draws them again. A change of a layout shows in `git diff`, and in the files.
"""

from pathlib import Path

import pytest
from support.drawn_rows import DRAWN
from support.gallery import run

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", DRAWN)
def test_golden(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool
) -> None:
    """The SVG of a network is the same to the letter."""
    monkeypatch.chdir(FOLDER if update_golden else tmp_path)
    run(f"draw {DRAWN[name]} -o {name}.svg")
    drawn = Path(f"{name}.svg").read_text("utf-8")
    assert drawn.splitlines() == (FOLDER / f"{name}.svg").read_text("utf-8").splitlines()


def test_golden_files_have_a_row() -> None:
    """No file is left of a row that is gone, and they stay small."""
    files = list(FOLDER.iterdir())
    assert {file.stem for file in files} == set(DRAWN)
    assert len(files) >= 24
    assert sum(file.stat().st_size for file in files) < 2_000_000
