"""Text that was typeset, in LaTeX, Markdown or a word processor -> the same in plain characters.

Strings and comments keep theirs.
"""
# ruff: noqa: RUF001, this file is about characters that are taken for others

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

ARROWS = "→⟶⇒⟹⇨↦⟼▶►⭢➔➘-➯➱-➾"  # of a set of characters
_LONGEST = 12_000  # characters of a program that are looked at
_KEPT = re.compile(r'(#[^\n]*|"(?:[^"\\\n]|\\.)*")')
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_PUNCTUATION: Mapping[int, str] = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full width
    **dict.fromkeys(map(ord, "“”„«»"), '"'),
    **dict.fromkeys(map(ord, "–—−‐‑"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2009\u202f\u3000"), " "),
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), ""),
    ord("、"): ",",
    ord("∗"): "*",
    ord("∣"): "|",
    ord("‖"): "|",
}

_RIGHT = "x?(?:[Ll]ong)?[Rr]ightarrow"

Replacement = str | Callable[[re.Match[str]], str]


# What stands for something else, in the order in which it is replaced; the patterns are compiled
# for programs that are refused only.
_RULES: Mapping[str, Replacement] = {
    r"(?m)^[ \t]*(?:```|~~~)[ \t]*\w*[ \t]*(?:\n|\Z)": "",
    r"(?m)^(?:>[ \t]?)+": "",
    r"\\(?:begin|end)\{\w+\*?\}": "",
    r"\\(?:text\w*|mathrm|mathbf|mathtt|mbox|operatorname)\s*\{([^{}]*)\}": r"\1",
    rf"(?<![ \t])[ \t]*\$?\\(?:to|mapsto|implies|{_RIGHT})\b(?:\{{\}})?\$?[ \t]*": " -> ",
    rf"(?<![ \t])[ \t]*(?:[{ARROWS}]|[–—−]>)[ \t]*": " -> ",
    r"\]\s*(?:\^\s*\{?\s*(\d+)(?:\s*\})?|\^\{\\times\s*(\d+)\})": r"]*\1\2",
    r"\]\s*([⁰¹²³⁴⁵⁶⁷⁸⁹]+)": lambda match: f"]*{match[1].translate(_SUPERSCRIPTS)}",
    r"(?<=[\])])\s*(?:×|\\times\b)\s*": "*",
    r"(?<=\d)\s*(?:×|\\times\b)\s*(?=\d)": "x",
    r"\\[,;:!]|\\q?quad\b|\\\\[ \t]*(?=\n|\Z)": " ",
    r"\\([*_\[\]<>#|])": r"\1",
    r"\*\*([A-Za-z]\w*)\*\*": r"\1",
    r"(?<=[\w)])\?": "",  # what may be left out, as in `POOL?`
    r"[$`]": "",
}
# What the message for a single character answers as well.
_ALONE = re.compile(r"[^\w\s?$`⁰¹²³⁴⁵⁶⁷⁸⁹]|\\\W|[–—−]>|\S*\s*×\s*\S*")


class PlainText(NamedTuple):
    """What becomes of a typeset text.

    Attributes:
        text: The same in plain characters.
        changes: How many of its parts are changed, each of them one character.
        is_markup: Whether other parts than single characters are changed.
    """

    text: str
    changes: int
    is_markup: bool


def plain(text: str) -> PlainText | None:
    """A text in plain characters, or None where it is in plain characters already."""
    if len(text) > _LONGEST:
        return None
    parts = _KEPT.split(text)
    count, is_markup = 0, False
    for place in range(0, len(parts), 2):
        for pattern, replacement in _RULES.items():
            found = [match[0].strip() for match in re.finditer(pattern, parts[place])]
            is_markup = is_markup or not all(map(_ALONE.fullmatch, found))
            parts[place], replaced = re.subn(pattern, replacement, parts[place])
            count += replaced
        count += sum(ord(character) in _PUNCTUATION for character in parts[place])
        parts[place] = parts[place].translate(_PUNCTUATION)
    return PlainText("".join(parts), count, is_markup) if count else None
