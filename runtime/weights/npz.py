"""Npz files, NumPy's archives: read and written array by array, never with pickled objects."""

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from ...compiler.ir.types import DType, TensorType
from ...grammar.diagnostics import NetError, error
from ...grammar.files import check_readable
from ..arrays.memory import check_memory
from ..arrays.npy import Header, NotAnArray, read_header
from ..kerneldef import Array
from .state import LazyState

# What zipfile and zlib raise at bytes that are no archive, are encrypted, or end too early.
_MALFORMED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, UnicodeDecodeError),
    *(EOFError, OSError, NotImplementedError, RuntimeError),
)
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # how NumPy writes
_MOST_PACKED = 1032  # bytes that a byte of deflate can stand for (zlib's technical details)
_CHUNK = 2**16  # bytes
_SUFFIX = ".npy"


class NpzState(LazyState):
    """The arrays of an npz file, which is opened for each reading."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._types = _types(path)
        super().__init__(self._types)

    def __getitem__(self, name: str) -> Array:
        type = self._types[name]  # an unknown name is a KeyError, as in any mapping
        check_memory(f"`{name}` of `{self.path}`", type.nbytes)
        with _opened(self.path) as archive, archive.open(name + _SUFFIX) as member:
            try:
                array: Array = npy.read_array(member, allow_pickle=False)
            except ValueError as failure:  # fewer bytes than its header says
                raise malformed(self.path, f"`{name}`: {failure}") from None
            return array

    def verify(self, name: str) -> None:
        """Compare an array's bytes with the archive's checksum, without keeping them.

        Raises:
            NetError: E505, they differ.
        """
        with _opened(self.path) as archive, archive.open(name + _SUFFIX) as member:
            while member.read(_CHUNK):
                pass

    def type_of(self, name: str) -> TensorType:
        """An array's type, from its header."""
        return self._types[name]


def open_npz(path: str) -> NpzState:
    """Open an npz file and read its arrays' headers.

    Raises:
        NetError: The file cannot be read (E001), or is not an npz file of plain numbers (E505).
    """
    return NpzState(path)


@contextmanager
def _opened(path: str) -> Iterator[zipfile.ZipFile]:
    """An open archive whose failures, also those of its members, are `NetError`s."""
    check_readable(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _MALFORMED as failure:
        raise malformed(path, str(failure)) from None


def _types(path: str) -> dict[str, TensorType]:
    types: dict[str, TensorType] = {}
    with _opened(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(_SUFFIX)
            if name == info.filename:
                raise malformed(path, f"`{name}` is not an array")
            if info.compress_type not in _PACKED:
                raise malformed(path, f"`{name}` is packed in a way that NumPy does not use")
            with archive.open(info) as file:
                header = _header(path, name, file)
                held = info.file_size - file.tell()
            types[name] = TensorType(DType(header.dtype.name), header.shape)
            if held != header.bytes or info.file_size > _MOST_PACKED * (info.compress_size + 1):
                packed = f", packed in {info.compress_size:_}"
                held_bytes = f"`{name}` is {types[name]}, and holds {held:_} bytes{packed}"
                raise malformed(path, held_bytes)
    return types


def _header(path: str, name: str, file: IO[bytes]) -> Header:
    """An array's type; only plain numbers are taken."""
    try:
        return read_header(file)
    except NotAnArray as failure:
        raise malformed(path, f"`{name}`: {failure}") from None


def write_npz(file: BinaryIO, state: Mapping[str, Any]) -> None:
    """Write weights, one at a time.

    Raises:
        NetError: E505, an array of anything but numbers.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in state:
            array = np.asarray(state[name])
            if array.dtype.kind not in "biuf":
                raise error("E505", f"`{name}` cannot be stored: it holds {array.dtype}")
            # A fixed date: the same weights give the same bytes.
            entry = zipfile.ZipInfo(name + _SUFFIX)
            with archive.open(entry, "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)


def malformed(path: str, reason: str) -> NetError:
    """The error for a file that is not what its suffix says."""
    return error(
        "E505",
        f"`{path}` is not a complete npz file of plain numbers",
        notes=[reason] if reason else [],
        help="it may be truncated, or of another format: save it again with `numpy.savez`",
    )
