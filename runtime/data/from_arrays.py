"""Arrays from Python, and those of an npz file -> a data set."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from ...grammar.diagnostics import error
from ..arrays.from_python import are_words, fault_of
from ..arrays.npy import NotAnArray, read_header
from ..kerneldef import Array
from ..weights.npz import NpzState, malformed, open_npz
from .choices import loader
from .class_names import number_in
from .dataset import (
    INPUT_NAME,
    TARGET_NAME,
    WHITE,
    About,
    ArrayData,
    Dataset,
    Rows,
    TargetKind,
    as_array,
    as_numbers,
)
from .faults import located, unknown_name
from .given_parts import TEST, TRAINING, VALIDATION, GivenParts

_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip file's member: lengths of its name and extra


def arrays(
    x: Any,
    t: Any = None,
    *,
    classes: tuple[str, ...] = (),
    kinds: Mapping[str, TargetKind] | None = None,
    name: str = "the data",
) -> Dataset:
    """A data set of arrays.

    Real numbers become float32, integers int64; bytes and truth values become float32 as inputs
    (they are pixels) and int64 as targets (they are classes). Bytes of three axes or more are
    pictures, whose 0 to 255 become 0 to 1 as in all other data sets; all other values are taken as
    they are. Networks that take whole numbers are fed bytes and truth values as they were. Words as
    targets are classes, in the order of `classes`, or else of their names, which for whole numbers
    is that of their values.

    Args:
        x: Inputs: an array with the sample on axis 0, or arrays by the input's name.
        t: Targets: an array, arrays by the target's name, or None for data without.
        classes: The names of the classes.
        kinds: What targets mean, where their types do not determine it: see `TargetKind`.
        name: What messages call it.

    Raises:
        NetError: The numbers of samples differ (E522), there are none (E525), a number is not
            finite (E524; NaN stands for a target that is not known), or it is not an array (E529).
    """
    inputs = {key: _rows(key, value, pixels=True) for key, value in _by_name(x, INPUT_NAME).items()}
    small = {key: rows for key, rows in inputs.items() if _is_small(rows.parts[0])}
    given = {} if t is None else _by_name(t, TARGET_NAME)
    given = {key: as_array(value, f"`{key}`") for key, value in given.items()}
    named = {key: _indexed(key, value, classes) for key, value in given.items() if _words(value)}
    numbers = {**given, **{key: labels for key, (labels, _) in named.items()}}
    targets = {key: _rows(key, value, pixels=False) for key, value in numbers.items()}
    sizes = {rows.parts[0].shape[2:] for rows in inputs.values() if rows.parts[0].ndim == 4}
    guessed = {key: kind_of_target(rows.parts[0], sizes) for key, rows in targets.items()}
    labels = [key for key, kind in guessed.items() if kind in ("label", "mask")][:1]
    about = About(
        name=name,
        kinds={**guessed, **(kinds or {})},
        class_names={
            **(dict.fromkeys(labels, tuple(classes)) if classes else {}),
            **{key: names for key, (_, names) in named.items()},
        },
        units={key: rows.divisor for key, rows in small.items()},
    )
    return ArrayData(inputs, targets, about)


@loader("npz")
def npz(path: str, *, x: str, y: str, folder: str = "") -> Dataset:
    """Two arrays of an npz file; what is stored without compression is read on demand.

    Without arrays of these names, those of Keras are read: `x_train`, `y_train`, `x_test`,
    `y_test`, which become the parts of their names.

    Args:
        path: The file, as `numpy.savez` writes it.
        x: The name of the inputs.
        y: The name of the targets.
        folder: Where a relative path starts.

    Raises:
        NetError: The file cannot be read (E001) or is damaged (E505), an array is not there
            (E526), or what `arrays` raises.
    """
    missing = f"write it with `numpy.savez({path!r}, {x}=..., {y}=...)`, or name another file"
    file = open_npz(located(path, folder, missing=missing))
    if x not in file and y not in file and all(f"{name}_train" in file for name in (x, y)):
        return _in_parts(file, x, y, path)
    for name in (x, y):
        if name not in file:
            raise unknown_name("array", name, file, f"`{path}`")
    return arrays(member(file, x), member(file, y), name=f"`{path}`")


def _in_parts(file: NpzState, x: str, y: str, path: str) -> Dataset:
    """Arrays of several parts, as Keras names them: `x_train`, `y_train`, `x_test`, `y_test`."""

    def part(names: Sequence[str]) -> Dataset | None:
        found = next((n for n in names if all(f"{a}_{n}" in file for a in (x, y))), None)
        if found is None:
            return None
        name = f"`{path}`" if found in TRAINING else f"`{found}` of `{path}`"
        return arrays(member(file, f"{x}_{found}"), member(file, f"{y}_{found}"), name=name)

    train, validation, test = (part(names) for names in (TRAINING, VALIDATION, TEST))
    if train is None or (validation is None and test is None):
        return arrays(member(file, f"{x}_train"), member(file, f"{y}_train"), name=f"`{path}`")
    return GivenParts(train, validation, test)


def kind_of_target(array: Array, sizes: set[tuple[int, ...]]) -> TargetKind:
    """What a target means, as far as its type shows; `sizes` are those of the inputs' images."""
    counted = array.dtype.kind in "iub"
    if counted and (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)):
        return "label"
    if counted and array.ndim == 3 and array.shape[1:] in sizes:
        return "mask"
    return "image" if array.ndim == 4 and array.shape[2:] in sizes else "values"


