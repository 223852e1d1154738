"""Where a text that does not parse may be cut, so that one run reports several syntax errors."""

import re

from ..lexing.lexer import tokens
from ..source import Source, Span

_OPEN_ENDED = frozenset("-> == // => <= >= != < > = | , ; : + - * / % ^ . ( [ {".split())
_CONTINUING = frozenset("as and or not in then else if for let output assert net import".split())
_STATEMENT = re.compile(
    r"[^\W\d]\w*[ \t]*=(?![=>])|(?:net|import|let|block|default|output|assert|train)\b"
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_CONTINUES = frozenset("as and or then else".split())


def previous_token(source: Source, start: int, end: int) -> Span | None:
    """The last token before `end`, looking from `start`; comments are left out."""
    last = None
    for token in tokens(source.text, start, end):
        last = token if token.type != "COMMENT" else last
    return Span(source, last.start_pos, last.end_pos) if last is not None else None


def find_cuts(source: Source) -> list[int]:
    """Offsets of the lines that begin a statement outside brackets, in order.

    Only a line whose text starts in column 1 counts, and only where the line before does not
    plainly go on (with `->`, `|`, an operator); `x = ` and a keyword begin a statement anyway.
    """
    text = source.text
    cuts = []
    depth = 0
    previous = ""
    for token in tokens(text):
        start, word = token.start_pos, token.value
        if token.type == "COMMENT":
            continue
        in_first_column = start == 0 or text[start - 1] == "\n"
        fits = not _goes_on(previous) or _STATEMENT.match(text, start)
        if depth == 0 and in_first_column and _begins(word) and fits:
            cuts.append(start)
        depth += (word in _OPENING) - (word in _CLOSING)
        previous = word
    return cuts


def is_open_ended(word: str) -> bool:
    """Whether a token asks for another after it."""
    return word in _OPEN_ENDED


def _begins(word: str) -> bool:
    return (word[0].isalpha() or word[0] in "_([") and word not in _CONTINUES


def _goes_on(word: str) -> bool:
    return word in _OPEN_ENDED or word in _CONTINUING
