"""Lark, which reads `net.lark`: tokens, keywords and the parser; the only file that imports it."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from lark import Lark, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark import Token as LarkToken
from lark import __version__ as lark_version
from lark.common import LexerConf
from lark.grammar import Rule as LarkRule
from lark.lexer import BasicLexer, ContextualLexer, TerminalDef

from ..ast import Token
from ..limits import MAX_NESTING, MAX_TOKENS
from ..source import Source, Span
from .kept_tables import Tables, kept_tables

_GRAMMAR = Path(__file__).parents[1] / "net.lark"
_DEPTHS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_KEYWORD = re.compile(r"[a-z]+(?=(?:\(\?!\\w\))?\Z)")  # in a terminal's pattern
# What only wrong programs hold: a string without its end, a number that runs into a word.
_NO_TOKEN = r'(?P<WRONG>"(?:[^"\\\n]++|\\[^\n])*+|\w+|\S)'

StartRule = Literal["start", "setting"]  # a program, or a setting's value alone
Match = Callable[[str, int], re.Match[str] | None]


@dataclass(frozen=True, slots=True)
class Failure:
    """Where the parser stopped.

    Attributes:
        span: The token, or the character that starts none; empty at the end of the text.
        type: The token's type, `$END`, or the empty string for a character.
        state: The state on top of the parser's stack.
        expected: The types of tokens that could stand there.
    """

    span: Span
    type: str
    state: int
    expected: frozenset[str]


class TooMuchError(Exception):
    """A text nests too deep, or has too many tokens.

    Attributes:
        start: Where the first token beyond the limit starts.
    """

    def __init__(self, start: int) -> None:
        self.start = start


class Lexeme(NamedTuple):
    """A token of any text; one of Lark's takes three times as long to make."""

    type: str
    value: str
    start_pos: int
    end_pos: int


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Lexeme]:
    """The tokens of a stretch of any text, comments included; what is none has the type `WRONG`.

    Where the parser tells tokens by what came before, the longest is taken: `a.0.1` ends in the
    number `0.1`.
    """
    end = len(text) if end is None else end
    for match in _scanner().finditer(text, start, end):
        kind = match.lastgroup or ""
        if kind != "SPACE":
            yield Lexeme(kind, match[0], *match.span())


def beyond(text: str, limit: int) -> int | None:
    """Where the first token beyond a number of them starts, comments apart; None where none does.

    That is told many times as fast as by the parser, and without its memory.
    """
    if len(text) <= limit:
        return None
    found = _scanner().finditer(text)
    starts = (match.start() for match in found if match.lastgroup not in ("SPACE", "COMMENT"))
    return next(islice(starts, limit, None), None)


@cache
def keywords() -> frozenset[str]:
    """The words of the language, which are no names."""
    found = (_KEYWORD.match(terminal.pattern.value) for terminal in _terminals())
    return frozenset(match[0] for match in found if match)


class Parser:
    """Parses texts, one at a time, and calls a builder for each rule that is recognized."""

    def __init__(self, builder: object) -> None:
        # Lark does not annotate this function.
        self._lark = Lark._load_from_dict(  # type: ignore[no-untyped-call]
            **_tables(), transformer=builder, _plugins={"ContextualLexer": _Lexer}
        )
        self._lexer = self._lark.parser.lexer

    def parse(
        self, source: Source, start: int, rule: StartRule, most: int
    ) -> tuple[Any, list[Token]] | Failure:
        """What the builder makes of a text, from an offset on, and its tokens, or where it ends.

        Args:
            source: The text.
            start: The offset.
            rule: What the text is.
            most: How many tokens it may have.

        Raises:
            NetError: By the builder.
            TooMuchError: The text is beyond a limit.
        """
        self._lexer.most = most
        try:
            made = self._lark.parse(" " * start + source.text[start:], rule)
            return made, self._lexer.tokens
        except UnexpectedInput as failure:
            return _failure(source, failure)
        finally:
            self._lexer.tokens = []