def _by_name(value: Any, single: str) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {single: value}


def _rows(name: str, value: Any, *, pixels: bool) -> Rows:
    """An array as samples of float32 or int64."""
    array = as_numbers(value, f"`{name}`")
    if array.ndim == 0:
        raise error(
            "E529",
            f"`{name}` is a single number",
            help="give numbers in an array whose first axis counts the samples",
        )
    real = array.dtype.kind == "f" or (pixels and _is_small(array))
    pictures = pixels and array.dtype == np.uint8 and array.ndim > 2
    return Rows((array,), "float32" if real else "int64", WHITE if pictures else 1.0)


def _is_small(array: Array) -> bool:
    """Whether an array holds bytes or truth values."""
    return array.dtype.kind == "b" or array.dtype.type is np.uint8


def _words(array: Array) -> bool:
    """Whether a target is words, one for each sample."""
    return array.ndim > 0 and array.size == len(array) and are_words(array)


def _indexed(name: str, array: Array, classes: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    """Words as indices of classes, and the classes' names.

    Raises:
        NetError: E526, a word is none of the classes that are named; E529, the words are numbers
            that are not whole.
    """
    words = list(map(str, array.flat))
    names = tuple(classes) or _in_order(name, array, set(words))
    places = {word: place for place, word in enumerate(names)}
    unknown = next((word for word in words if word not in places), None)
    if unknown is not None:
        raise unknown_name("class", unknown, names, f"`{name}`")
    return np.array([places[word] for word in words], np.int64), names


def _in_order(name: str, array: Array, words: set[str]) -> tuple[str, ...]:
    """Words by the alphabet, and whole numbers by their values: 10 follows 9."""
    numbers = {word: number_in(word) for word in words}
    values = {
        word: value for word, value in numbers.items() if value is not None and isfinite(value)
    }
    if len(values) < len(words):
        return tuple(sorted(words))
    fault = fault_of(array)
    if fault is not None and not all(value.is_integer() for value in values.values()):
        raise error("E529", f"`{name}` holds {fault[0]}", help=fault[1])
    return tuple(sorted(words, key=lambda word: (values[word], word)))


def member(file: NpzState, name: str) -> Array:
    """An array of an npz file, its bytes checked, mapped where it is stored as it is."""
    with zipfile.ZipFile(file.path) as archive:
        entry = archive.getinfo(f"{name}.npy")
    if entry.compress_type != zipfile.ZIP_STORED or file.type_of(name).nbytes == 0:
        return file[name]
    file.verify(name)
    try:
        return _mapped(file.path, entry.header_offset)
    except (NotAnArray, OSError, OverflowError, ValueError, struct.error) as failure:
        raise malformed(file.path, str(failure)) from None


def _mapped(path: str, start: int) -> Array:
    """The array whose member of the archive starts at a byte."""
    with open(path, "rb") as plain:
        plain.seek(start)
        plain.seek(sum(_LOCAL_HEADER.unpack(plain.read(_LOCAL_HEADER.size))), 1)
        shape, order, dtype = read_header(plain)
        mapped: Array = np.memmap(path, dtype, "r", plain.tell(), shape, order)
    return mapped
