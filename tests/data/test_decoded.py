"""Pictures that are kept from epoch to epoch: the same bits, within a bound."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import netc
from netc.runtime.data import decoded, stored_pictures
from netc.runtime.data.decoded import BOUND, MIB, MOST, Decoded
from netc.runtime.data.image_folder import images
from netc.runtime.data.picture_files import Picture, open_picture


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Colour, gray of 8 and of 16 bits, of two sizes, in two classes."""
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number, (shape, kind) in enumerate(
            [((9, 8, 3), "uint8"), ((9, 8), "uint8"), ((5, 7), "uint16"), ((12, 20, 3), "uint8")]
        ):
            pixels = random.integers(0, np.iinfo(kind).max, shape, kind)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return str(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are decoded, one after the other."""
    paths: list[str] = []
    original = open_picture

    def noted(path: str, *, channels: int) -> Picture:
        paths.append(path)
        return original(path, channels=channels)

    monkeypatch.setattr(stored_pictures, "open_picture", noted)
    return paths


@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_bits(
    folder: str, channels: int, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is decoded once, and equal to the last bit to what is decoded again."""
    monkeypatch.setenv(BOUND, "0")
    again = images(folder, size=(9, 8), channels=channels)
    order = np.array([3, 0, 7, 5, 1, 2, 6, 4])
    expected = again.take(order).inputs["input"]
    again.take(order)
    assert len(opened) == 16
    monkeypatch.delenv(BOUND)
    opened.clear()
    kept = images(folder, size=(9, 8), channels=channels)
    for _ in range(3):
        found = kept.take(order).inputs["input"]
        assert found.tobytes() == expected.tobytes()
        found[:] = 0  # what a batch becomes is nothing to the next one
    assert len(opened) == 8


def test_a_run_is_the_same(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training with and without what is kept ends with the same weights."""
    text = (
        f'INPUT(9x8x3) -> FC(2)\ntrain {{ data = images("{folder}", 9x8), epochs = 3, batch = 3 }}'
    )
    weights = []
    for bound in ("0", "1"):
        monkeypatch.setenv(BOUND, bound)
        weights.append(netc.compile(text).train(split=(1, 0, 0), augment="[flip]").state)
    first, second = weights
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_the_bound() -> None:
    """Pictures that came first stay; one for which there is no room is decoded each time."""
    kept, count = Decoded(250), iter(range(100))

    def decode() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return np.full(100, next(count), np.uint8)

    for _ in range(3):
        for number in range(4):
            kept.get(number, decode)
    assert (len(kept), kept.bytes) == (2, 200)
    assert next(count) == 2 + 3 * 2
    assert [int(kept.get(number, decode)[0]) for number in (0, 1)] == [0, 1]


@pytest.mark.parametrize(("text", "most"), [("", MOST), ("3", 3 * MIB), (" 0 ", 0)])
def test_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, most: int) -> None:
    """It says how many MiB are kept; by default as many as there are for sure."""
    monkeypatch.setattr(decoded, "physical_memory", lambda: 2**40)
    monkeypatch.setenv(BOUND, text)
    assert Decoded().most == most
    monkeypatch.setattr(decoded, "physical_memory", lambda: 4 * MIB)
    assert Decoded().most == (MIB if not text else most)


@pytest.mark.parametrize("text", ["-1", "1.5", "1 GiB", "much", "²"])
def test_what_is_no_bound(folder: str, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Anything else is an error."""
    monkeypatch.setenv(BOUND, text)
    with pytest.raises(netc.NetError, match="E125"):
        images(folder, size=(9, 8), channels=3)
