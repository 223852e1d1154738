"""Data sources, a row each: what writes the files, and the samples that these hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .data_files import cifar_bytes, write_mnist, write_pictures

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Samples:
    """What a source yields.

    Attributes:
        arguments: What a `train` block says.
        x: All inputs, (N, ...), or their shape where numbers are not told.
        t: All targets, likewise.
    """

    arguments: Mapping[str, Any]
    x: Array | tuple[int, ...]
    t: Array | tuple[int, ...]


@dataclass(frozen=True)
class DataRow:
    """A source, and what writes its files into a folder and tells what is then read."""

    name: str
    write: Callable[[Path], Samples]


def _digits(folder: Path) -> Samples:
    """The shipped file counts black pixels out of 16."""
    with np.load(ROOT / "runtime" / "data" / "digits.npz") as archive:
        return Samples({}, archive["images"][:, None] / 16, archive["labels"])


def _idx(folder: Path) -> Samples:
    images = write_mnist(folder, counts=(30, 12))
    return Samples({"path": "."}, images[:, None] / 255, np.r_[np.arange(30), np.arange(12)] % 10)


def _cifar10(folder: Path) -> Samples:
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (5, 3, 32, 32), np.uint8), np.array([3, 1, 4, 1, 9])
    (folder / "data_batch_1.bin").write_bytes(cifar_bytes(labels, images))
    return Samples({"path": "."}, images / 255, labels)


def _npz(folder: Path) -> Samples:
    x, t = np.random.default_rng(0).normal(size=(6, 2, 3)), np.arange(6) % 4
    np.savez(folder / "d.npz", features=x, kinds=t)
    return Samples({"path": "d.npz", "x": "features", "y": "kinds"}, x, t)


def _csv(folder: Path) -> Samples:
    (folder / "t.csv").write_text("length,kind,width\n1.5,lily,2\n3,iris,4\n-5e1,lily,6\n")
    x, t = np.array([[1.5, 2], [3, 4], [-50, 6]]), np.array([1, 0, 1])
    return Samples({"path": "t.csv", "target": "kind"}, x, t)


def _parquet(folder: Path) -> Samples:
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"length": [1.5, 3, -50], "kind": ["lily", "iris", "lily"], "width": [2, 4, 6]}
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(columns), folder / "t.parquet")
    x, t = np.array([[1.5, 2], [3, 4], [-50, 6]]), np.array([1, 0, 1])
    return Samples({"path": "t.parquet", "target": "kind"}, x, t)


def _json(folder: Path) -> Samples:
    """Two columns of numbers and one of words; lists of words are left out."""
    (folder / "t.json").write_text(
        '[{"length": 1.5, "kind": "lily", "width": 2, "tags": ["a"]},'
        ' {"length": 3, "kind": "iris", "width": 4, "tags": []},'
        ' {"length": -5e1, "kind": "lily", "width": 6, "tags": null}]'
    )
    x, t = np.array([[1.5, 2], [3, 4], [-50, 6]]), np.array([1, 0, 1])
    return Samples({"path": "t.json", "target": "kind"}, x, t)


def _images(folder: Path) -> Samples:
    sizes = dict.fromkeys(("cat/a.png", "cat/b.png", "dog/a.png"), (5, 4))
    pixels = np.stack(list(write_pictures(folder, sizes).values()))
    return Samples({"path": "."}, pixels.transpose(0, 3, 1, 2) / 255, np.array([0, 0, 1]))


def _xor(folder: Path) -> Samples:
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0, 0]])
    return Samples({"samples": 5}, corners, np.array([0, 1, 1, 0, 0]))


def _spirals(folder: Path) -> Samples:
    """The point at radius r on arm j lies at the angle 4 (r + j)."""
    arm, radius = np.arange(30) % 3, np.linspace(0, 1, 10)[np.arange(30) // 3]
    angle = 4 * (radius + arm)
    x = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return Samples({"samples": 30, "noise": 0.0}, x, arm)


def _shapes(folder: Path) -> Samples:
    return Samples({"samples": 4, "target": "box"}, (4, 1, 64, 64), (4, 4))


ROWS = [
    DataRow("digits", _digits),
    DataRow("idx", _idx),
    DataRow("cifar10", _cifar10),
    DataRow("npz", _npz),
    DataRow("csv", _csv),
    DataRow("parquet", _parquet),
    DataRow("json", _json),
    DataRow("images", _images),
    DataRow("xor", _xor),
    DataRow("spirals", _spirals),
    DataRow("shapes", _shapes),
]
