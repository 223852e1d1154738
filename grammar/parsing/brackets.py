"""What is to be said of a text that is too long, or whose brackets or strings do not close."""

from ..diagnostics import Diagnostic, NetError, Pointer, error
from ..lexing.lexer import tokens
from ..limits import MAX_LINES, MAX_NESTING, MAX_STRING, MAX_TEXT, MAX_TOKENS
from ..source import UNPRINTABLE, Source, Span
from .literals import long_string

_PARTNER = {")": "(", "]": "[", "}": "{"}
_CLOSING = {opening: closing for closing, opening in _PARTNER.items()}
_REPORTED = 5  # unclosed brackets; the first say enough
_REPEAT = "write repeated parts with `[...]*n`, `for` or a block"


def check_text(source: Source) -> None:
    """Refuse a text that is too long to be looked at, or holds what no file may hold.

    Raises:
        NetError: E010 or E403.
    """
    text = source.text
    if len(text) > MAX_TEXT:  # a first bound: a character has at least one byte
        raise error("E403", f"more than {MAX_TEXT // 2**20} MiB of text", help=_REPEAT)
    if text.count("\n") >= MAX_LINES:
        raise too_much(source, 0, f"{MAX_LINES:_} lines")
    if match := UNPRINTABLE.search(text):
        raise error(
            "E010",
            f"an unexpected character: U+{ord(match[0]):04X}",
            Span(source, match.start(), match.end()),
            help="remove it: control characters mean nothing in a program",
        )


def too_much(source: Source, start: int, what: str) -> NetError:
    """The error for a text that is too long; large tables of numbers belong to files."""
    help = f"{_REPEAT}, and load weights from a file"
    return error("E403", f"more than {what}", Span(source, start, start + 1), help=help)


def check_brackets(source: Source) -> None:
    """Refuse a text that does not parse for its brackets or strings, which is told before the rest.

    Raises:
        NetError: E013, E015, E402 or E403.
    """
    open_at: list[int] = []
    for number, token in enumerate(tokens(source.text)):
        start = token.start_pos
        if number >= MAX_TOKENS:
            raise too_much(source, start, f"{MAX_TOKENS:_} tokens")
        mark = token.value
        if token.type == "WRONG" and mark[0] == '"':
            raise _unfinished_string(source, start, len(mark))
        if token.type == "STRING" and len(mark) > MAX_STRING:
            raise long_string(Span(source, start, token.end_pos))
        if mark in _CLOSING:
            open_at.append(start)
            if len(open_at) > MAX_NESTING:
                raise _too_deep(source, start)
        elif mark in _PARTNER:
            if not open_at:
                raise _extra(source, start)
            if source.text[open_at[-1]] != _PARTNER[mark]:
                raise NetError([_unclosed(source, open_at[-1], met=start)])
            open_at.pop()
    if open_at:
        raise NetError([_unclosed(source, offset) for offset in open_at[:_REPORTED]])


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


def _unfinished_string(source: Source, start: int, length: int) -> NetError:
    return error(
        "E015",
        "a string without its closing quote",
        Span(source, start, len(source.text[: start + length].rstrip("\r"))),
        help='end it with `"` on the same line',
    )
