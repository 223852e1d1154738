"""Files in MNIST's format (idx, gzipped or not) -> a data set; plain files are read on demand."""

import gzip
import os
import zlib
from math import prod
from typing import BinaryIO

import numpy as np

from ...compiler.training.foreign import DOWNLOADS
from ...grammar.diagnostics import error
from ...grammar.files import check_readable
from ..arrays.memory import check_memory
from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT_NAME, TARGET_NAME, WHITE, About, ArrayData, Dataset, Rows
from .faults import damaged, listed, located, mismatched

# The third byte of the magic number, http://yann.lecun.com/exdb/mnist; numbers are big-endian.
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# What gzip and NumPy raise at bytes, or extents, that they cannot make sense of.
_UNREADABLE = (EOFError, MemoryError, OSError, OverflowError, ValueError, zlib.error)
_MOST_PACKED = 1032  # bytes that a byte of deflate can stand for (zlib's technical details)
_PARTS = ("train", "t10k")
_KINDS = {"images": "images-idx3-ubyte", "labels": "labels-idx1-ubyte"}
_RAW = "raw"  # where torchvision unpacks them


Bytes = BinaryIO | gzip.GzipFile


@loader("idx")
def idx(path: str, *, labels: str | None, folder: str = "") -> Dataset:
    """Images (N, C, H, W) and labels of a folder such as MNIST's, or of two files.

    Bytes become numbers from 0 to 1; numbers of other types are taken as they are.

    Args:
        path: A folder with `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, and the same
            with `t10k`, which are a separate test part; or a file of images.
        labels: The file of labels that belongs to a file of images.
        folder: Where relative paths start.

    Raises:
        NetError: A file cannot be read (E001), has another format or is truncated (E521), or
            images and labels differ in number (E522).
    """
    fetch = f"{DOWNLOADS['fashionmnist' if 'fashion' in path.lower() else 'mnist']} `{path}`"
    if labels is None:
        pairs = _standard(located(path, folder, missing=fetch), fetch)
    else:
        missing = "name the files of images and of labels: `idx(images, labels=...)`"
        ends = [located(each, folder, missing=missing) for each in (path, labels)]
        pairs = [(ends[0], ends[1])]
    images, classes = [], []
    for image_file, label_file in pairs:
        images.append(_images(image_file))
        classes.append(_labels(label_file))
        if len(images[-1]) != len(classes[-1]):
            counts = [(image_file, len(images[-1])), (label_file, len(classes[-1]))]
            raise mismatched((f"`{file}`", count) for file, count in counts)
    if len({part.shape[1:] for part in images}) > 1:
        listing = " and ".join("x".join(map(str, part.shape[2:])) for part in images)
        raise error("E527", f"the images of `{path}` have unequal sizes: {listing}")
    if len({part.dtype for part in images}) > 1:
        listing = " and ".join(part.dtype.name for part in images)
        raise error("E527", f"the images of `{path}` have unequal types: {listing}")
    held_out = len(images[-1]) if len(images) > 1 else 0
    bytes_alone = all(part.dtype == np.uint8 for part in images)
    about = About(
        name=f"`{path}`",
        kinds={TARGET_NAME: "label"},
        held_out=held_out,
        units={INPUT_NAME: WHITE} if bytes_alone else {},
    )
    divisor = WHITE if bytes_alone else 1.0
    inputs = {INPUT_NAME: Rows(tuple(images), "float32", divisor)}
    return ArrayData(inputs, {TARGET_NAME: Rows(tuple(classes), "int64")}, about)


def _standard(folder: str, fetch: str) -> list[tuple[str, str]]:
    """The pairs of files, images and labels, that a folder holds under the usual names.

    Args:
        folder: The folder.
        fetch: Help that says where such files come from.

    Raises:
        NetError: E001, a file is missing.
    """
    looked_at, folder = folder, _holding(folder)
    names = listed(folder)
    pairs = []
    for part in _PARTS:
        found = {kind: _named(names, part, suffix) for kind, suffix in _KINDS.items()}
        if found["images"] or found["labels"]:
            missing = [_KINDS[kind] for kind, name in found.items() if name is None]
            if missing:
                raise error(
                    "E001",
                    f"`{folder}` has no `{part}-{missing[0]}`",
                    help="images and labels come in two files; both may end in `.gz`",
                )
            pairs.append(tuple(os.path.join(folder, name or "") for name in found.values()))
    if not pairs:
        raise error(
            "E001",
            f"`{folder}` has no `train-{_KINDS['images']}`",
            notes=[f"looked for at `{os.path.abspath(looked_at)}`"],
            help=f"{fetch}, gzipped or not; or name two files: "
            '`idx("images.gz", labels="labels.gz")`',
        )
    return [(images, labels) for images, labels in pairs]


