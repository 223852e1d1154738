"""Data sets in the formats that netc reads, made of random numbers."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]


def idx_bytes(array: Array) -> bytes:
    """An array in MNIST's format."""
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    code = codes[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_mnist(folder: Path, *, zipped: bool = False, counts: tuple[int, int] = (30, 12)) -> Array:
    """MNIST's four files with random pixels; returns all images."""
    random = np.random.default_rng(0)
    found = []
    for part, count in zip(("train", "t10k"), counts, strict=True):
        pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            data = idx_bytes(array)
            name = f"{part}-{kind}-ubyte" + ".gz" * zipped
            (folder / name).write_bytes(gzip.compress(data) if zipped else data)
        found.append(pixels)
    return np.concatenate(found)


def cifar_bytes(labels: Array, images: Array) -> bytes:
    """Records of CIFAR-10's binary version."""
    return b"".join(
        bytes([label]) + image.tobytes() for label, image in zip(labels, images, strict=True)
    )


def write_pictures(folder: Path, sizes: dict[str, tuple[int, int]]) -> dict[str, Array]:
    """Pictures of random pixels, (width, height) by their path; returns their pixels."""
    random = np.random.default_rng(0)
    found = {}
    for name, (width, height) in sizes.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        found[name] = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(found[name]).save(folder / name)
    return found
