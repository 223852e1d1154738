"""A folder of pictures, a sub-folder per class -> a data set; pictures are decoded on demand."""

import os
from functools import partial

import numpy as np

from ...grammar.diagnostics import NetError, error
from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT_NAME, TARGET_NAME, WHITE, About, Batch, Dataset
from .decoded import Decoded
from .faults import empty, listed, located, wrong_argument
from .fingerprints import digest, of_files
from .parts import Parts, part_folders
from .picture_files import (
    MODES,
    SUFFIXES,
    check_pictures,
    is_picture,
    open_picture,
    pillow,
    scaled,
    spelled,
)


@loader("images")
def images(path: str, *, size: tuple[int, ...] | None, channels: int, folder: str = "") -> Dataset:
    """Pictures (N, C, H, W) in [0, 1]; the names of the sub-folders are the classes.

    Where the folder has sub-folders `train` and `val` or `test`, these are parts, each with a
    sub-folder per class.

    Args:
        path: The folder with a sub-folder per class.
        size: Height and width that pictures are resized to (bilinear); without it, all have to
            have the first one's.
        channels: 3 for colour, 1 for gray.
        folder: Where a relative path starts.

    Raises:
        NetError: The folder cannot be read (E001), holds no pictures in sub-folders (E525),
            Pillow is missing (E528), or memory cannot hold one picture (E507); when they are
            read, a picture is damaged (E521) or of another size (E527).
    """
    pillow()
    if channels not in MODES:
        raise wrong_argument(f"images have 1 or 3 channels, not {channels}")
    if size is not None and len(size) != 2:
        raise wrong_argument("`size` is height and width, such as `64x64`")
    missing = f"put the images of each class into a sub-folder: `{os.path.join(path, 'CLASS')}`"
    place = located(path, folder, missing=missing)
    folders = part_folders(place)
    if folders is None:
        return ImageFolder(place, f"`{path}`", size, channels)
    train = _part(place, path, folders["train"], size, channels)
    size = size or train.size
    others = {
        kind: _part(place, path, name, size, channels)
        for kind, name in folders.items()
        if kind != "train"
    }
    return Parts(train, others.get("validation"), others.get("test"))


def _part(
    place: str, path: str, name: str, size: tuple[int, ...] | None, channels: int
) -> "ImageFolder":
    """The pictures of a part, which are in a folder of its name."""
    return ImageFolder(os.path.join(place, name), f"`{os.path.join(path, name)}`", size, channels)


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
                "put the images of each class into a separate sub-folder; known are"
                f" {' '.join(SUFFIXES)}",
            )
        self.channels = channels
        self.resized = size is not None
        self.size: tuple[int, ...] = size or open_picture(self.files[0][0], channels=channels).size
        check_pictures(1, channels, self.size)
        self._decoded = Decoded()
        self.about = About(
            name,
            {TARGET_NAME: "label"},
            {TARGET_NAME: tuple(classes)},
            units={INPUT_NAME: WHITE},
        )

    def __len__(self) -> int:
        return len(self.files)

    def read(self, indices: Array) -> Batch:
        """The pictures of these numbers, and their classes."""
        check_pictures(len(indices), self.channels, self.size)
        pictures = np.empty((len(indices), self.channels, *self.size), np.float32)
        for place, index in enumerate(indices):
            number, path = int(index), self.files[index][0]
            pixels = self._decoded.get(number, partial(self._pixels, path))
            pictures[place] = scaled(pixels, self.channels)
        labels = np.array([self.files[index][1] for index in indices], np.int64)
        return Batch({INPUT_NAME: pictures}, {TARGET_NAME: labels})

    def labels(self) -> Array:
        """The class of every picture, by its folder."""
        return np.array([label for _, label in self.files], np.int64)

    def fingerprint(self) -> str:
        """A digest of the files; of very many, of their names and sizes and of some contents."""
        paths = [path for path, _ in self.files]
        names = [f"{label}/{os.path.basename(path)}" for path, label in self.files]
        told = [f"{self.size} {self.channels} {self.classes}", *names]
        return digest([*told, *of_files(paths)])

    def _pixels(self, path: str) -> Array:
        """The pixels of a picture, (C, H, W)."""
        picture = open_picture(path, channels=self.channels)
        if picture.size != self.size and not self.resized:
            raise self._unequal(path, picture.size)
        return picture.pixels(self.size)

    def _unequal(self, path: str, size: tuple[int, int]) -> NetError:
        first = spelled(self.size)
        return error(
            "E527",
            f"`{path}` is {spelled(size)}, and the first image {first}",
            help=f"give a size that all are resized to, such as `size={first}`",
        )


def _is_class(path: str, name: str) -> bool:
    return not name.startswith(".") and os.path.isdir(os.path.join(path, name))
