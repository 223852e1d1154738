"""Reductions of the parser to expressions; see `tree.py`."""
# ruff: noqa: D102, a method per rule of the grammar, which says what it is

import re
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, cast

from ..ast import (
    Apply,
    Argument,
    Attribute,
    Boolean,
    Choice,
    Comment,
    Expression,
    Index,
    ListOf,
    Name,
    Number,
    Size,
    String,
    TupleOf,
)
from ..diagnostics import error
from ..limits import check_expression
from ..source import Source, Span
from .expressions import build_expression
from .literals import read_integer, read_number, read_size, read_string


class Token(Protocol):
    """What the tree needs to know of a token: it is a string with a type and a place."""

    type: str
    start_pos: int
    end_pos: int

    def __str__(self) -> str: ...


Parts = list[Any]


class Arguments(NamedTuple):
    """The arguments of a call and the offset after its parenthesis."""

    items: tuple[Argument, ...]
    end: int


class Hole(NamedTuple):
    """`{expression}` in a label, and where it stands."""

    expression: Expression
    start_pos: int
    end_pos: int


class ExpressionBuilder:
    """Builds the nodes of one source at a time; `begin` names the source."""

    def __init__(self) -> None:
        self.begin(Source("", ""))

    def begin(self, source: Source) -> None:
        """Start on a source, and let go of the one before."""
        self.source = source
        self.comments: list[Comment] = []

    def comment(self, token: str, start: int) -> None:
        """Keep a comment; the lexer calls this, since the grammar ignores comments."""
        text = token.rstrip()
        line_start = self.source.text.rfind("\n", 0, start) + 1
        own_line = not self.source.text[line_start:start].strip()
        span = self._span(start, start + len(text))
        self.comments.append(Comment(text, own_line, span=span))

    def _span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def _at(self, token: Token) -> Span:
        return Span(self.source, token.start_pos, token.end_pos)

    def args(self, parts: Parts) -> Arguments:
        items = parts[1:-1]
        for place, item in enumerate(items):
            if type(item) is not Argument:
                items[place] = Argument(None, item, span=item.span)
        return Arguments(tuple(items), parts[-1].end_pos)

    def keyword(self, parts: Parts) -> Argument:
        name, value = parts
        return Argument(str(name), value, span=self._span(name.start_pos, value.span.end))

    def pair(self, parts: Parts) -> Argument:
        check_expression(parts[1])
        return self.keyword(parts)

    def flat(self, parts: Parts) -> Expression:
        if len(parts) == 1:
            only: Expression = parts[0]
            return only
        return build_expression(
            [(str(p), self._at(cast(Token, p))) if isinstance(p, str) else p for p in parts]
        )

    def choice(self, parts: Parts) -> Choice:
        keyword, condition, then, otherwise = parts
        span = self._span(keyword.start_pos, otherwise.span.end)
        return Choice(condition, then, otherwise, span=span)

    def attribute(self, parts: Parts) -> Attribute:
        value, _, name = parts
        place = name.span if type(name) is Number else self._at(name)
        return Attribute(value, place.text, span=value.span.to(place))

    def index(self, parts: Parts) -> Index:
        value, _, index, close = parts
        return Index(value, index, span=self._span(value.span.start, close.end_pos))

    def apply(self, parts: Parts) -> Apply:
        name, arguments = parts
        span = self._span(name.start_pos, arguments.end)
        return Apply(str(name), arguments.items, span=span)

    def method(self, parts: Parts) -> Apply:
        """`nn.MSELoss()`: a call of a dotted name, which only other frameworks have."""
        value, _, name, arguments = parts
        called = value.span.to(self._at(name))
        if not re.fullmatch(r"[\w.]+", called.text):
            raise error("E011", "a value has no methods", self._at(name))
        span = self._span(value.span.start, arguments.end)
        return Apply(called.text, arguments.items, span=span)

    def name(self, parts: Parts) -> Name:
        return Name(str(parts[0]), span=self._at(parts[0]))

    def paren(self, parts: Parts) -> Expression:
        """An expression in parentheses: the node itself, its span widened to hold them."""
        opening, expression, close = parts
        widened: Expression = replace(expression, span=self._span(opening.start_pos, close.end_pos))
        return widened

    def tuple_of(self, parts: Parts) -> TupleOf:
        opening, *items, close = parts
        return TupleOf(tuple(items), span=self._span(opening.start_pos, close.end_pos))

    def list_of(self, parts: Parts) -> ListOf:
        opening, *items, close = parts
        return ListOf(tuple(items), span=self._span(opening.start_pos, close.end_pos))

    def INT(self, token: Token) -> Number:
        span = self._at(token)
        return Number(read_integer(str(token), span), span=span)

    def NUMBER(self, token: Token) -> Number:
        return read_number(str(token), self._at(token))

    def SIZE(self, token: Token) -> Size:
        return read_size(str(token), self._at(token))

    def STRING(self, token: Token) -> String:
        return read_string(str(token), self._at(token))

    def YES(self, token: Token) -> Boolean:
        return Boolean(True, span=self._at(token))

    def NO(self, token: Token) -> Boolean:
        return Boolean(False, span=self._at(token))
