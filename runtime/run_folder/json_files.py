"""JSON files: values as they go in, and what they hold, each field of the type that was written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any, TypeVar

from ...grammar.diagnostics import error
from ...grammar.files import check_readable

T = TypeVar("T")


class Malformed(Exception):
    """A file does not hold what training writes; the message says why."""


@contextmanager
def what_training_wrote(code: str, message: str, help: str) -> Iterator[None]:
    """Read a file that may hold something else.

    Raises:
        NetError: Of the code, it does; a note says what is wrong.
    """
    try:
        yield
    except Malformed as failure:
        raise error(code, message, notes=[str(failure)], help=help) from None


def for_json(value: T) -> T | str:
    """A value for JSON, where numbers that are not finite are texts."""
    return repr(value) if isinstance(value, float) and not isfinite(value) else value


def read_json(path: str, format: str) -> dict[str, Any]:
    """The object that a file holds.

    Raises:
        NetError: E001, the file cannot be read.
        Malformed: It holds no JSON, or that of another format.
    """
    check_readable(path)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (ValueError, RecursionError) as failure:  # no UTF-8, no JSON, or too deep
        raise Malformed(str(failure)) from None
    if field(found, "format", str) != format:
        raise Malformed(f"its format is not {format}")
    entries: dict[str, Any] = found
    return entries


def field(entries: Any, name: str, kind: type[T]) -> T:
    """A field of an object.

    Raises:
        Malformed: There is no such field, or it is of another type.
    """
    if not isinstance(entries, dict) or name not in entries:
        raise Malformed(f"`{name}` is missing")
    return _checked(entries[name], name, kind)


def table(entries: Any, name: str, kind: type[T]) -> dict[str, T]:
    """A field that is an object whose values are all of a type, as `field` is."""
    found = field(entries, name, dict)
    return {key: _checked(value, name, kind) for key, value in found.items()}


def sequence(entries: Any, name: str, kind: type[T]) -> tuple[T, ...]:
    """A field that is a list whose values are all of a type, as `field` is."""
    return tuple(_checked(value, name, kind) for value in field(entries, name, list))


def number(value: Any, name: str) -> float | None:
    """A number, which is a text where it is not finite; None of nothing.

    Raises:
        Malformed: It is anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str | int | float):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise Malformed(f"`{name}` is {value!r}")


def _checked(value: Any, name: str, kind: type[T]) -> T:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Malformed(f"`{name}` is {value!r}")
    return value
