"""The tree of a half-written text: of what is left of it without what is wrong.

What is left out is replaced by blanks, so that all places stay those of the whole text.
"""

from collections.abc import Iterator

from ..grammar import ast
from ..grammar.lexing.lexer import tokens
from ..grammar.parsing.parser import parse_up_to
from ..grammar.source import Source

MOST_PARSES = 40  # of a text that has many faults
_OPENING = {")": "(", "]": "[", "}": "{"}


def parse_what_is_right(source: Source) -> ast.Module | None:
    """The tree of a text without what does not parse; None where that was not found."""
    text = source.text
    outcome = parse_up_to(source)
    parses = 1
    while not isinstance(outcome, ast.Module):
        found: list[tuple[int, str]] = []
        for shorter in _shortened(text, outcome):
            parses += 1
            attempt = parse_up_to(Source(source.name, shorter))
            if isinstance(attempt, ast.Module):
                return attempt
            found.append((attempt, shorter))
        further = max(found, default=(-1, ""), key=lambda each: each[0])
        if further[0] <= outcome or parses > MOST_PARSES:
            return None
        outcome, text = further
    return outcome


def _shortened(text: str, stop: int) -> Iterator[str]:
    """Texts that lack what can be to blame for a stop of the parser, the likeliest first."""
    last, brackets = _before(text, stop)
    here, before = _line(text, stop), _line(text, last)
    cuts = [_step(text, bracket) for bracket in brackets[-1:]]
    cuts += [_step(text, last)]
    cuts += [before if before != here else _line(text, len(text[: here[0]].rstrip()))]
    cuts += [_step(text, stop), *(_line(text, each) for each in brackets[-1:]), before, here]
    far = [*reversed(brackets[-3:]), *brackets[:1]]
    cuts += [(_line(text, each)[0], here[1]) for each in far]
    for start, end in dict.fromkeys(cuts):
        if text[start:end].strip():
            blank = "".join(char if char == "\n" else " " for char in text[start:end])
            yield text[:start] + blank + text[end:]


def _before(text: str, stop: int) -> tuple[int, list[int]]:
    """Where the last token before a place starts, and the brackets that are open there."""
    last, opened = 0, list[tuple[str, int]]()
    for token in tokens(text, 0, stop):
        if token.type == "COMMENT":
            continue
        last = token.start_pos
        if token.value in _OPENING.values():
            opened.append((token.value, last))
        elif opened and _OPENING.get(token.value) == opened[-1][0]:
            opened.pop()
    return last, [start for _, start in opened]


def _line(text: str, place: int) -> tuple[int, int]:
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, len(text) if end < 0 else end


def _step(text: str, place: int) -> tuple[int, int]:
    """From the arrow that leads to a place in its line, or the line's start, to the line's end."""
    start, end = _line(text, place)
    arrow = text.rfind("->", start, place + 2)
    return (start if arrow < 0 else arrow), end
