"""Source text to a syntax tree; the only file that imports lark."""

import gc
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark import __version__ as lark_version
from lark.grammar import Rule
from lark.lexer import ContextualLexer, TerminalDef

from ..ast import Comment, Module, Statement
from ..diagnostics import NetError, error
from ..limits import MAX_NESTING, check_statements
from ..source import Source, Span
from ..syntax_failures.mistakes import Failure
from ..syntax_failures.syntax_errors import Outcome, Table, build_table, report
from .brackets import check_brackets
from .tables import kept_tables, read_tables, write_tables
from .tree import TreeBuilder

_GRAMMAR = Path(__file__).parents[1] / "net.lark"
_LOCK = RLock()  # one builder serves every parse
if hasattr(os, "register_at_fork"):  # else a child would wait for a thread that it lacks
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )


def parse(source: Source) -> Module:
    """Parse a program.

    Args:
        source: The text, without a byte-order mark.

    Returns:
        The syntax tree; every node has the exact span of its text. No tree is deeper than about
        three times `MAX_NESTING` nodes, so that what comes after may recurse.

    Raises:
        NetError: With every syntax error that was found (E003, E010-E029, E402-E404).
    """
    check_brackets(source)
    with _LOCK, _paused_collector():
        statements, comments = _statements(source)
    if not statements:
        raise error(
            "E003",
            f"`{source.name}` contains no statements",
            help="start with a chain, such as `INPUT(28x28) -> FC(10)`",
        )
    if source.text.count("else") > MAX_NESTING:
        check_statements(statements)
    return Module(source, statements, comments)


def _statements(source: Source) -> tuple[tuple[Statement, ...], tuple[Comment, ...]]:
    """The statements and comments of a text, or all its syntax errors."""
    builder, lark = _parser()
    builder.begin(source)
    try:
        # Lark says that it returns its own tree; the builder returns statements.
        return lark.parse(source.text), tuple(builder.comments)  # type: ignore[return-value]
    except (NetError, UnexpectedInput) as failure:
        first = _failure(source, failure)
    finally:
        builder.begin(Source("", ""))
    raise report(source, first, _attempt, _table()) from None


def _attempt(source: Source, start: int) -> Outcome:
    """What goes wrong first in the text from `start` on, if anything does."""
    builder, lark = _parser()
    builder.begin(source)
    try:
        lark.parse(" " * start + source.text[start:])
    except (NetError, UnexpectedInput) as failure:
        return _failure(source, failure)
    return None


def _failure(source: Source, failure: NetError | UnexpectedInput) -> Failure | NetError:
    """A failure in words of our own, which no longer mention lark."""
    if isinstance(failure, NetError):
        return failure
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


@contextmanager
def _paused_collector() -> Iterator[None]:
    """No cyclic garbage arises in a parse, and looking for it would take a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Lexer(ContextualLexer):
    """Lark's contextual lexer with its own loop for good text, which takes half the time.

    It matches white space and a token at once and counts no lines, for spans need none. What does
    not match, and the end of the text, is left to Lark.
    """

    def __init__(self, conf: Any, states: Any, always_accept: Any = ()) -> None:
        super().__init__(conf, states, always_accept)
        self._comment = conf.callbacks["COMMENT"]
        self._matchers: dict[int, Callable[[str, int], re.Match[str] | None]] = {}
        self._compiled: dict[str, Callable[[str, int], re.Match[str] | None]] = {}

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Token]:
        text = getattr(lexer_state.text, "text", lexer_state.text)
        matchers = self._matchers
        position = 0
        while True:
            state = parser_state.position
            match = (matchers.get(state) or self._matcher(state))(text, position)
            if match is None:
                break
            kind = match.lastgroup or ""
            start, position = match.span(kind)
            token = Token(kind, match[kind], start, None, None, None, None, position)
            if kind == "COMMENT":
                self._comment(token)
            else:
                yield token
        lexer_state.line_ctr.char_pos = position
        yield from super().lex(lexer_state, parser_state)

    def _matcher(self, state: int) -> Callable[[str, int], re.Match[str] | None]:
        """The matcher of all tokens that may come in a state; many states share one."""
        lexer: Any = self.lexers[state]
        terminals = [t for t in lexer.terminals if t.name != "SPACE"]
        tokens = "|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in terminals)
        if tokens not in self._compiled:
            self._compiled[tokens] = re.compile(rf"[ \t\r\n\f]*(?:{tokens})").match
        self._matchers[state] = self._compiled[tokens]
        return self._matchers[state]


@cache
def _table() -> Table:
    """The table of syntax errors; it is built when the first one is met."""
    return build_table(_attempt)


@cache
def _parser() -> tuple[TreeBuilder, Lark]:
    builder = TreeBuilder()

    def collect(token: Token) -> Token:
        builder.comment(token, token.start_pos or 0)
        return token

    grammar = _GRAMMAR.read_text(encoding="utf-8")
    with kept_tables(grammar, lark_version, sys.version) as path:
        kept: dict[str, Any] = {
            "transformer": builder,
            "lexer_callbacks": {"COMMENT": collect},
            "_plugins": {"ContextualLexer": _Lexer},
        }
        try:
            tables = read_tables(path)
            # Lark does not annotate this function.
            return builder, Lark._load_from_dict(**tables, **kept)  # type: ignore[no-untyped-call]
        except Exception:  # there are none, or they are damaged
            pass
        lark = Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=False, **kept)
        data, memo = lark.memo_serialize([TerminalDef, Rule])
        data["options"] = {n: v for n, v in data["options"].items() if n not in kept}
        write_tables(path, {"data": data, "memo": memo})
    return builder, lark
