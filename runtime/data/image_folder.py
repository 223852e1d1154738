"""A folder of pictures, a sub-folder per class -> a data set; pictures are decoded on demand."""

import os

import numpy as np

from .choices import loader
from .dataset import INPUT_NAME, TARGET_NAME, WHITE, About, Dataset, Rows
from .faults import empty, listed, located, wrong_argument
from .given_parts import GivenParts, part_folders
from .picture_files import MODES, SUFFIXES, is_picture, pillow
from .stored_pictures import StoredPictures


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
    return GivenParts(train, others.get("validation"), others.get("test"))


def _part(
    place: str, path: str, name: str, size: tuple[int, ...] | None, channels: int
) -> "ImageFolder":
    """The pictures of a part, which are in a folder of its name."""
    return ImageFolder(os.path.join(place, name), f"`{os.path.join(path, name)}`", size, channels)


class ImageFolder(StoredPictures):
    """Pictures in sub-folders, a class each."""

    def __init__(self, path: str, name: str, size: tuple[int, ...] | None, channels: int) -> None:
        classes = [each for each in listed(path) if _is_class(path, each)]
        files = [
            (os.path.join(path, each, file), label)
            for label, each in enumerate(classes)
            for file in listed(os.path.join(path, each))
            if is_picture(file)
        ]
        if not files:
            raise empty(
                name,
                "put the images of each class into a separate sub-folder; known are"
                f" {' '.join(SUFFIXES)}",
            )
        about = About(
            name,
            {TARGET_NAME: "label"},
            {TARGET_NAME: tuple(classes)},
            units={INPUT_NAME: WHITE},
        )
        labels = np.array([label for _, label in files], np.int64)
        super().__init__(
            [path for path, _ in files],
            {TARGET_NAME: Rows((labels,), "int64")},
            about,
            size=size,
            channels=channels,
            identity=[f"{label}/{os.path.basename(path)}" for path, label in files],
        )


def _is_class(path: str, name: str) -> bool:
    return not name.startswith(".") and os.path.isdir(os.path.join(path, name))
