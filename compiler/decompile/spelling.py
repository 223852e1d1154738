"""Values as a program spells them, and the names that it can use."""

import re
import struct
from collections.abc import Iterable
from math import isfinite, isinf
from typing import Any

from ...grammar.diagnostics import NetError, error
from ...grammar.lexing.lexer import keywords
from ...grammar.parsing.literals import write_string
from ..expressions.arguments import Word, WordCall
from ..ir.initializers import Init
from ..ir.types import DType
from .tree import Text, Value

LEAST = -(2**63)  # whose digits alone are beyond what a program can write
_NAME = re.compile(r"[^\W\d]\w*\Z")
_PART = re.compile(r"(?:[^\W\d]\w*|0|[1-9]\d*)\Z")


def unsayable(what: str, help: str | None = None) -> NetError:
    """The error for what a network has and a program cannot say."""
    return error("E579", f"a program cannot say {what}", help=help)


def is_name(text: str) -> bool:
    """Whether a text can name a value."""
    return bool(_NAME.match(text)) and text not in keywords()


def is_reference(path: str) -> bool:
    """Whether a chain can start with the value of a label."""
    first, *others = path.split(".")
    return is_name(first) and all(_PART.match(part) for part in others)


def label_text(path: str) -> str:
    """A label as it is written after `as`."""
    first, *others = path.split(".")
    plain = is_reference(path) or (_PART.match(first) and not others and first not in keywords())
    return path if plain else quoted(path)


def quoted(text: str) -> str:
    """A string literal.

    Raises:
        NetError: E579, it has characters that no string can hold.
    """
    if not text.isprintable():
        raise unsayable(f"the name {text!r}, which has characters that cannot be printed")
    return write_string(text)


def value_of(value: Any, words: Iterable[str] = ()) -> Value:
    """An argument's value in the tree.

    Args:
        value: A number, a word, a string, a size, or lists of numbers.
        words: The words that may stand for a choice.
    """
    if isinstance(value, bool | int):
        return value
    return Text(_spelled(value, frozenset(words)))


def spelled(value: Value) -> str:
    """A value of the tree as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.text if isinstance(value, Text) else str(value)


def _spelled(value: Any, words: frozenset[str]) -> str:
    if isinstance(value, DType):
        return str(value.value)
    if isinstance(value, str):
        return value if isinstance(value, Word) or value in words else quoted(value)
    if isinstance(value, WordCall):
        return str(value)
    if isinstance(value, Init):
        numbers = ", ".join(map(real, value.numbers))
        return f"{value.name}({numbers})" if numbers else value.name
    if isinstance(value, bool):
        return spelled(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, tuple | list):
        items = tuple(value)
        if len(items) > 1 and all(isinstance(i, int) and i >= 0 for i in items):
            return "x".join(map(str, items))
        inner = ", ".join(_spelled(item, words) for item in items)
        return f"({inner},)" if len(items) == 1 else f"({inner})"
    raise unsayable(f"the argument `{value}`")


def listed(value: Any, *, whole: bool = False) -> str:
    """A number or nested tuples of numbers as lists, as attributes of operators are written.

    With `whole`, real numbers that are whole are written as integers.
    """
    if isinstance(value, tuple | list):
        return f"[{', '.join(listed(item, whole=whole) for item in value)}]"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        text = str(value) if isinf(value) else real(value)
        return text.removesuffix(".0") if whole else text
    return str(value) if value != LEAST else f"{LEAST + 1} - 1"


def real(number: float) -> str:
    """The shortest decimal number that means the same as a float32.

    Raises:
        NetError: E579, it is none that a program can write.
    """
    if not isfinite(number):
        raise unsayable(f"the number {number}")
    text = repr(float(number))
    if _single(number) == number:  # else it was written with more digits, and keeps them
        tried = (f"{number:.{digits}g}" for digits in range(1, 10))
        text = repr(float(next((t for t in tried if _single(float(t)) == number), text)))
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if exponent else mantissa


def _single(number: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return float("inf")