def _failure(source: Source, failure: UnexpectedInput) -> Failure:
    """A failure in words of our own, which no longer mention lark."""
    state = failure.state.position if failure.state is not None else -1
    if isinstance(failure, UnexpectedToken) and failure.token.type != "$END":
        token = failure.token
        span = Span(source, token.start_pos or 0, token.end_pos or 0)
        return Failure(span, token.type, state, frozenset(failure.accepts))
    if isinstance(failure, UnexpectedCharacters):
        start = failure.pos_in_stream or 0
        return Failure(Span(source, start, start + 1), "", state, frozenset(failure.allowed))
    end = len(source.text)
    expected = frozenset(failure.accepts) if isinstance(failure, UnexpectedToken) else frozenset()
    return Failure(Span(source, end, end), "$END", state, expected)


class _Lexer(ContextualLexer):
    """Lark's contextual lexer with its own loop for good text, which takes half the time.

    It matches white space and a token at once and counts no lines, for spans need none. What does
    not match, and the end of the text, is left to Lark. All tokens are kept, comments too.
    """

    def __init__(self, conf: Any, states: Any, always_accept: Any = ()) -> None:
        super().__init__(conf, states, always_accept)
        self.tokens: list[LarkToken] = []
        self.most = MAX_TOKENS
        self._matchers: dict[int, Match] = {}
        self._compiled: dict[str, Match] = {}

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[LarkToken]:
        text = getattr(lexer_state.text, "text", lexer_state.text)
        matchers, keep, most = self._matchers, self.tokens.append, self.most
        position = depth = count = 0
        while True:
            state = parser_state.position
            match = (matchers.get(state) or self._matcher(state))(text, position)
            if match is None:
                break
            kind = match.lastgroup or ""
            start, position = match.span(kind)
            word = match[kind]
            token = LarkToken(kind, word, start, None, None, None, None, position)
            keep(token)
            if kind == "COMMENT":
                continue
            count += 1
            if word in _DEPTHS:
                depth += _DEPTHS[word]
            if count > most or depth > MAX_NESTING:
                raise TooMuchError(start)
            yield token
        lexer_state.line_ctr.char_pos = position
        yield from super().lex(lexer_state, parser_state)

    def _matcher(self, state: int) -> Match:
        """The matcher of all tokens that may come in a state; many states share one."""
        lexer: Any = self.lexers[state]
        pattern = _alternatives([t for t in lexer.terminals if t.name != "SPACE"])
        if pattern not in self._compiled:
            self._compiled[pattern] = re.compile(rf"[ \t\r\n\f]*(?:{pattern})").match
        self._matchers[state] = self._compiled[pattern]
        return self._matchers[state]


def _alternatives(terminals: list[TerminalDef]) -> str:
    return "|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in terminals)


@cache
def _scanner() -> re.Pattern[str]:
    return re.compile(f"{_alternatives(_terminals())}|{_NO_TOKEN}")


@cache
def _terminals() -> list[TerminalDef]:
    """All terminals of the grammar, in the order in which Lark tries them."""
    memo = _tables()["memo"].values()
    found = [
        TerminalDef.deserialize(each, {}) for each in memo if each["__type__"] == "TerminalDef"
    ]
    return list(BasicLexer(LexerConf(found, re, skip_validation=True)).terminals)


@cache
def _tables() -> Tables:
    grammar = _GRAMMAR.read_text(encoding="utf-8")

    def make() -> Tables:
        options: dict[str, Any] = {"start": [*get_args(StartRule)], "maybe_placeholders": False}
        lark = Lark(grammar, parser="lalr", lexer="contextual", **options)
        data, memo = lark.memo_serialize([TerminalDef, LarkRule])
        return {"data": data, "memo": memo}

    return kept_tables(grammar, lark_version, sys.version, make=make)
