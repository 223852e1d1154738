"""Fingerprints of data: equal where all values are, whatever holds them; other where one is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netc import NetError
from netc.runtime.data import ArrayData, Batch, Dataset, arrays, fingerprints
from netc.runtime.data.choices import LOADERS
from netc.runtime.data.class_names import by_names
from netc.runtime.data.dataset import About
from netc.runtime.kerneldef import Array

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(20, 3)).astype(np.float32)
T = np.arange(20) % 2


def csv(folder: Path, values: float) -> Dataset:
    """A table of which one cell is given."""
    lines = [f"{n},{values if n == 7 else n},{'ab'[n % 2]}" for n in range(20)]
    (folder / "t.csv").write_text("\n".join(["u,v,y", *lines]))
    return LOADERS["csv"](path=str(folder / "t.csv"), target="y")


def npz(folder: Path, value: float) -> Dataset:
    """An archive of which one number is given."""
    x = X.copy()
    x[7, 1] = value
    np.savez(folder / "d.npz", x=x, y=T)
    return LOADERS["npz"](path=str(folder / "d.npz"))


def idx(folder: Path, value: float) -> Dataset:
    """MNIST's files, of which one pixel is given."""
    images = np.zeros((5, 4, 4), np.uint8)
    images[3, 2, 1] = value
    shape = b"".join(extent.to_bytes(4, "big") for extent in images.shape)
    (folder / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\3" + shape + images.tobytes())
    labels = b"\0\0\x08\1" + (5).to_bytes(4, "big") + bytes(5)
    (folder / "train-labels-idx1-ubyte").write_bytes(labels)
    return LOADERS["idx"](path=str(folder))


def cifar10(folder: Path, value: float) -> Dataset:
    """A batch of records, of which one byte is given."""
    records = bytearray(3 * 3073)
    records[5000] = int(value)
    (folder / "data_batch_1.bin").write_bytes(records)
    return LOADERS["cifar10"](path=str(folder))


def images(folder: Path, value: float) -> Dataset:
    """Pictures of two classes, of which one has a pixel that is given."""
    for name in ("cat", "dog"):
        (folder / name).mkdir(exist_ok=True)
        pixels = np.zeros((4, 4, 3), np.uint8)
        pixels[1, 1] = value if name == "dog" else 0
        Image.fromarray(pixels).save(folder / name / "1.bmp")
    return LOADERS["images"](path=str(folder))


@pytest.mark.parametrize("form", [csv, npz, idx, cifar10, images])
def test_files_by_their_content(form: Callable[[Path, float], Dataset], tmp_path: Path) -> None:
    """A file that is rewritten has its fingerprint; one value changes it."""
    once, again, other = (form(tmp_path, value).fingerprint() for value in (1, 1, 2))
    assert once == again != other


def test_a_folder_by_its_names(tmp_path: Path) -> None:
    """A picture that moves to another class is noticed, a folder that moves is not."""
    before = images(tmp_path, 1).fingerprint()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    assert images(moved, 1).fingerprint() == before
    (moved / "cat" / "1.bmp").rename(moved / "dog" / "2.bmp")
    (moved / "dog" / "1.bmp").rename(moved / "cat" / "1.bmp")
    assert LOADERS["images"](path=str(moved)).fingerprint() != before


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    """A picture that vanishes meanwhile is an error that names it."""
    data = images(tmp_path, 1)
    (tmp_path / "dog" / "1.bmp").unlink()
    with pytest.raises(NetError, match="E001"):
        data.fingerprint()


def test_arrays_by_their_values() -> None:
    """The type, order and origin of arrays do not matter; values, shapes, names and order do."""
    known = arrays(X, T).fingerprint()
    same = [
        arrays(np.asfortranarray(X), T),
        arrays(X.astype(np.float64), T.astype(np.int16)),
        arrays(X.astype(">f4"), list(T)),
    ]
    assert {data.fingerprint() for data in same} == {known}
    other = [
        arrays(X[::-1], T),
        arrays(X, T[::-1]),
        arrays(X.reshape(20, 1, 3), T),
        arrays({"other": X}, T),
        arrays(X, T, classes=("a", "b")),
        arrays(X, None),
    ]
    assert len({known, *(data.fingerprint() for data in other)}) == 1 + len(other)


@pytest.mark.parametrize(
    ("name", "arguments", "changes"),
    [
        ("xor", {"samples": 8}, {"noise": 0.1, "seed": 1}),
        ("spirals", {"samples": 9}, {"noise": 0.1, "seed": 1, "classes": 2}),
        ("shapes", {"samples": 9}, {"noise": 0.1, "seed": 1, "target": "box"}),
    ],
)
def test_data_of_code_by_their_arguments(
    name: str, arguments: dict[str, int], changes: dict[str, object]
) -> None:
    """Each argument matters, and no sample is made."""
    known = LOADERS[name](**arguments).fingerprint()
    assert LOADERS[name](**arguments).fingerprint() == known
    for argument, value in changes.items():
        assert LOADERS[name](**{**arguments, argument: value}).fingerprint() != known


def test_large_data_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more bytes than are looked at, evenly spaced samples and the last one count."""
    monkeypatch.setattr(fingerprints, "MOST_BYTES", X.nbytes // 4)
    known = arrays(X, T).fingerprint()
    noticed = []
    for sample in range(len(X)):
        x = X.copy()
        x[sample, 0] += 1
        noticed.append(arrays(x, T).fingerprint() != known)
    assert noticed == [sample % 4 == 0 or sample == 19 for sample in range(20)]


class Unknown(Dataset):
    """Data that say nothing of their values."""

    def __init__(self, x: Array) -> None:
        self.x = x
        self.about = About("unknown")

    def __len__(self) -> int:
        return len(self.x)

    def read(self, indices: Array) -> Batch:
        """Rows of the array."""
        return Batch({"input": self.x[indices]}, {})


def test_other_data_by_what_they_read() -> None:
    """Of data of unknown origin, and of renumbered ones, what is read counts."""
    assert (
        Unknown(X).fingerprint() == Unknown(X.copy()).fingerprint() != Unknown(X + 1).fingerprint()
    )
    named = arrays(X, np.array(["a", "b"] * 10))
    assert isinstance(named, ArrayData)
    renumbered = by_names(named, {"target": ("b", "a")})
    assert renumbered.fingerprint() != named.fingerprint()
