"""Files of pictures -> numbers from 0 to 1, in gray or colour, regardless of the file's mode."""

import logging
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from types import ModuleType
from typing import Any

import numpy as np

from ...grammar.files import check_readable
from ..arrays.memory import check_memory
from ..extras import from_extra
from ..kerneldef import Array
from .faults import damaged, empty, listed

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB"}  # Pillow's names of 8-bit gray and colour, by the number of channels
# What files of these formats begin with.
_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8", b"P5", b"P6", b"II*\0", b"MM\0*", b"RIFF")
# What Pillow raises at bytes that it cannot make sense of.
_MALFORMED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
# Pillow's modes (https://pillow.readthedocs.io/en/stable/handbook/concepts.html).
_GRAY = ("1", "L", "LA", "La")
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_TRANSPARENT = ("LA", "PA", "RGBA", "La", "RGBa")
_ALWAYS_READ = 2**24  # pixels; more are read where a file has bytes for them
_MOST_PACKED = 10_000  # pixels that a byte can stand for: 8 bits, packed by deflate
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # tags of TIFF 6.0, section 8
_SILENT = logging.NullHandler()
_SIXTEEN_BITS = ("PNG", "PPM")  # formats whose mode `I` has 16 bits of its 32


def is_picture(path: str) -> bool:
    """Whether a file's name is that of a picture."""
    return path.lower().endswith(SUFFIXES)


def is_picture_file(data: bytes) -> bool:
    """Whether bytes begin as a file of a picture does."""
    return data.startswith(_STARTS)


def pictures_in(folder: str) -> list[str]:
    """The paths of the pictures in a folder, in the order of their names.

    Raises:
        NetError: The folder cannot be read (E001), or holds none (E525).
    """
    found = [os.path.join(folder, name) for name in listed(folder) if is_picture(name)]
    if not found:
        raise empty(f"`{folder}`", f"known are {' '.join(SUFFIXES)}")
    return found


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture from a file, upright.

    Attributes:
        image: Pillow's: 8-bit gray or colour, or deep gray from 0 to 1 (mode `F`).
        upright: The same as the file holds it, with its own mode.
    """

    image: Any
    upright: Any

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        width, height = self.image.size
        return height, width

    def pixels(self, size: tuple[int, ...]) -> Array:
        """Its pixels, (1 or 3, H, W), resized where needed (bilinear): bytes, or deep gray."""
        image = self.image
        if self.size != size:
            image = image.resize(size[::-1], pillow().Resampling.BILINEAR)
        pixels: Array = np.asarray(image).reshape(*size, -1).transpose(2, 0, 1)
        return pixels

    def to_array(self, *, channels: int, size: tuple[int, ...]) -> Array:
        """The picture as float32 (C, H, W) from 0 to 1, resized where needed (bilinear)."""
        return scaled(self.pixels(size), channels)

    def changes(self, *, channels: int, size: tuple[int, ...]) -> list[str]:
        """What `to_array` does to the picture, in words."""
        sizes = f"resized from {spelled(self.size)} to {spelled(size)}"
        done = {
            sizes: self.size != size,
            "made gray": channels == 1 and _is_coloured(self.upright),
            "laid on white where it is transparent": _sees_through(self.upright),
        }
        return [what for what, is_done in done.items() if is_done]


def scaled(pixels: Array, channels: int) -> Array:
    """Pixels as float32 (C, H, W) from 0 to 1; deep gray is so already."""
    largest = 255 if pixels.dtype == np.uint8 else 1
    found = np.divide(pixels, np.float32(largest), dtype=np.float32)
    return np.broadcast_to(found, (channels, *pixels.shape[1:]))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file of a picture that is in memory, as cells of Parquet files hold them.

    Attributes:
        name: What messages call it.
        data: Its bytes.
    """

    name: str
    data: bytes

    def __str__(self) -> str:
        return self.name


