"""What Python gives for an array -> an array, and what keeps it from being one of numbers."""

from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from ..kerneldef import Array

_LARGEST = np.iinfo(np.int64).max
_MISSING = ("NoneType", "NAType", "NaTType")  # None, and what pandas has for it
_WITHOUT = (
    "leave such samples out; targets that are real numbers may be NaN, as"
    " `.to_numpy(float, na_value=np.nan)` of pandas writes it"
)


def to_array(given: Any) -> Array:
    """What Python gives as an array: numbers held as objects are numbers, bytes are words.

    Files stay mapped, and what is masked stays so.

    Raises:
        ValueError: NumPy makes no array of it, such as of rows of different lengths.
    """
    try:
        kept = isinstance(given, np.memmap) or (
            np.ma.isMaskedArray(given) and np.ma.is_masked(given)
        )
        array = given if kept else np.asarray(given)
    except Exception as failure:  # anything that a foreign `__array__` raises
        raise ValueError(" ".join(str(failure).split())) from None
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind == "O" and array.size > 0 and all(map(_is_number, array.flat)):
        return np.array([_plain(each) for each in array.flat]).reshape(array.shape)
    return array


def fault_of(array: Array) -> tuple[str, str] | None:
    """What an array holds in place of numbers that all count, and what to do; None for numbers."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        return _masked(array)
    if array.dtype == np.uint64 and array.size and array.max() > _LARGEST:
        return f"numbers above {_LARGEST}", "cast such large numbers to real numbers"
    return None if array.dtype.kind in "biuf" else _OTHERS[array.dtype.kind](array)


def are_words(array: Array) -> bool:
    """Whether an array holds nothing but words."""
    return (
        array.dtype.kind in "UO"
        and array.size > 0
        and all(isinstance(each, str) for each in array.flat)
    )


def _is_number(each: object) -> bool:
    return isinstance(each, Real | Decimal | np.bool_)


def _plain(each: Any) -> Any:
    return float(each) if isinstance(each, Decimal) else each


def _masked(array: Array) -> tuple[str, str]:
    if array.dtype.kind == "f":
        left_out = "of targets, `.filled(np.nan)` leaves it out of the losses"
    else:
        left_out = "of class targets, `.filled(-100)` leaves it out of `cross_entropy`"
    return "masked values", f"`.filled(0)` replaces masked values with a number; {left_out}"


def _words(array: Array) -> tuple[str, str]:
    for type in ("int", "float"):
        try:
            array.astype(type)
        except ValueError:
            continue
        return "numbers written as words", f"`.astype({type})` converts them to numbers"
    return "words", "number them: `names, numbers = np.unique(words, return_inverse=True)`"


def _objects(array: Array) -> tuple[str, str]:
    if are_words(array):
        return _words(array)
    strange = [each for each in array.flat if not _is_number(each)]
    if not array.ndim:
        kind = type(array.item()).__name__
        return f"one object of the type `{kind}`", "give an array, or a list of numbers"
    if array.size and not strange:
        return "numbers of more than 64 bits", "cast such large numbers to real numbers"
    if any(type(each).__name__ in _MISSING for each in strange):
        return "missing values", _WITHOUT
    if any(isinstance(each, str) for each in strange):
        return "words and numbers mixed", "`.astype(str)` converts them all to words"
    return "objects that are not numbers", "give integers or real numbers"


_OTHERS: dict[str, Callable[[Array], tuple[str, str]]] = {
    "U": _words,
    "O": _objects,
    "T": lambda _: ("words", "cast them to fixed lengths: `.astype(str)`"),
    "c": lambda _: ("complex numbers", "give `.real` and `.imag` as numbers side by side"),
    "M": lambda _: (
        "dates",
        "convert them to numbers, such as days: `(x - x.min()) / np.timedelta64(1, 'D')`",
    ),
    "m": lambda _: ("time spans", "`x / np.timedelta64(1, 's')` converts them to seconds"),
    "V": lambda _: (
        "records of named fields",
        "`np.lib.recfunctions.structured_to_unstructured(x)` converts the fields to columns",
    ),
}
