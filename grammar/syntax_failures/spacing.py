"""Where white space matters: statements start on their own line, labels contain none."""

import re
from collections.abc import Sequence
from itertools import pairwise

from ..diagnostics import NetError, error
from ..source import Span

_BLANK = " \t\r\f"
_IMPORT = re.compile(r'[ \t]*import[ \t]*"')
_WORD_BEFORE = re.compile(r"\w+\Z")


def check_start(span: Span, *, chain: bool) -> None:
    """Refuse a statement that starts neither on a new line nor directly after `{`.

    Args:
        span: The statement.
        chain: Whether it is a bare chain, so that an arrow may be what is missing.

    Raises:
        NetError: E016 or E017.
    """
    before = previous_character(span)
    if before < 0 or span.source.text[before] in "\n{":
        return
    raise crowded(span, before, chain=chain)


def check_entry_start(span: Span) -> None:
    """Refuse an entry of `train` that follows another on its line without a comma.

    Raises:
        NetError: E017.
    """
    before = previous_character(span)
    if span.source.text[before] in "\n{,":
        return
    raise error(
        "E017",
        "two settings on one line",
        _first_word(span),
        help="put each on its own line, or a comma between them",
    )


def check_label(
    places: Sequence[Span], *, kind: str = "label", help: str = "write it without one, or quote it"
) -> None:
    """Refuse a label, or another kind of dotted name, whose pieces do not touch.

    Raises:
        NetError: E017.
    """
    for left, right in pairwise(places):
        if left.end != right.start:
            raise error(
                "E011",
                f"a {kind} cannot contain white space",
                Span(left.source, left.end, right.start),
                help=help,
            )


def previous_character(span: Span) -> int:
    """The offset of the character before a span, over blanks but not over a line break, or -1."""
    text = span.source.text
    offset = span.start - 1
    while offset >= 0 and text[offset] in _BLANK:
        offset -= 1
    return offset


def crowded(span: Span, before: int, *, chain: bool) -> NetError:
    """The error for a statement that starts after another, whose last character is at `before`."""
    from ..translation.statements import find_foreign  # for refusals only

    text = span.source.text
    foreign = find_foreign(span.source, text.rfind("\n", 0, before + 1) + 1, span.start)
    if foreign is not None:
        return NetError([foreign])
    word = _WORD_BEFORE.search(text, max(0, before - 80), before + 1)
    if chain and text[span.start] == "(" and word is not None:
        return spaced_call(Span(span.source, before + 1, span.start + 1), word[0])
    first = _first_word(span)
    is_import = _IMPORT.match(text, text.rfind("\n", 0, before + 1) + 1) is not None
    if chain and not is_import:
        return error(
            "E017",
            f"no `->` before `{first.text}`",
            first,
            help="put `->` between two steps; a new chain starts on a new line",
        )
    help = "start the second on its own line"
    if is_import and text[before] == '"':
        help += f"; `as {first.text}` would name the import"
    return error("E017", "two statements on one line", first, help=help)


def spaced_call(span: Span, word: str) -> NetError:
    """The error for a blank between the name of a call and its parenthesis."""
    help = f"write `{word}(...)` without a space"
    if not word.islower():  # a layer or a block, which may come before branches
        help += f", or `{word} -> ( a | b )` for branches"
    return error("E016", f"a space between `{word}` and its parenthesis", span, help=help)


def _first_word(span: Span) -> Span:
    """The first word of a span, or its first character where that is a sign."""
    match = re.compile(r"\w+|.", re.DOTALL).match(span.source.text, span.start)
    return Span(span.source, span.start, match.end() if match else span.end)
