"""A file of text, gzipped or not, in any Unicode encoding -> its text, in memory."""

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from typing import IO

from ...grammar.diagnostics import NetError
from ...grammar.files import open_file
from ..arrays.memory import not_enough_memory, physical_memory
from .faults import damaged
from .foreign_formats import check_bytes

_LARGEST = min(2**30, physical_memory() // 16)  # bytes of text: cells take about 16 times as much
_UTF_8 = "save the file as UTF-8 text; unpack an archive such as zip"
_GZIP = b"\x1f\x8b"
# How files of other encodings begin: with a mark, or, without, with a character of ASCII.
_ENCODINGS = {
    re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff"): "utf-32",
    re.compile(rb"\xff\xfe|\xfe\xff"): "utf-16",  # what spreadsheets call Unicode
    re.compile(rb"[^\0]\0\0\0"): "utf-32-le",
    re.compile(rb"\0\0\0[^\0]"): "utf-32-be",
    re.compile(rb"[^\0]\0"): "utf-16-le",
    re.compile(rb"\0[^\0]"): "utf-16-be",
}


@contextmanager
def opened_text(path: str) -> Iterator[IO[str]]:
    """The text of a file, for as long as it is read.

    Raises:
        NetError: It cannot be read (E001), is too large (E507) or is no text (E521).
    """
    try:
        with _text(path) as file:
            yield file
    except UnicodeDecodeError as failure:
        byte, encoding = failure.object[failure.start], failure.encoding.upper()
        reason = f"the byte 0x{byte:02x} in it is not {encoding}"
        raise damaged(path, reason, _UTF_8) from None
    except UnicodeError as failure:  # a mark within UTF-16
        raise damaged(path, str(failure), _UTF_8) from None
    except (EOFError, OSError, zlib.error) as failure:
        raise damaged(path, str(failure)) from None


def _text(path: str) -> IO[str]:
    """The text of a file, in memory.

    Raises:
        NetError: It cannot be read (E001), or is too large (E507).
    """
    with open_file(path) as file:
        zipped = file.read(2) == _GZIP
        file.seek(0)
        size = os.fstat(file.fileno()).st_size
        if size > _LARGEST:
            raise _too_large(path, size)
        # One byte more than is taken: what unpacks without end is found out here.
        data = gzip.GzipFile(fileobj=file).read(_LARGEST + 1) if zipped else file.read()
    if len(data) > _LARGEST:
        raise _too_large(path, len(data))
    check_bytes(path, data)
    found = (name for start, name in _ENCODINGS.items() if start.match(data))
    encoding = next(found, "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in data:
        raise damaged(path, "it contains zero bytes, which text does not", _UTF_8)
    return TextIOWrapper(BytesIO(data), encoding=encoding, newline="")


def told_text(path: str) -> str:
    """The text of a file, gzipped or not.

    Raises:
        NetError: It cannot be read (E001), is too large (E507) or is no text (E521).
    """
    with opened_text(path) as file:
        return file.read()


def _too_large(path: str, size: int) -> NetError:
    help = f"text tables are limited to {_LARGEST:_} bytes; store larger ones as npz"
    return not_enough_memory(f"the cells of `{path}`, whose text alone takes", size, help)
