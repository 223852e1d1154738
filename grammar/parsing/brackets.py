"""One quick scan of a text before it is parsed: its length, its strings, its brackets."""

import re
from collections.abc import Iterator
from itertools import islice

from ..diagnostics import Diagnostic, NetError, Pointer, error
from ..limits import MAX_LINES, MAX_NESTING, MAX_TEXT, MAX_WORDS
from ..source import UNPRINTABLE, Source, Span

_MARKS = re.compile(r'"(?:[^"\\\n]++|\\[^\n])*+("?)|#[^\n]*|[()\[\]{}]|(?:\.\w+)+')
_WORD = re.compile(r'"(?:[^"\\\n]++|\\[^\n])*+"?|#[^\n]*|->|[\w.]+|[^\s\w]')
_PARTNER = {")": "(", "]": "[", "}": "{"}
_CLOSING = {opening: closing for closing, opening in _PARTNER.items()}
_LONGEST_STRING = 10_000  # characters
_MOST_PARTS = 10_000  # of a name with dots
_REPORTED = 5  # unclosed brackets; the first say enough


def check_brackets(source: Source) -> None:
    """Refuse a text that is too long or too deep, or whose brackets or strings do not close.

    The parser relies on it: a million nested parentheses are refused here in no time, and every
    bracket that it meets has its partner.

    Raises:
        NetError: E010, E013, E015, E402 or E403.
    """
    if len(source.text) > MAX_TEXT:  # a first bound: a character has at least one byte
        raise error(
            "E403",
            f"more than {MAX_TEXT // 2**20} MiB of text",
            help="write repeated parts with `[...]*n`, `for` or a block",
        )
    if match := UNPRINTABLE.search(source.text):
        raise _unprintable(source, match.start())
    open_at: list[int] = []
    for mark, offset in _brackets(source):
        if mark in _CLOSING:
            open_at.append(offset)
            if len(open_at) > MAX_NESTING:
                raise _too_deep(source, offset)
        elif not open_at:
            raise _extra(source, offset)
        elif source.text[open_at[-1]] != _PARTNER[mark]:
            raise NetError([_unclosed(source, open_at[-1], met=offset)])
        else:
            open_at.pop()
    if open_at:
        raise NetError([_unclosed(source, offset) for offset in open_at[:_REPORTED]])
    _check_size(source)


def _check_size(source: Source) -> None:
    """Refuse more words than can be read in a moment; large tables of numbers belong to files."""
    words = islice(_WORD.finditer(source.text), MAX_WORDS, None)
    beyond = next((match.start() for match in words if match[0][0] not in '#"'), None)
    if beyond is None and source.text.count("\n") < MAX_LINES:
        return
    what = f"{MAX_LINES:_} lines" if beyond is None else f"{MAX_WORDS:_} tokens"
    raise error(
        "E403",
        f"more than {what}",
        Span(source, beyond or 0, (beyond or 0) + 1),
        help="write repeated parts with `[...]*n`, `for` or a block, and load weights from a file",
    )


def _brackets(source: Source) -> Iterator[tuple[str, int]]:
    """Each bracket outside strings and comments, with its offset."""
    for match in _MARKS.finditer(source.text):
        mark = match[0]
        first = mark[0]
        if first == '"':
            if not match[1]:
                raise _unfinished_string(source, match.start(), match.end())
            if len(mark) > _LONGEST_STRING:
                raise _too_long(source, match.start(), f"a string of {len(mark):_} characters")
        elif first == ".":
            if (parts := mark.count(".")) > _MOST_PARTS:
                raise _too_long(source, match.start(), f"a name of {parts:_} parts")
        elif first != "#":
            yield mark, match.start()


def _unprintable(source: Source, offset: int) -> NetError:
    return error(
        "E010",
        f"an unexpected character: U+{ord(source.text[offset]):04X}",
        Span(source, offset, offset + 1),
        help="remove it: control characters mean nothing in a program",
    )


def _too_deep(source: Source, offset: int) -> NetError:
    return error(
        "E402",
        f"brackets nested more than {MAX_NESTING} levels deep",
        Span(source, offset, offset + 1),
        help="move the inner part to a block or a `let`",
    )


def _extra(source: Source, offset: int) -> NetError:
    mark = source.text[offset]
    return error(
        "E013",
        f"`{mark}` has no opening bracket",
        Span(source, offset, offset + 1),
        help=f"remove it, or add the missing `{_PARTNER[mark]}`",
    )


def _unclosed(source: Source, offset: int, *, met: int | None = None) -> Diagnostic:
    mark = source.text[offset]
    also = []
    if met is not None:
        place = Span(source, met, met + 1)
        also.append(
            Pointer(place, f"`{source.text[met]}` comes before the closing `{_CLOSING[mark]}`")
        )
    return Diagnostic(
        "E013",
        f"`{mark}` is never closed",
        Span(source, offset, offset + 1),
        also=tuple(also),
        help=f"add the missing `{_CLOSING[mark]}`",
    )


def _too_long(source: Source, start: int, what: str) -> NetError:
    return error("E403", what, Span(source, start, start + 1))


def _unfinished_string(source: Source, start: int, end: int) -> NetError:
    return error(
        "E015",
        "a string without its closing quote",
        Span(source, start, len(source.text[:end].rstrip("\r"))),
        help='end it with `"` on the same line',
    )
