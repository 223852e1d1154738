"""Source text to a syntax tree."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock

from ..ast import Comment, Module, Token
from ..diagnostics import NetError, error
from ..lexing.lexer import Failure, Parser, TooMuchError
from ..limits import MAX_NESTING, MAX_TOKENS, check_statements
from ..source import Source, Span
from ..syntax_failures.syntax_errors import Outcome, Table, build_table, report
from .brackets import check_brackets, check_text, too_much
from .tree import TreeBuilder

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
    check_text(source)
    with _LOCK, _paused_collector():
        module = _attempt(source)
        if not isinstance(module, Module):
            check_brackets(source)
            raise report(source, module, _wrong, _table())
    if not module.statements:
        raise error(
            "E003",
            f"`{source.name}` contains no statements",
            help="start with a chain, such as `INPUT(28x28) -> FC(10)`",
        )
    if source.text.count("else") > MAX_NESTING:
        check_statements(module.statements)
    return module


def _attempt(source: Source, start: int = 0) -> Module | Outcome:
    """The tree of a text from `start` on, or what goes wrong first."""
    builder, parser = _parser()
    builder.begin(source)
    try:
        outcome = parser.parse(source, start)
    except NetError as failure:
        return failure
    except TooMuchError as failure:
        return too_much(source, failure.start, f"{MAX_TOKENS:_} tokens")
    finally:
        builder.begin(Source("", ""))
    if isinstance(outcome, Failure):
        return outcome
    statements, tokens = outcome
    comments = tuple([_comment(source, token) for token in tokens if token.type == "COMMENT"])
    return Module(source, statements, comments, tuple(tokens))


def _comment(source: Source, token: Token) -> Comment:
    text, start = token.value.rstrip(), token.start_pos
    line_start = source.text.rfind("\n", 0, start) + 1
    own_line = not source.text[line_start:start].strip()
    return Comment(text, own_line, span=Span(source, start, start + len(text)))


def _wrong(source: Source, start: int) -> Outcome | None:
    """What goes wrong first in the text from `start` on, if anything does."""
    outcome = _attempt(source, start)
    return None if isinstance(outcome, Module) else outcome


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


@cache
def _table() -> Table:
    """The table of syntax errors; it is built when the first one is met."""
    return build_table(_wrong)


@cache
def _parser() -> tuple[TreeBuilder, Parser]:
    builder = TreeBuilder()
    return builder, Parser(builder)
