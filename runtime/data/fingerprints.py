"""Data -> a digest of their values, by which a resumed run recognizes them."""

import os
from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np

from ...grammar.files import check_readable, open_file
from ..kerneldef import Array

MOST_BYTES = 2**28  # bytes that are looked at; of more, evenly spaced ones
_CHUNK = 2**22  # bytes at a time
_SAMPLES = 64  # of data that say nothing of their values but what they read


def digest(parts: Iterable[str | bytes | Array]) -> str:
    """SHA-256 of texts, bytes and arrays, which cannot be taken for each other."""
    found = sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            plain = np.ascontiguousarray(part, part.dtype.newbyteorder("<"))
            found.update(f"{plain.dtype.name}{plain.shape}".encode())
            found.update(plain.reshape(-1).view(np.uint8).data)
        else:
            data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
            found.update(f"{type(part).__name__}{len(data)}:".encode() + data)
    return found.hexdigest()


def spaced(count: int, size: int) -> Array:
    """The places of `count` things; beyond `MOST_BYTES`, of some of them with the last one."""
    every = -(-size // MOST_BYTES) or 1
    return np.union1d(np.arange(0, count, every), np.arange(count)[-1:])


def some(count: int) -> Array:
    """A few numbers below `count`, from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, _SAMPLES)).astype(np.int64))


def of_arrays(parts: Sequence[Array], dtype: str, divisor: float) -> Iterable[str | Array]:
    """What a digest takes of arrays: their values as samples, regardless of the type."""
    yield f"{dtype} {divisor}"
    for part in parts:
        yield str(part.shape)
        step = max(_CHUNK * len(part) // max(part.nbytes, 1), 1)
        numbers = spaced(len(part), part.nbytes)
        for start in range(0, len(numbers), step):
            chosen = np.asarray(part[numbers[start : start + step]])
            yield chosen.view(np.uint8) if chosen.itemsize == 1 else chosen.astype(dtype)


def of_files(paths: Sequence[str]) -> Iterable[str | bytes]:
    """What a digest takes of files: all sizes, and the contents.

    Raises:
        NetError: E001, a file cannot be read.
    """
    sizes = [_size(path) for path in paths]
    yield str(sizes)
    for number in spaced(len(paths), sum(sizes)):
        with open_file(paths[number]) as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        check_readable(path)  # names the system's reason
        raise
