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


def check_brackets(source: Source, most: int = MAX_TOKENS) -> None:
    """Refuse a text for its brackets or strings, before anything else in it is refused.

    `most` is how many tokens it may have.

    Raises:
        NetError: E013, E015, E402 or E403.
    """
    text, open_at = source.text, list[int]()
    for number, token in enumerate(tokens(text)):
        mark = token.value
        if number >= most:
            raise too_much(source, token.start_pos, f"{most:_} tokens")
        is_string = token.type in ("WRONG", "STRING")
        if not (is_string or mark in _CLOSING or mark in _PARTNER):
            continue
        place = Span(source, token.start_pos, token.end_pos)
        if token.type == "WRONG" and mark[0] == '"':
            raise error(
                "E015",
                "a string without its closing quote",
                Span(source, place.start, len(text[: place.end].rstrip("\r"))),
                help='end it with `"` on the same line',
            )
        if token.type == "STRING" and len(mark) > MAX_STRING:
            raise long_string(place)
        if mark in _CLOSING:
            open_at.append(place.start)
            if len(open_at) > MAX_NESTING:
                raise error(
                    "E402",
                    f"brackets nested more than {MAX_NESTING} levels deep",
                    place,
                    help="move the inner part to a block or a `let`",
                )
        elif mark in _PARTNER:
            if not open_at:
                help = f"remove it, or add the missing `{_PARTNER[mark]}`"
                raise error("E013", f"`{mark}` has no opening bracket", place, help=help)
            if text[open_at[-1]] != _PARTNER[mark]:
                raise NetError([_unclosed(source, open_at[-1], met=place)])
            open_at.pop()
    if open_at:
        raise NetError([_unclosed(source, offset) for offset in open_at[:_REPORTED]])


def _unclosed(source: Source, offset: int, *, met: Span | None = None) -> Diagnostic:
    mark = source.text[offset]
    closing = _CLOSING[mark]
    also = (Pointer(met, f"`{met.text}` comes before the closing `{closing}`"),) if met else ()
    return Diagnostic(
        "E013",
        f"`{mark}` is never closed",
        Span(source, offset, offset + 1),
        also=also,
        help=f"add the missing `{closing}`",
    )
