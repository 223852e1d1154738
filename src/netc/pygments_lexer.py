"""Programs in colour wherever Pygments is used: Sphinx, MkDocs, notebooks, LaTeX's `minted`."""

from collections.abc import Iterator
from typing import Any

from pygments.lexer import Lexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from .grammar.lexing.lexer import keywords, tokens

# Of the grammar's terminals, those that are neither words of the language nor punctuation.
KINDS: dict[str, Any] = {
    "COMMENT": Comment.Single,
    "STRING": String.Double,
    "INT": Number.Integer,
    "NUMBER": Number.Float,
    "SIZE": Number,
    "SHORTHAND": Name.Class,
    "WRONG": Error,
}
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("and", "or", "not"), Operator.Word),
    **dict.fromkeys(("yes", "no"), Keyword.Constant),
}
_PUNCTUATION = frozenset("()[]{},;:.|")


class NetLexer(Lexer):
    """Pygments' lexer of `.net` programs, by the compiler's own scanner."""

    name = "netc"
    aliases = ("netc", "net")
    filenames = ("*.net",)
    mimetypes = ("text/x-netc",)
    url = ""
    version_added = ""

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """The places, kinds and texts of a program's tokens, which make up the whole text."""
        end, before = 0, ""
        for token in tokens(text):
            if token.start_pos > end:
                yield end, Whitespace, text[end : token.start_pos]
            yield token.start_pos, _kind(token.type, token.value, before), token.value
            end, before = token.end_pos, token.value
        if end < len(text):
            yield end, Whitespace, text[end:]


def _kind(terminal: str, value: str, before: str) -> Any:
    """What a token is called by Pygments; words after a dot and after `as` are names."""
    if terminal in KINDS:
        return KINDS[terminal]
    if value[0].isalpha() or value[0] == "_":
        if before == "as":
            return Name.Label
        if before != "." and value in keywords():
            return _WORDS.get(value, Keyword)
        return Name.Class if value.isupper() else Name
    return Punctuation if value in _PUNCTUATION else Operator
