"""Arrays from and to `.npy` and `.npz` files, with every failure as a diagnostic."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .grammar.diagnostics import error
from .grammar.files import atomic_writer
from .runtime.npz import write_npz

Array = np.ndarray[Any, Any]


def load_array(path: str) -> Array:
    """The array in a `.npy` file.

    Raises:
        NetError: The file cannot be read (E001), or holds no plain array (E505).
    """
    try:
        found = np.load(path, allow_pickle=False)
    except OSError as failure:
        reason = failure.strerror or "it holds no array"
        raise error("E001", f"cannot read `{path}`: {reason.lower()}") from None
    except (ValueError, EOFError) as failure:
        raise error("E505", f"`{path}` holds no plain array: {failure}") from None
    if not isinstance(found, np.ndarray):
        raise error("E505", f"`{path}` holds several arrays", help="give one .npy file per input")
    return found


def save_arrays(path: str, arrays: Mapping[str, Array]) -> None:
    """Write one array as `.npy`, or several by name as `.npz`.

    Raises:
        NetError: The suffix is neither, one file cannot hold several arrays (E505), or the file
            cannot be written (E004).
    """
    suffix = Path(path).suffix
    if suffix not in (".npy", ".npz"):
        message = f"`{path}` is neither a .npy nor a .npz file"
        raise error("E505", message, help="choose one of these suffixes")
    if suffix == ".npy" and len(arrays) > 1:
        message = f"`{path}` can hold one array, not {len(arrays)}"
        raise error("E505", message, help="write a .npz file")
    with atomic_writer(path) as file:
        if suffix == ".npy":
            np.save(file, next(iter(arrays.values())))
        else:
            write_npz(file, arrays)
