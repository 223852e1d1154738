"""Notations of other languages and typos, each with the advice that fixes it."""
# ruff: noqa: RUF001, this file is about characters that are taken for others

import re
from collections.abc import Callable
from typing import NamedTuple

from ..diagnostics import Diagnostic
from ..source import Source, Span
from ..translation.typeset import ARROWS


class Slip(NamedTuple):
    """A pattern, tried where the text stopped making sense, and what to say about it.

    Attributes:
        pattern: Must match at most `_REACH` characters before the offset and cover it.
        code: The code of the diagnostic.
        message: A template; `{0}` is the text that matched, `{1}` its first code point.
        help: A template as well, or a function of the match.
    """

    pattern: re.Pattern[str]
    code: str
    message: str
    help: str | Callable[[re.Match[str]], str]


_REACH = 20
_INVISIBLE = "\u00a0\u2000-\u200f\u2028-\u202f\u2060\u3000\ufeff\x00-\x08\x0b\x0e-\x1f\x7f\x85"


def _slip(
    pattern: str, code: str, message: str, help: str | Callable[[re.Match[str]], str]
) -> Slip:
    return Slip(re.compile(pattern), code, message, help)


def _sized(match: re.Match[str]) -> str:
    return f"write `{re.sub(r'[^0-9]+', 'x', match[0]).strip('x')}`"


_NEXT = "start the next statement on a new line"


def _in_call(match: re.Match[str]) -> bool:
    line = match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]
    return line.count("(") > line.count(")")


_SLIPS = (
    _slip(r"[0-9]+\s*(?:×\s*[0-9]+\s*)*×\s*[0-9]+", "E010", "`×` does not join sizes", _sized),
    _slip(r"×", "E010", "`×` is not part of the language", "write `x` in a size, as in `3x3`"),
    _slip(rf"[{ARROWS}]", "E010", "`{0}` is not the language's arrow", "write `->`"),
    _slip(r"[–—−]>?", "E010", "`{0}` is not the language's minus sign", "write `-`, or `->`"),
    _slip(r"=>", "E011", "`=>` is not the language's arrow", "write `->`"),
    _slip(r"-->|>>", "E011", "`{0}` is not the language's arrow", "write `->`"),
    _slip(
        r"(?<![\w.])([0-9][0-9_.]*)K(?!\w)",
        "E014",
        "`{0}` is not a number",
        lambda m: f"the suffix for a thousand is a lower-case `k`: `{m[1]}k`",
    ),
    _slip(
        r"(?<![\w.])([0-9][0-9_.]*)([mgt])(?!\w)",
        "E014",
        "`{0}` is not a number",
        lambda m: f"the suffix is a capital: `{m[1]}{m[2].upper()}`",
    ),
    _slip(r"(?<![\w.])[0-9]+(?:X[0-9]+)+(?!\w)", "E014", "`{0}` is not a size", _sized),
    _slip(
        r"(?<![\w.])[0-9]+(?:x\w+)+(?!\w)",
        "E014",
        "`{0}` is not a size: a literal size holds numbers only",
        lambda m: f"write the extents as a tuple: `({', '.join(m[0].split('x'))})`",
    ),
    _slip(r"(?<![\w.])[0-9][0-9_]*_(?!\w)|(?<![\w.])[0-9]+__[0-9_]+", "E014",
          "`{0}` is not a number", "a `_` stands between two digits"),
    _slip(
        r"(?<![\w.])[0-9][0-9_.]*[^\W\d]\w*",
        "E014",
        "`{0}` is neither a number nor a name",
        "a number ends in a digit or in `k`, `M`, `G`, `T`; a name starts with a letter",
    ),
    _slip(r"(?<![\w.)\]}])\.[0-9]+", "E011", "`{0}` needs a digit before its decimal point",
          "write `0{0}`"),
    _slip(r"&&?", "E010", "`{0}` is not an operator of the language", "write `and`"),
    _slip(r"!(?!=)", "E010", "`!` is not an operator of the language", "write `not`"),
    _slip(r"\*\*", "E011", "`**` is not an operator of the language", "write `^` for a power"),
    _slip(r"[‘’“”'`]", "E010", "`{0}` does not quote a string", 'write `"..."`'),
    _slip(r";", "E010", "`;` does not end a statement",
          lambda match: "write `,`" if _in_call(match) else _NEXT),
    _slip(r"\\[*_\[\]<>#|]", "E010", "`{0}` is Markdown's spelling",
          lambda match: f"write `{match[0][1:]}`"),
    _slip(r"\\", "E010", "`\\` is not part of the language",
          "a statement may span lines as it is"),
    _slip(rf"[{_INVISIBLE}]", "E010", "the invisible character U+{1:04X}",
          "replace it with a space"),
)  # fmt: skip


def find_slip(source: Source, offset: int, *, in_token: bool) -> Diagnostic | None:
    """The slip that covers an offset, or None; a token is a good number, if it is one at all."""
    for slip in _SLIPS:
        if in_token and slip.code == "E014":
            continue
        match = _covering(slip.pattern, source.text, offset)
        if match is not None:
            advice = slip.help(match) if callable(slip.help) else slip.help.format(match[0])
            return Diagnostic(
                slip.code,
                slip.message.format(match[0], ord(match[0][0])),
                Span(source, match.start(), match.end()),
                help=advice,
            )
    return None


def _covering(pattern: re.Pattern[str], text: str, offset: int) -> re.Match[str] | None:
    line_start = text.rfind("\n", 0, offset) + 1
    for match in pattern.finditer(text, max(line_start, offset - _REACH), offset + 200):
        if match.start() > offset:
            return None
        if match.end() > offset:
            return match
    return None
