"""Pictures in files, or in bytes of files, with their targets -> a data set that decodes them."""

import os
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from ...grammar.diagnostics import NetError, error
from ..kerneldef import Array
from .dataset import INPUT_NAME, About, Batch, Dataset, Rows
from .decoded import Decoded
from .fingerprints import digest, of_files, spaced
from .picture_files import Encoded, check_pictures, open_picture, scaled, spelled

Stored = str | Encoded


class StoredPictures(Dataset):
    """Pictures (N, C, H, W) from 0 to 1, decoded when they are read.

    Args:
        stored: Paths of files, or files in memory.
        targets: The targets by name.
        about: What is known of them.
        size: Height and width that pictures are resized to (bilinear); without it, all have to
            have the first one's.
        channels: 3 for colour, 1 for gray.
        identity: Texts by which samples differ from others of the same pictures.

    Raises:
        NetError: The first picture cannot be read (E001) or is damaged (E521), where no size is
            given; memory cannot hold one (E507).
    """

    def __init__(
        self,
        stored: Sequence[Stored],
        targets: Mapping[str, Rows],
        about: About,
        *,
        size: tuple[int, ...] | None,
        channels: int,
        identity: Sequence[str],
    ) -> None:
        self.stored, self.targets, self.about, self.identity = (
            stored,
            dict(targets),
            about,
            identity,
        )
        self.channels = channels
        self.resized = size is not None
        self.size: tuple[int, ...] = size or open_picture(stored[0], channels=channels).size
        check_pictures(1, channels, self.size)
        self._decoded = Decoded()

    def __len__(self) -> int:
        return len(self.stored)

    def read(self, indices: Array) -> Batch:
        """The pictures of these numbers, and their targets."""
        check_pictures(len(indices), self.channels, self.size)
        pictures = np.empty((len(indices), self.channels, *self.size), np.float32)
        for place, index in enumerate(map(int, indices)):
            pixels = self._decoded.get(index, partial(self._pixels, self.stored[index]))
            pictures[place] = scaled(pixels, self.channels)
        targets = {name: rows.take(indices) for name, rows in self.targets.items()}
        return Batch({INPUT_NAME: pictures}, targets)

    def labels(self) -> Array | None:
        """The class of every picture."""
        kinds = self.about.kinds
        found = (rows for name, rows in self.targets.items() if kinds.get(name) == "label")
        labels = next(found, None)
        return None if labels is None else labels.take(np.arange(len(labels)))

    def fingerprint(self) -> str:
        """A digest of the files; of very many, of their names and sizes and of some contents."""
        identity = [f"{self.size} {self.channels} {self.classes}", *self.identity]
        paths = [each for each in self.stored if isinstance(each, str)]
        inside = [each.data for each in self.stored if isinstance(each, Encoded)]
        sizes = list(map(len, inside))
        some = [inside[number] for number in spaced(len(inside), sum(sizes))] if inside else []
        return digest([*identity, *(of_files(paths) if paths else [str(sizes)]), *some])

    def _pixels(self, stored: Stored) -> Array:
        """The pixels of a picture, (C, H, W)."""
        picture = open_picture(stored, channels=self.channels)
        if picture.size != self.size and not self.resized:
            raise self._unequal(stored, picture.size)
        return picture.pixels(self.size)

    def _unequal(self, stored: Stored, size: tuple[int, int]) -> NetError:
        first = spelled(self.size)
        return error(
            "E527",
            f"`{stored}` is {spelled(size)}, and the first image {first}",
            help=f"give a size that all are resized to, such as `size={first}`",
        )


def picture_places(names: Sequence[str], folder: str, suffixes: Sequence[str]) -> list[str | None]:
    """The paths of pictures that a table names, or None where there is none.

    Args:
        names: Paths from the folder, with or without a suffix.
        folder: The folder.
        suffixes: Suffixes that names may lack.
    """
    there: dict[str, set[str]] = {}

    def place(name: str) -> str | None:
        path = os.path.join(folder, name)
        within, base = os.path.split(path)
        if within not in there:
            there[within] = set(os.listdir(within)) if os.path.isdir(within) else set()
        found = (base + suffix for suffix in ("", *suffixes))
        return next((os.path.join(within, each) for each in found if each in there[within]), None)

    return [place(name) if name else None for name in names]
