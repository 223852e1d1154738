"""The pictures that the documentation shows are those that its commands draw.

`--update-golden` draws them again, and writes the page of the gallery.
"""

import re
from pathlib import Path

import pytest
from support.gallery import DOCS, FOLDER, PAGE, make, page, run
from support.gallery_rows import PICTURES, Picture
from support.peer_rows import COMPARISONS

COMMANDS = re.findall(r"^netc (draw .*)$", (DOCS / "drawing.md").read_text("utf-8"), re.M)
README = "draw zoo:lenet5 --direction LR -o lenet5.svg"
SHOWN = [c for c in [*COMMANDS, README] if (DOCS / "images" / c.rpartition(" ")[2]).exists()]
LARGEST = 150_000  # bytes of a picture
LARGEST_GALLERY = 3_000_000


def test_all_pictures_have_a_command() -> None:
    """No picture of a page is left from a command that is gone."""
    shown = re.findall(r"\(images/([\w.]+)\)", (DOCS / "drawing.md").read_text("utf-8"))
    assert set(shown) <= {command.rpartition(" ")[2] for command in SHOWN}
    assert len(shown) > 3


@pytest.mark.parametrize("command", SHOWN)
def test_a_picture_is_up_to_date(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool
) -> None:
    """The file is the same to the byte."""
    name = command.rpartition(" ")[2]
    monkeypatch.chdir(DOCS / "images" if update_golden else tmp_path)
    run(command)
    assert Path(name).read_bytes() == (DOCS / "images" / name).read_bytes()


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: str(picture.name))
def test_a_picture_of_the_gallery_is_up_to_date(
    picture: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool
) -> None:
    """An SVG is the same to the byte; PNGs, which fonts and trained weights change, are there."""
    monkeypatch.chdir(tmp_path)
    if update_golden:
        make(picture, FOLDER)
    elif picture.is_lasting:
        make(picture, tmp_path / "made")
        made = (tmp_path / "made" / picture.name).read_text("utf-8")
        assert made == (FOLDER / picture.name).read_text("utf-8")
    assert (FOLDER / picture.name).stat().st_size < LARGEST


def test_the_gallery_is_what_its_table_says(update_golden: bool) -> None:
    """The page names each picture with its command, and no picture is left of others."""
    if update_golden:
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text("utf-8") == page()
    names = [picture.name for picture in PICTURES]
    assert len(names) == len(set(names))
    peers = [f"peers/{peer.file}" for row in COMPARISONS for peer in row.peers]
    there = [file for file in FOLDER.rglob("*") if file.is_file()]
    assert {file.relative_to(FOLDER).as_posix() for file in there} == {*names, *peers}
    assert sum(file.stat().st_size for file in there) < LARGEST_GALLERY
