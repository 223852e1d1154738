"""Where a text that does not parse may be cut, so that one run reports several syntax errors."""

import re
from collections.abc import Iterator

from ..source import Source, Span

_TOKEN = re.compile(r'"(?:[^"\\\n]++|\\[^\n])*+"|#[^\n]*|->|=>|[<>=!]=|\w+|[^\s]')
_OPEN_ENDED = frozenset("-> => == <= >= != < > = | , ; : + - * / % ^ . ( [ {".split())
_CONTINUING = frozenset("as and or not in then else if for let output assert net import".split())
_STATEMENT = re.compile(
    r"[^\W\d]\w*[ \t]*=(?![=>])|(?:net|import|let|block|default|output|assert|train)\b"
)
_CONTINUES = frozenset("as and or then else".split())


def tokens(source: Source, start: int, end: int) -> Iterator[Span]:
    """The words, strings and signs of a stretch of text, roughly; comments are left out."""
    for match in _TOKEN.finditer(source.text, start, end):
        if match[0][0] != "#":
            yield Span(source, match.start(), match.end())


def previous_token(source: Source, start: int, end: int) -> Span | None:
    """The last token before `end`, looking from `start`."""
    last = None
    for last in tokens(source, start, end):  # noqa: B007, the last one is wanted
        pass
    return last


def find_cuts(source: Source) -> list[int]:
    """Offsets of the lines that begin a statement outside brackets, in order.

    Only a line whose text starts in column 1 counts, and only where the line before does not
    plainly go on (with `->`, `|`, an operator); `x = ` and a keyword begin a statement anyway.
    """
    text = source.text
    cuts = []
    depth = 0
    previous = ""
    for span in tokens(source, 0, len(text)):
        word = span.text
        in_first_column = span.start == 0 or text[span.start - 1] == "\n"
        fits = not _goes_on(previous) or _STATEMENT.match(text, span.start)
        if depth == 0 and in_first_column and _begins(word) and fits:
            cuts.append(span.start)
        depth += (word in "([{") - (word in ")]}")
        previous = word
    return cuts


def is_open_ended(word: str) -> bool:
    """Whether a token asks for another after it."""
    return word in _OPEN_ENDED


def _begins(word: str) -> bool:
    return (word[0].isalpha() or word[0] in "_([") and word not in _CONTINUES


def _goes_on(word: str) -> bool:
    return word in _OPEN_ENDED or word in _CONTINUING
