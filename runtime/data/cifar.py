"""CIFAR-10 in its binary form -> a data set, read on demand."""

import os

import numpy as np

from ...compiler.training.foreign import DOWNLOADS
from ...grammar.diagnostics import error
from ...grammar.files import check_readable
from ..arrays.memory import check_memory
from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT_NAME, TARGET_NAME, WHITE, About, ArrayData, Dataset, Rows
from .faults import damaged, listed, located
from .labels import check_range

# A record is the label and the red, green and blue plane (Krizhevsky 2009).
_RECORD = np.dtype([("label", "u1"), ("image", "u1", (3, 32, 32))])
_CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()


@loader("cifar10")
def cifar10(path: str, *, folder: str = "") -> Dataset:
    """Colour images (N, 3, 32, 32) in [0, 1] of ten classes.

    Args:
        path: A folder with `data_batch_1.bin` and so on; `test_batch.bin` in it is a test part
            of its own.
        folder: Where a relative path starts.

    Raises:
        NetError: There are no such files (E001), one of them is truncated (E521), or a label is
            none of the ten (E523).
    """
    fetch = f"{DOWNLOADS['cifar']} `{path}`"
    place = located(path, folder, missing=fetch)
    names = listed(place)
    train = [name for name in names if name.startswith("data_batch_") and name.endswith(".bin")]
    test = [name for name in names if name == "test_batch.bin"]
    if not train:
        raise error(
            "E001",
            f"`{path}` has no `data_batch_1.bin`",
            notes=[f"looked for at `{os.path.abspath(place)}`"],
            help=fetch,
        )
    parts = [_records(os.path.join(place, name)) for name in [*train, *test]]
    inputs = {INPUT_NAME: Rows(tuple(part["image"] for part in parts), "float32", WHITE)}
    targets = {TARGET_NAME: Rows(tuple(part["label"] for part in parts), "int64")}
    about = About(
        name=f"`{path}`",
        kinds={TARGET_NAME: "label"},
        class_names={TARGET_NAME: tuple(_CLASSES)},
        held_out=len(parts[-1]) if test else 0,
        units={INPUT_NAME: WHITE},
    )
    return ArrayData(inputs, targets, about)


def _records(path: str) -> Array:
    check_readable(path)
    size = os.path.getsize(path)
    if size == 0 or size % _RECORD.itemsize:
        raise damaged(path, f"its {size:_} bytes are not a multiple of {_RECORD.itemsize:_}")
    check_memory(f"the records of `{path}`", size)
    records = np.memmap(path, _RECORD, "r")
    check_range(f"`{path}`", records["label"], np.arange(len(records)), len(_CLASSES))
    return records
