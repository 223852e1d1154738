"""A folder of pictures, a sub-folder per class -> a data set; pictures are read on demand."""

import os
import struct
import zlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ...grammar.files import check_readable
from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT, TARGET, About, Batch, Dataset
from .faults import damaged, empty, listed, located, wrong_argument

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
# What Pillow raises at bytes that it cannot make sense of.
_MALFORMED = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_MODES = {1: "L", 3: "RGB"}


@loader("images", files=True)
def images(
    path: str, *, size: tuple[int, ...] | None = None, channels: int = 3, folder: str = ""
) -> Dataset:
    """Pictures (N, C, H, W) in [0, 1]; the names of the sub-folders are the classes.

    Args:
        path: The folder with a sub-folder per class.
        size: Height and width that pictures are resized to (bilinear); without it, all have to
            have the first one's.
        channels: 3 for colour, 1 for gray.
        folder: Where a relative path starts.

    Raises:
        NetError: The folder cannot be read (E001), holds no pictures in sub-folders (E525), or
            Pillow is missing (E528); when they are read, a picture is damaged (E521) or of
            another size (E527).
    """
    pillow()
    if channels not in _MODES:
        raise wrong_argument(f"pictures have 1 or 3 channels, and not {channels}")
    if size is not None and len(size) != 2:
        raise wrong_argument("`size` is height and width, such as `64x64`")
    return ImageFolder(located(path, folder), f"`{path}`", size, channels)


class ImageFolder(Dataset):
    """Pictures in sub-folders, a class each."""

    def __init__(self, path: str, name: str, size: tuple[int, ...] | None, channels: int) -> None:
        classes = [each for each in listed(path) if _is_class(path, each)]
        self.files = [
            (os.path.join(path, each, file), label)
            for label, each in enumerate(classes)
            for file in listed(os.path.join(path, each))
            if is_picture(file)
        ]
        if not self.files:
            raise empty(
                name,
                "put the pictures of each class into a sub-folder of their own; known are"
                f" {' '.join(_SUFFIXES)}",
            )
        self.mode = _MODES[channels]
        self.resized = size is not None
        self.size = size or self._size_of_first()
        self.about = About(name, {TARGET: "label"}, {TARGET: tuple(classes)})

    def __len__(self) -> int:
        return len(self.files)

    def read(self, indices: Array) -> Batch:
        """The pictures of these numbers, and their classes."""
        channels = len(self.mode)
        pictures = np.empty((len(indices), channels, *self.size), np.float32)
        for place, index in enumerate(indices):
            pixels = self._pixels(self.files[index][0]).reshape(*self.size, channels)
            np.divide(pixels.transpose(2, 0, 1), np.float32(255), out=pictures[place])
        labels = np.array([self.files[index][1] for index in indices], np.int64)
        return Batch({INPUT: pictures}, {TARGET: labels})

    def labels(self) -> Array:
        """The class of every picture, by its folder."""
        return np.array([label for _, label in self.files], np.int64)

    def _size_of_first(self) -> tuple[int, ...]:
        width, height = _opened(self.files[0][0], self.mode).size
        return height, width

    def _pixels(self, path: str) -> Array:
        """A picture's bytes, (H, W) or (H, W, 3)."""
        height, width = self.size
        picture = _opened(path, self.mode)
        if picture.size != (width, height):
            if not self.resized:
                raise self._unequal(path, picture.size)
            picture = picture.resize((width, height), pillow().Resampling.BILINEAR)
        return np.asarray(picture, np.uint8)

    def _unequal(self, path: str, size: tuple[int, int]) -> Exception:
        height, width = self.size
        return error(
            "E527",
            f"`{path}` is {size[1]}x{size[0]}, and the first picture {height}x{width}",
            help=f"give a size that all are resized to, such as `size={height}x{width}`",
        )


def is_picture(path: str) -> bool:
    """Whether a file's name is that of a picture."""
    return path.lower().endswith(_SUFFIXES)


def pictures_in(folder: str) -> list[str]:
    """The paths of the pictures in a folder, in the order of their names.

    Raises:
        NetError: The folder cannot be read (E001), or holds none (E525).
    """
    found = [os.path.join(folder, name) for name in listed(folder) if is_picture(name)]
    if not found:
        raise empty(f"`{folder}`", f"known are {' '.join(_SUFFIXES)}")
    return found


def read_pictures(paths: Sequence[str], *, channels: int, size: tuple[int, int]) -> Array:
    """Pictures (N, C, H, W) in [0, 1], resized to height and width (bilinear).

    Raises:
        NetError: One cannot be read (E001) or is damaged (E521), or Pillow is missing (E528).
    """
    found = np.empty((len(paths), channels, *size), np.float32)
    for place, path in enumerate(paths):
        picture = _opened(path, _MODES[channels]).resize(size[::-1], pillow().Resampling.BILINEAR)
        pixels = np.asarray(picture, np.uint8).reshape(*size, channels)
        np.divide(pixels.transpose(2, 0, 1), np.float32(255), out=found[place])
    return found


def _is_class(path: str, name: str) -> bool:
    return not name.startswith(".") and os.path.isdir(os.path.join(path, name))


def _opened(path: str, mode: str) -> Any:
    """A picture in a mode of Pillow's, turned as its camera says that it was held."""
    from PIL import ImageOps

    check_readable(path)
    image = pillow()
    try:
        with image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert(mode)
    except (*_MALFORMED, image.DecompressionBombError) as failure:
        raise damaged(path, str(failure)) from None


def pillow() -> ModuleType:
    """Pillow's module of pictures.

    Raises:
        NetError: E528, it is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise error(
            "E528",
            "pictures are read by Pillow, which is not installed",
            help="install the extra `train`: `pip install 'netc[train]'`",
        ) from None
    return Image
