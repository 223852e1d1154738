"""Files of data and weights that were damaged: they are read or refused, and nothing else."""

import gzip
import io
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.damage import damage
from support.data_files import cifar_bytes, idx_bytes
from support.memory import less_memory_than

import netc
from netc.runtime.arrays.npy import read_npy
from netc.runtime.data import LOADERS, Dataset
from netc.runtime.weights.files import load_weights

ROUNDS = 100
PICTURES = np.arange(2 * 9, dtype=np.uint8).reshape(2, 3, 3)
NUMBERS = np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4)


def _npz(**options: Any) -> bytes:
    stream = io.BytesIO()
    save = np.savez_compressed if options.get("packed") else np.savez
    save(stream, x=NUMBERS, y=np.arange(2))
    return stream.getvalue()


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, NUMBERS)
    return stream.getvalue()


def _picture(array: Any, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format, **options)
    return stream.getvalue()


def _safetensors() -> bytes:
    header = b'{"w":{"dtype":"F32","shape":[2,3,4],"data_offsets":[0,96]},"__metadata__":{"a":"b"}}'
    return len(header).to_bytes(8, "little") + header + NUMBERS.tobytes()


TABLE = b'a,b,c\n1,2.5,"4"\n3,7,2\n5,6,2\n'
CIFAR = cifar_bytes(np.array([1, 9], np.uint8), np.zeros((2, 3, 32, 32), np.uint8))
COLOURS = np.stack([PICTURES[0]] * 3, axis=-1)
# By the file's name, its bytes.
FILES: dict[str, bytes] = {
    "idx": idx_bytes(PICTURES),
    "idx.gz": gzip.compress(idx_bytes(PICTURES)),
    "data_batch_1.bin": CIFAR,
    "npz": _npz(),
    "packed.npz": _npz(packed=True),
    "csv": TABLE,
    "csv.gz": gzip.compress(TABLE),
    "utf16.csv": TABLE.decode().encode("utf-16"),
    "blanks.csv": b' 1.5 2 "a b"\n 3.5 4 c\n2 2 "a b"\n',
    "npy": _npy(),
    "weights.npz": _npz(),
    "weights.safetensors": _safetensors(),
    "gray.png": _picture(PICTURES[0], "PNG"),
    "deep.png": _picture(PICTURES[0].astype(np.uint16) * 200, "PNG"),
    "deep.tif": _picture(PICTURES[0].astype(np.uint16) * 200, "TIFF"),
    "colour.jpg": _picture(COLOURS, "JPEG"),
    "colour.gif": _picture(COLOURS, "GIF"),
    "colour.bmp": _picture(COLOURS, "BMP"),
    "colour.webp": _picture(COLOURS, "WEBP"),
    "deep.pgm": _picture(PICTURES[0].astype(np.int32) * 200, "PPM"),
    "colour.ppm": _picture(COLOURS, "PPM"),
}


def _weights(path: Path) -> Mapping[str, Any]:
    state = load_weights(path)
    for name in state:
        state.type_of(name)
    return dict(state)


def _read(path: Path) -> Dataset | Mapping[str, Any] | Any:
    """What a file holds, read by what its name belongs to."""
    name = path.name
    if name.startswith("weights"):
        return _weights(path)
    if name == "npy":
        return read_npy(str(path))
    kind = name.split(".")[-1 if name[-3:] in ("npz", "csv") else 0]
    if kind == "data_batch_1":
        return LOADERS["cifar10"](str(path.parent))
    if kind == "idx":
        return LOADERS["idx"](str(path), labels=str(path.parent / "labels"))
    if kind in LOADERS:
        return LOADERS[kind](str(path))
    return LOADERS["images"](str(path.parent.parent))


def attempt(path: Path) -> str:
    """What comes of reading a file: samples, or what it is refused with."""
    try:
        found = _read(path)
        if isinstance(found, Dataset):
            found.take(range(min(len(found), 2)))
    except netc.NetError as refusal:
        return str(refusal)
    return "read"


def place(folder: Path, name: str) -> Path:
    """Where a file of this name lies."""
    (folder / "a").mkdir()
    (folder / "a" / "labels").write_bytes(idx_bytes(np.array([0, 1], np.uint8)))
    return folder / "a" / name


@pytest.mark.filterwarnings("ignore")  # Pillow's and NumPy's, on what they can read nevertheless
@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_refused_or_read(tmp_path: Path, name: str) -> None:
    """Whatever happens to a file's bytes, reading it ends in samples or in a `NetError`, soon."""
    random = Random(name)
    path = place(tmp_path, name)
    path.write_bytes(FILES[name])
    assert attempt(path) == "read"
    refused = 0
    for _ in range(ROUNDS):
        path.write_bytes(damage(FILES[name], random))
        start = time.perf_counter()
        refused += attempt(path) != "read"
        assert time.perf_counter() - start < 5
    assert refused > ROUNDS // 50


def _zip(data: bytes, method: int) -> bytes:
    """An npz file whose only array, `x`, is packed in a way."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("x.npy", data)
        archive.writestr("y.npy", _npy())
    return stream.getvalue()


def _header(shape: str, version: int = 1) -> bytes:
    """The header of an npy file of bytes that states a shape."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 * version, "little") + text


