"""The text of a literal to its value: integers, decimals with suffixes, sizes, strings."""

import re
from collections.abc import Callable
from decimal import Decimal

from ..ast import Expression, Number, Size, String, Template
from ..diagnostics import NetError, error
from ..limits import MAX_INTEGER, MAX_STRING
from ..source import Span

# Words that are no names, but for `output`, which may stand before a colon.
NO_NAMES = frozenset(
    "net language import as let block default for in inline if then else assert train and or not"
    " yes no".split()
)
_SUFFIXES = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_DIGITS = len(str(MAX_INTEGER))
_ESCAPED = '"\\{}'  # what a backslash stands before
_PIECE = re.compile(r"\\.|[{}]|[^\\{}]+", re.DOTALL)


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


def read_string(
    text: str, span: Span, read_hole: Callable[[Span], Expression]
) -> String | Template:
    r"""The node of `"text"`, with `\"`, `\\`, `\{` and `\}` resolved, or of `"block{i}"`.

    Args:
        text: The string with its quotes.
        span: Where it stands.
        read_hole: Parses what stands between braces.

    Raises:
        NetError: E019 for another escape, or a brace without its other; E403 for a text beyond any
            use; what `read_hole` raises.
    """
    if len(text) > MAX_STRING:
        raise long_string(span)
    if not any(sign in text for sign in "\\{}"):
        return String(text[1:-1], span=span)
    parts: list[str | Expression] = []
    offset, end = 1, len(text) - 1
    while offset < end:
        piece = _PIECE.match(text, offset, end)
        assert piece is not None
        place = Span(span.source, span.start + offset, span.start + piece.end())
        offset = piece.end()
        found: str | Expression = piece[0]
        if piece[0] == "{":
            offset = text.find("}", offset, end) + 1
            if not offset:
                is_cut = '"' in span.source.text[span.end :].partition("\n")[0]
                raise _brace(place, "which no `}` closes", NESTED if is_cut else None)
            found = read_hole(Span(span.source, place.end, span.start + offset - 1))
        elif piece[0] == "}":
            raise _brace(place, "which no `{` opens")
        elif piece[0][0] == "\\":
            found = _unescaped(piece[0], place)
        if isinstance(found, str) and parts and isinstance(parts[-1], str):
            parts[-1] += found
        else:
            parts.append(found)
    if all(isinstance(part, str) for part in parts):
        return String("".join(map(str, parts)), span=span)
    return Template(tuple(parts), span=span)


def write_key(name: str) -> str:
    """A name in the braces of a setting: as it is, or in quotes where it is no name."""
    return name if name.isidentifier() and name not in NO_NAMES else write_string(name)


def write_string(text: str) -> str:
    r"""A string literal that is read as a text: quotes, backslashes and braces are escaped."""
    return '"' + re.sub(f"([{re.escape(_ESCAPED)}])", r"\\\1", text) + '"'


def _unescaped(escape: str, place: Span) -> str:
    if escape[1] not in _ESCAPED:
        raise error(
            "E019",
            f"`{escape}` is not an escape sequence",
            place,
            help="write `\\\\` for a backslash; only quotes and braces are escaped, too",
        )
    return escape[1]


NESTED = "no string may stand within the braces of another: name it by a `let` above"


def _brace(place: Span, what: str, help: str | None = None) -> NetError:
    message = f"a string has a `{place.text}` {what}"
    help = help or f"write `\\{place.text}` for the sign itself"
    return error("E019", message, place, help=help)


def long_string(span: Span) -> NetError:
    """The error for a string beyond any use."""
    place = Span(span.source, span.start, span.start + 1)
    return error("E403", f"a string of {span.end - span.start:_} characters", place)


def _too_large(span: Span, note: str) -> NetError:
    shown = span.text if len(span.text) <= 40 else span.text[:37] + "..."
    return error("E404", f"`{shown}` is too large", span, notes=[note])
