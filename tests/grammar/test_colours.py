"""What colours programs, Pygments' lexer and VS Code's grammar, tells tokens as the parser does."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String

from netc.grammar.ast import Token
from netc.grammar.lexing.lexer import keywords
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source
from netc.pygments_lexer import NetLexer
from netc.sources import zoo

ROOT = Path(__file__).resolve().parents[2]
TEXTMATE = ROOT / "editors" / "vscode" / "syntaxes" / "netc.tmLanguage.json"
LIBRARY = sorted((ROOT / "specs" / "lib").glob("*.net"))
SPECS = {**zoo(), **{f"lib/{path.stem}": path for path in LIBRARY}}
MORE = 'INPUT(8) as "a b" -> FC(8) as x.1.for -> [FC -> fc-8]*2 # {"}"\noutput y = x.1.for\n'

# The parser's kinds of tokens -> a kind of colour.
KINDS = {
    "COMMENT": "comment",
    "STRING": "string",
    **dict.fromkeys(("INT", "NUMBER", "SIZE"), "number"),
    **dict.fromkeys(("NAME", "WORD", "SHORTHAND", "TAIL"), "name"),
}
SCOPES = {
    "comment": "comment",
    "string": "string",
    "constant.numeric": "number",
    "constant.language": "word",
    "keyword.operator.word": "word",
    "keyword.operator": "sign",
    "keyword": "word",
    "punctuation": "sign",
    "support": "name",
    "entity": "name",
    "variable": "name",
}
PYGMENTS = {
    Comment: "comment",
    String: "string",
    Number: "number",
    Operator.Word: "word",
    Keyword: "word",
    Name: "name",
    Operator: "sign",
    Punctuation: "sign",
}


def parsed(text: str) -> Iterator[tuple[int, str, str]]:
    """The places, kinds and texts of the tokens, as the parser tells them."""
    for token in parse(Source("test.net", text)).tokens:
        yield token.start_pos, _kind(token), token.value


def _kind(token: Token) -> str:
    known = KINDS.get(token.type)
    return known or ("word" if token.value in keywords() else "sign")


def textmate(text: str) -> Iterator[tuple[int, str, str]]:
    """What VS Code's grammar matches: places, kinds and texts. Its rules are patterns of a line."""
    rules = json.loads(TEXTMATE.read_text(encoding="utf-8"))["patterns"]
    patterns = [(re.compile(rule["match"]), rule["name"]) for rule in rules]
    start = 0
    for line in text.splitlines(keepends=True):
        place = 0
        while True:
            found = [(m, name) for p, name in patterns if (m := p.search(line, place)) and m[0]]
            if not found:
                break
            match, name = min(found, key=lambda each: each[0].start())
            kind = next(kind for scope, kind in SCOPES.items() if name.startswith(scope))
            yield start + match.start(), kind, match[0]
            place = match.end()
        start += len(line)


@pytest.mark.parametrize("name", [*SPECS, "more"])
def test_colours_are_those_of_the_parser(name: str) -> None:
    """Every token of every shipped program has the colour of its kind in both."""
    text = MORE if name == "more" else SPECS[name].read_text(encoding="utf-8")
    assert list(_apart(textmate(text))) == list(_apart(parsed(text)))
    lexed = (
        (start, next(kind for token, kind in PYGMENTS.items() if found in token), value)
        for start, found, value in NetLexer().get_tokens_unprocessed(text)
        if value.strip()
    )
    assert list(_apart(lexed)) == list(_apart(parsed(text)))


def _apart(found: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, str]]:
    """The starts and kinds of tokens; `1.0` is three of them, as in the label `layer.1.0`."""
    for start, kind, text in found:
        for part in re.finditer(r"[^.]+|\.", text) if kind == "number" else [re.match(".*", text)]:
            assert part is not None
            yield start + part.start(), "sign" if part[0] == "." else kind


def test_pygments_knows_the_language() -> None:
    """The lexer is found by name and by suffix, and returns the text as it is."""
    assert isinstance(get_lexer_by_name("netc"), NetLexer)
    assert isinstance(get_lexer_for_filename("a.net", "INPUT(8) -> FC(2)"), NetLexer)
    text = 'net A\nINPUT(8) -> FC("open\n\t@ π\n'
    tokens = list(NetLexer().get_tokens_unprocessed(text))
    assert "".join(value for _, _, value in tokens) == text
    assert Error in {kind for _, kind, _ in tokens}