def _lzma() -> bytes:
    """An npz file with an LZMA member, within which a byte is another."""
    data = bytearray(_zip(_npy(), zipfile.ZIP_LZMA))
    data[60] ^= 0xFF
    return bytes(data)


LIES: dict[str, tuple[str, bytes, str, str]] = {
    "an npz file packed with LZMA, damaged": ("npz", _lzma(), "E505", "packed in a way"),
    "an npz file packed with bzip2": ("npz", _zip(_npy(), zipfile.ZIP_BZIP2), "E505", "in a way"),
    "an npz file that is only a mark": ("npz", b"PK\3\4", "E505", "not a zip file"),
    "nested brackets in an npz file": (
        "npz",
        _zip(_header("(" * 9000), zipfile.ZIP_STORED),
        "E505",
        "`x`",
    ),
    "a member that states more than it holds": (
        "npz",
        _zip(_header("(1000000000000, 4)"), zipfile.ZIP_DEFLATED),
        "E505",
        "holds 0 bytes",
    ),
    "a header of 4 GB": (
        "npz",
        _zip(b"\x93NUMPY\2\0\xff\xff\xff\xff" + b" " * 10**6, zipfile.ZIP_DEFLATED),
        "E505",
        "its header has 4_294_967_295 bytes",
    ),
    "a negative extent": ("weights.npz", _zip(_header("(-2, -3)"), 0), "E505", "shape (-2, -3)"),
    "nested brackets": ("npy", _header("(" * 9000), "E505", "does not hold a plain array"),
    "nested signs": ("npy", _header("-" * 9000 + "1"), "E505", "does not hold a plain array"),
    "an absurd shape": ("npy", _header("(1000000000000, 4)"), "E505", "0 of 4_000_000_000_000"),
    "an extent below zero": ("npy", _header("(-1, 4)"), "E505", "it has the shape (-1, 4)"),
    "an archive in place of an array": ("npy", b"PK\3\4", "E505", "holds several arrays"),
    "gzip that unpacks to more than it can": (
        "idx.gz",
        gzip.compress(b"\0\0\x08\x03" + b"\0\xff\xff\xff" * 3),
        "E521",
        "cannot unpack",
    ),
    "a safetensors header of 2^63 bytes": (
        "weights.safetensors",
        (2**63).to_bytes(8, "little") + b"{}",
        "E505",
        "is not a complete",
    ),
    "a safetensors file of overlapping tensors": (
        "weights.safetensors",
        _safetensors().replace(b"[0,96]", b"[8,96]"),
        "E505",
        "is not a complete",
    ),
    "a small picture of large extents": (
        "colour.gif",
        FILES["colour.gif"][:6] + b"\0\x20\0\x20" + FILES["colour.gif"][10:],
        "E521",
        "its bytes cannot hold the 67_108_864 pixels",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_files_that_lie(tmp_path: Path, lie: str) -> None:
    """What a header states is checked before any memory is taken for it."""
    name, data, code, message = LIES[lie]
    path = place(tmp_path, name)
    path.write_bytes(data)
    with less_memory_than(20 * 2**20):
        text = attempt(path)
    assert text.startswith(f"error[{code}]")
    assert message in text


@pytest.mark.parametrize("name", ["npz", "packed.npz", "weights.npz"])
def test_every_bit_of_an_array_counts(tmp_path: Path, name: str) -> None:
    """The checksums of an archive are compared, also of arrays that stay in the file."""
    path = place(tmp_path, name)
    whole = FILES["packed.npz" if name == "packed.npz" else "npz"]
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        packed = archive.getinfo("x.npy").compress_size
    start = whole.index(b"x.npy") + len("x.npy")
    for at in range(start + packed // 2, start + packed, 7):
        damaged = bytearray(whole)
        damaged[at] ^= 4
        path.write_bytes(damaged)
        assert attempt(path).startswith("error[E505]")


def test_arrays_that_memory_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that tell the truth are refused by what they take, before they are read."""
    monkeypatch.setattr("netc.runtime.arrays.memory.physical_memory", lambda: 2**20)
    large = np.zeros((2, 3, 2**18), np.float32)
    stream = io.BytesIO()
    np.savez_compressed(stream, x=large, y=np.arange(2))
    pictures = gzip.compress(idx_bytes(np.zeros((2, 1024, 1024), np.uint8)))
    for name, data in {
        "npz": stream.getvalue(),
        "weights.npz": stream.getvalue(),
        "idx.gz": pictures,
    }.items():
        (tmp_path / name).mkdir()
        path = place(tmp_path / name, name)
        path.write_bytes(data)
        assert attempt(path).startswith("error[E507]: there is not enough memory for")
    np.save(tmp_path / "x.npy", large)
    with pytest.raises(netc.NetError, match="6_291_456 bytes"):
        read_npy(str(tmp_path / "x.npy"))


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("name", FILES)
def test_only_regular_files_are_read(tmp_path: Path, name: str) -> None:
    """No loader waits for a pipe that nobody writes to, or reads a device without end."""
    path = place(tmp_path, name)
    os.mkfifo(path)
    assert attempt(path).startswith(f"error[E001]: cannot read `{path}`: it is a pipe or a device")
    path.unlink()
    path.symlink_to("/dev/zero")
    assert attempt(path).startswith(f"error[E001]: cannot read `{path}`: it is a pipe or a device")
