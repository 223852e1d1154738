"""Npy files, NumPy's: a header that may lie -> a type; a file -> an array of plain numbers."""

import os
from io import BytesIO
from math import prod
from tokenize import TokenError
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.lib import format as npy

from ...grammar.diagnostics import error
from ...grammar.files import open_file
from ..kerneldef import Array
from .memory import check_memory

# What NumPy, which reads a header as an expression of Python, raises at one that is none.
_NO_HEADER = (MemoryError, RecursionError, SyntaxError, TokenError, TypeError, ValueError)
_MAGIC = 8  # bytes: a prefix, and the version of the format
_LONGEST_HEADER = 10_000  # characters, as NumPy reads at most where it does not trust a file
# By the format's version, how many bytes state the header's length, and what reads the header.
_VERSIONS = {
    b"\1\0": (2, npy.read_array_header_1_0),
    b"\2\0": (4, npy.read_array_header_2_0),
}
_ARCHIVE = b"PK\3\4"
_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_TABLES = (".csv", ".txt", ".tsv", ".dat", ".data")


class NotAnArray(Exception):
    """A file holds no plain array of numbers; the message says why."""


class Header(NamedTuple):
    """What an npy file says of its array."""

    shape: tuple[int, ...]
    order: Literal["C", "F"]
    dtype: "np.dtype[Any]"

    @property
    def bytes(self) -> int:
        """The size of the array, in the file and in memory."""
        return prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> Header:
    """The header of an array of numbers; the file is positioned after it.

    Raises:
        NotAnArray: It is not one.
    """
    magic = file.read(_MAGIC)
    if not magic.startswith(npy.MAGIC_PREFIX) or magic[-2:] not in _VERSIONS:
        raise NotAnArray("it has no header that NumPy knows")
    width, read = _VERSIONS[magic[-2:]]
    size = file.read(width)
    length = int.from_bytes(size, "little")
    if length > _LONGEST_HEADER:
        raise NotAnArray(f"its header has {length:_} bytes")
    text = BytesIO(size + file.read(length))
    try:
        shape, columns_first, dtype = read(text)
    except _NO_HEADER as failure:
        raise NotAnArray(str(failure)) from None
    if dtype.kind not in "biuf":
        raise NotAnArray(f"it holds {dtype}, not numbers")
    if any(extent < 0 for extent in shape):
        raise NotAnArray(f"it has the shape {shape}")
    return Header(tuple(shape), "F" if columns_first else "C", dtype)


def _saved_as_npy(path: str) -> str:
    """How a file of another format becomes an array."""
    stem, suffix = os.path.splitext(path)
    if suffix.lower() in _IMAGES:
        pixels = f'numpy.asarray(PIL.Image.open({path!r}).convert("RGB"), "float32") / 255'
        channels_first = f"numpy.save({stem + '.npy'!r}, x.transpose(2, 0, 1)[None])"
        how = f"in Python, `x = {pixels}` and `{channels_first}`"
        return (
            f"`netc predict` reads images, with the weights of a run; {how} convert it to an array"
        )
    if suffix.lower() in _TABLES:
        numbers = f'numpy.loadtxt({path!r}, delimiter=",", ndmin=2)'
        return f"in Python, `numpy.save({stem + '.npy'!r}, {numbers})` converts it"
    return "save the array with `numpy.save`"


def read_npy(path: str) -> Array:
    """The array in an npy file.

    Raises:
        NetError: The file cannot be read (E001), does not hold a plain array of numbers (E505),
            or one that memory cannot hold (E507).
    """
    with open_file(path) as file:
        if file.read(len(_ARCHIVE)) == _ARCHIVE:
            help = "give one .npy file per input"
            raise error("E505", f"`{path}` holds several arrays", help=help)
        file.seek(0)
        if file.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
            raise error("E505", f"`{path}` is not a .npy file", help=_saved_as_npy(path))
        file.seek(0)
        try:
            header = read_header(file)
            held = os.fstat(file.fileno()).st_size - file.tell()
            if held < header.bytes:
                raise NotAnArray(f"it holds {held:_} of {header.bytes:_} bytes")
            check_memory(f"the array in `{path}`", header.bytes)
            numbers = np.fromfile(file, header.dtype, prod(header.shape))
            return numbers.reshape(header.shape, order=header.order)
        except (NotAnArray, OSError) as failure:
            raise error("E505", f"`{path}` does not hold a plain array: {failure}") from None