def open_picture(stored: str | Encoded, *, channels: int) -> Picture:
    """A picture as its camera held it, in gray or colour.

    Transparent parts are laid on white, and gray of up to 16 bits is divided by its largest value.

    Args:
        stored: The path of a file, or a file in memory.
        channels: 3 for colour, 1 for gray.

    Raises:
        NetError: It cannot be read (E001), is damaged or has numbers whose range is not known
            (E521), or Pillow is missing (E528).
    """
    image = pillow()
    from PIL import ImageOps

    path = str(stored)
    if isinstance(stored, Encoded):
        source: str | BytesIO = BytesIO(stored.data)
    else:
        check_readable(source := stored)
    try:
        with image.open(source) as file:
            width, height = file.size
            held = len(stored.data) if isinstance(stored, Encoded) else os.path.getsize(path)
            if width * height > max(_ALWAYS_READ, _MOST_PACKED * held):
                raise damaged(
                    path, f"its bytes cannot hold the {width * height:_} pixels it states"
                )
            upright = ImageOps.exif_transpose(file)
            return Picture(_converted(path, upright, file, MODES[channels]), upright)
    except (*_MALFORMED, image.DecompressionBombError) as failure:
        raise damaged(path, str(failure)) from None


def read_pictures(
    paths: Sequence[str], *, channels: int, size: tuple[int, ...]
) -> tuple[Array, dict[str, list[str]]]:
    """Pictures as (N, C, H, W) from 0 to 1, resized (bilinear), and by path what that changed.

    Raises:
        NetError: One cannot be read (E001) or is damaged (E521), Pillow is missing (E528), or
            memory cannot hold them all in this size (E507).
    """
    check_pictures(len(paths), channels, size)
    found = np.empty((len(paths), channels, *size), np.float32)
    changes = {}
    for place, path in enumerate(paths):
        picture = open_picture(path, channels=channels)
        found[place] = picture.to_array(channels=channels, size=size)
        changes[path] = picture.changes(channels=channels, size=size)
    return found, {path: done for path, done in changes.items() if done}


def check_pictures(count: int, channels: int, size: Sequence[int]) -> None:
    """Refuse pictures that memory cannot hold.

    Raises:
        NetError: E507.
    """
    many = "1 image" if count == 1 else f"{count:_} images"
    needed = 4 * count * channels * size[0] * size[1]
    check_memory(f"{many} of {spelled(size)}", needed, "choose a smaller size, or smaller batches")


def spelled(size: Sequence[int]) -> str:
    """Height and width as programs have them, such as `28x28`."""
    return "x".join(map(str, size))


def pillow() -> ModuleType:
    """Pillow's module of pictures.

    Raises:
        NetError: E528, it is not installed.
    """
    with from_extra("images are read", "Pillow", "train"):
        from PIL import Image
    logging.getLogger("PIL").addHandler(_SILENT)  # it also reports in exceptions
    return Image


def _converted(path: str, upright: Any, file: Any, mode: str) -> Any:
    """A picture in 8 bits of a mode, or in `F`; `file` is the opened file that it comes from."""
    if upright.mode in _DEEP:
        return _deep_gray(path, upright, file)
    if _sees_through(upright):
        upright = _on_white(upright)
    return (upright if upright.mode in _GRAY else upright.convert("RGB")).convert(mode)


def _sees_through(picture: Any) -> bool:
    """Whether any pixel is not opaque."""
    if picture.mode not in _TRANSPARENT and "transparency" not in picture.info:
        return False
    return bool(_with_alpha(picture).getchannel("A").getextrema()[0] < 255)


def _is_coloured(picture: Any) -> bool:
    """Whether the channels differ anywhere."""
    if picture.mode in _GRAY or picture.mode in _DEEP:
        return False
    pixels = np.asarray(picture.convert("RGB"))
    return bool((pixels != pixels[..., :1]).any())


def _on_white(picture: Any) -> Any:
    image = pillow()
    return image.alpha_composite(image.new("RGBA", picture.size, "white"), _with_alpha(picture))


def _with_alpha(picture: Any) -> Any:
    return picture.convert("LA" if picture.mode == "La" else "RGBA").convert("RGBA")


def _deep_gray(path: str, picture: Any, file: Any) -> Any:
    """Gray of more than 8 bits as numbers from 0 to 1."""
    if picture.mode == "F" or (picture.mode == "I" and file.format not in _SIXTEEN_BITS):
        kind = "real numbers" if picture.mode == "F" else "whole numbers of 32 bits"
        raise damaged(
            path,
            f"its pixels are {kind}, whose range is unknown",
            "save it with 8 or 16 bits for each pixel and channel",
        )
    tags = getattr(file, "tag_v2", {})
    bits = int(tags[_BITS_PER_SAMPLE][0]) if _BITS_PER_SAMPLE in tags else 16
    numbers = np.asarray(picture).astype(np.float32) / np.float32(2**bits - 1)
    white_is_zero = tags.get(_PHOTOMETRIC) == 0
    return pillow().fromarray(1 - numbers if white_is_zero else numbers)
