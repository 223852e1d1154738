"""Arrays from and to `.npy` and `.npz` files, with every failure as a diagnostic."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from .grammar.diagnostics import error
from .grammar.files import atomic_writer
from .runtime.arrays.npy import read_npy
from .runtime.kerneldef import Array
from .runtime.weights.npz import write_npz


def load_named_arrays(texts: Sequence[str], names: Sequence[str]) -> dict[str, Array]:
    """Arrays by name from `NAME=X` or `X`, which is the next name that has none.

    X is a `.npy` file, or numbers such as `[[1, -2]]`.

    Raises:
        NetError: A name is given twice (E206), or an array cannot be read.
    """
    arrays: dict[str, Array] = {}
    for text in texts:
        name, separator, given = text.partition("=")
        if not separator or os.path.exists(text):
            free = [known for known in names if known not in arrays]
            name, given = (free or [*names[-1:], "input"])[0], text
        if name in arrays:
            raise error("E206", f"the input `{name}` is given twice")
        arrays[name] = _numbers(given) if given.lstrip()[:1] in _NUMERIC else read_npy(given)
    return arrays


_NUMERIC = frozenset("[-0123456789")


def _numbers(text: str) -> Array:
    """Numbers as JSON, in float32 or int64."""
    if os.path.exists(text):
        return read_npy(text)
    try:
        found = np.array(json.loads(text))
    except (ValueError, RecursionError):
        found = np.array(None)
    if found.dtype.kind not in "fi":
        raise error(
            "E505", f"`{text}` is not an array of numbers", help="write it as `[[1, 2], [3, 4]]`"
        )
    return found.astype(np.float32 if found.dtype.kind == "f" else np.int64)


def save_arrays(path: str, arrays: Mapping[str, Array], others: Iterable[str] = ()) -> None:
    """Write one array as `.npy`, or several by name as `.npz`.

    Args:
        path: Where.
        arrays: The arrays by name.
        others: Suffixes that the caller writes itself, for the message.

    Raises:
        NetError: The suffix is neither, one file cannot hold several arrays (E505), or the file
            cannot be written (E004).
    """
    suffix = Path(path).suffix
    if suffix not in (".npy", ".npz"):
        known = ", ".join((".npy", ".npz", *others))
        raise error("E505", f"`{path}` is none of {known}", help="choose one of these suffixes")
    if suffix == ".npy" and len(arrays) > 1:
        message = f"`{path}` can hold one array, not {len(arrays)}"
        raise error("E505", message, help="write a .npz file")
    with atomic_writer(path) as file:
        if suffix == ".npy":
            np.save(file, next(iter(arrays.values())))
        else:
            write_npz(file, arrays)
