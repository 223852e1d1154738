"""Text to tokens, by the terminals of `net.lark`."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice

from ..ast import Token
from .tables import tables

_KEYWORD = re.compile(r"[a-z]+(?=(?:\(\?!\\w\))?\Z)")  # in a terminal's pattern
# What only wrong programs hold: a string without its end, a number that runs into a word.
_NO_TOKEN = r'(?P<WRONG>"(?:[^"\\\n]++|\\[^\n])*+|\w+|\S)'


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """The tokens of a stretch of any text, comments included; what is none has the type `WRONG`.

    Where the parser chooses tokens by what came before, the longest is taken: `a.0.1` ends in the
    number `0.1`.
    """
    end = len(text) if end is None else end
    for match in _scanner().finditer(text, start, end):
        kind = match.lastgroup or ""
        if kind != "SPACE":
            yield Token(kind, match[0], *match.span())


def next_of_any(text: str, position: int) -> Token:
    """What stands first from a position on, whatever may come there.

    The type of a character that starts no token is empty.
    """
    scanner = _scanner()
    match = scanner.match(text, position)
    if match is not None and match.lastgroup == "SPACE":
        position = match.end()
        match = scanner.match(text, position)
    if match is None or match.lastgroup == "WRONG":
        return Token("", text[position], position, position + 1)
    return Token(match.lastgroup or "", match[0], *match.span())


def beyond(text: str, limit: int) -> int | None:
    """Where the first token beyond a number of them starts, comments apart; None where none does.

    This takes a small part of the parser's time, and none of its memory.
    """
    if len(text) <= limit:
        return None
    found = _scanner().finditer(text)
    starts = (match.start() for match in found if match.lastgroup not in ("SPACE", "COMMENT"))
    return next(islice(starts, limit, None), None)


@cache
def keywords() -> frozenset[str]:
    """The words of the language, which are no names."""
    found = (_KEYWORD.match(pattern) for _, pattern in tables()["terminals"])
    return frozenset(match[0] for match in found if match)


@cache
def _scanner() -> re.Pattern[str]:
    return re.compile(f"{alternatives(tables()['terminals'])}|{_NO_TOKEN}")


def alternatives(terminals: Iterable[tuple[str, str]]) -> str:
    """The pattern of any of some terminals, given by name and pattern; each is a named group."""
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in terminals)
