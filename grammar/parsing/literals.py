"""The text of a literal to its value: integers, decimals with suffixes, sizes, strings."""

import re
from decimal import Decimal

from ..ast import Number, Size, String
from ..diagnostics import NetError, error
from ..limits import MAX_INTEGER, MAX_STRING
from ..source import Span

_SUFFIXES = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_DIGITS = len(str(MAX_INTEGER))
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def read_integer(text: str, span: Span) -> int:
    """The value of `61_706`.

    Raises:
        NetError: E404 beyond 2^63 - 1; the digits are counted first, since converting millions of
            them takes minutes.
    """
    digits = text.replace("_", "").lstrip("0") or "0"
    return check_integer(MAX_INTEGER + 1 if len(digits) > _DIGITS else int(digits), span)


def check_integer(value: int, span: Span) -> int:
    """The value, where it is in the range of integers.

    Raises:
        NetError: E404.
    """
    if abs(value) > MAX_INTEGER:
        raise _too_large(span, "an integer must be at most 2^63 - 1 = 9223372036854775807")
    return value


def read_number(text: str, span: Span) -> Number:
    """The node of `0.01`, `5e-4`, `10k`, `25.6M`; a suffix on a whole amount gives an integer.

    Raises:
        NetError: E404.
    """
    plain = text.replace("_", "")
    factor = _SUFFIXES.get(plain[-1])
    if factor is None or "e" in plain.casefold():
        value = float(plain.rstrip("kMGT")) * (factor or 1)
        if value == float("inf"):
            raise _too_large(span, "a float must be at most about 1.8e308")
        return Number(value, span=span)
    amount = Decimal(plain[:-1]) * factor
    if amount != amount.to_integral_value():
        return Number(float(amount), span=span)
    return Number(check_integer(int(amount), span), span=span)


def read_size(text: str, span: Span) -> Size:
    """The node of `224x224x3`.

    Raises:
        NetError: E404.
    """
    return Size(tuple([read_integer(extent, span) for extent in text.split("x")]), span=span)


def read_string(text: str, span: Span) -> String:
    r"""The node of `"text"`, with `\"` and `\\` resolved.

    Raises:
        NetError: E019 for another escape, E403 for a text beyond any use.
    """
    if len(text) > MAX_STRING:
        raise long_string(span)
    inner = text[1:-1]
    if "\\" in inner:
        for match in _ESCAPE.finditer(inner):
            if match[1] not in '"\\':
                start = span.start + 1 + match.start()
                raise error(
                    "E019",
                    f"`{match[0]}` is not an escape sequence",
                    Span(span.source, start, start + 2),
                    help='write `\\\\` for a backslash; `\\"` is the only other escape',
                )
        inner = _ESCAPE.sub(r"\1", inner)
    return String(inner, span=span)


def long_string(span: Span) -> NetError:
    """The error for a string beyond any use."""
    place = Span(span.source, span.start, span.start + 1)
    return error("E403", f"a string of {span.end - span.start:_} characters", place)


def _too_large(span: Span, note: str) -> NetError:
    shown = span.text if len(span.text) <= 40 else span.text[:37] + "..."
    return error("E404", f"`{shown}` is too large", span, notes=[note])