def _holding(folder: str) -> str:
    """The folder that holds the files: itself, or where torchvision puts them.

    That is `raw` in the data set's folder, and this in the one that its users name.
    """
    if _holds(folder):
        return folder
    below = [os.path.join(folder, name, _RAW) for name in ("", *listed(folder))]
    found = [place for place in below if os.path.isdir(place) and _holds(place)]
    return found[0] if len(found) == 1 else folder


def _holds(folder: str) -> bool:
    """Whether a folder has a file of the usual names."""
    names = listed(folder)
    return any(_named(names, part, kind) for part in _PARTS for kind in _KINDS.values())


def _named(names: list[str], part: str, suffix: str) -> str | None:
    """The file of a part, spelled with `-idx` or `.idx`, gzipped or not."""
    spelled = [f"{part}-{suffix}", f"{part}-{suffix.replace('-idx', '.idx')}"]
    wanted = [f"{name}{end}" for end in ("", ".gz") for name in spelled]
    return next((name for name in wanted if name in names), None)


def _images(path: str) -> Array:
    """Images as (N, C, H, W), mapped or not."""
    array = read_idx(path)
    if array.ndim not in (3, 4):
        help = "this looks like the file of labels" if array.ndim == 1 else None
        raise damaged(path, f"it has {array.ndim} axes, and images have 3 or 4", help)
    return array[:, None] if array.ndim == 3 else array


def _labels(path: str) -> Array:
    array = read_idx(path)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        help = "this looks like the file of images" if array.ndim == 3 else None
        raise damaged(path, "it does not hold one whole number for each sample", help)
    return array


def read_idx(path: str) -> Array:
    """The array of an idx file, mapped where it is not compressed.

    Raises:
        NetError: It cannot be read (E001), or is truncated or no idx file (E521).
    """
    check_readable(path)
    try:
        if path.endswith(".gz"):
            with gzip.open(path) as file:
                return _compressed(path, os.path.getsize(path), file)
        with open(path, "rb") as file:
            dtype, shape = _header(path, file)
            start = file.tell()
            _check_size(path, os.path.getsize(path) - start, dtype, shape)
        if prod(shape) == 0:
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", start, shape)
    except _UNREADABLE as failure:
        raise damaged(path, str(failure).lower()) from None


def _compressed(path: str, size: int, file: Bytes) -> Array:
    dtype, shape = _header(path, file)
    needed = prod(shape) * dtype.itemsize
    if needed > _MOST_PACKED * size:
        raise damaged(path, f"{size:_} bytes cannot unpack to the {needed:_} of its header")
    check_memory(f"the unpacked `{path}`", needed, "an uncompressed file is not loaded into memory")
    # One byte more than it should hold, so that a wrong file cannot fill the memory.
    data = file.read(needed + 1)
    _check_size(path, len(data), dtype, shape)
    return np.frombuffer(data, dtype).reshape(shape)


def _header(path: str, file: Bytes) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """The element type and the extents that an idx file states."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not magic[3]:
        raise damaged(
            path, f"it starts with {magic.hex(' ') or 'nothing'}, so it is not an idx file"
        )
    extents = file.read(4 * magic[3])
    if len(extents) < 4 * magic[3]:
        raise damaged(path, "it ends within its header")
    shape = np.frombuffer(extents, ">u4")
    return np.dtype(_TYPES[magic[2]]), tuple(int(extent) for extent in shape)


def _check_size(path: str, held: int, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> None:
    needed = prod(shape) * dtype.itemsize
    if held < needed:
        raise damaged(path, f"it holds {held:_} of {needed:_} bytes")
    if held > needed:
        raise damaged(path, f"it holds more than the {needed:_} bytes that its header states")
