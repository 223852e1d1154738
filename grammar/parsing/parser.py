"""Source text to a syntax tree."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from ..ast import Comment, Expression, MapOf, Module, Token
from ..diagnostics import Diagnostic, NetError, Pointer, error
from ..lexing.automaton import Parser, TooMuchError
from ..lexing.lexer import beyond
from ..lexing.tables import StartRule
from ..limits import MAX_NESTING, MAX_STRING, MAX_TOKENS, check_expression, check_statements
from ..source import Source, Span
from .brackets import check_brackets, check_text, too_much
from .tree import TreeBuilder

if TYPE_CHECKING:
    from ..syntax_failures.syntax_errors import ExampleTable, Outcome

_LOCK = RLock()  # one builder serves every parse
if hasattr(os, "register_at_fork"):  # else a child would wait for a thread that it lacks
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )


def parse(source: Source, *, most: int = MAX_TOKENS) -> Module:
    """Parse a program.

    Args:
        source: The text, without a byte-order mark.
        most: How many tokens it may have.

    Returns:
        The syntax tree; every node has the exact span of its text. No tree is deeper than about
        three times `MAX_NESTING` nodes, so that what comes after may recurse.

    Raises:
        NetError: With every syntax error that was found (E003, E010-E029, E402-E404).
    """
    check_text(source)
    with _LOCK, _paused_collector():
        module = _attempt(source, 0, most)
        if not isinstance(module, Module):
            from ..syntax_failures.syntax_errors import report  # for refusals only

            check_brackets(source, most)
            raise report(source, module, partial(_wrong, most=most), _table())
    if not module.statements:
        raise error(
            "E003",
            f"`{source.name}` contains no statements",
            help="start with a chain, such as `INPUT(28x28) -> FC(10)`",
        )
    if source.text.count("else") > MAX_NESTING:
        check_statements(module.statements)
    return module


def parse_up_to(source: Source) -> Module | int:
    """The tree of a text, or the offset at which its first syntax error shows, without a message.

    A text without statements is a tree without any.
    """
    try:
        check_text(source)
    except NetError as failure:
        outcome: Module | Outcome = failure
    else:
        with _LOCK, _paused_collector():
            outcome = _attempt(source, 0, MAX_TOKENS)
    if isinstance(outcome, Module):
        return outcome
    span = outcome.diagnostics[0].span if isinstance(outcome, NetError) else outcome.span
    return 0 if span is None else span.start


def parse_setting(span: Span) -> Expression | MapOf:
    """Parse what stands for the value of a setting in a text that is no program.

    Raises:
        NetError: E125, it is more than a value; or its first syntax error.
    """
    if not span.text.strip():
        raise error("E011", "nothing follows `=`", span, label="expected a value")
    alone = Source(span.source.name, " " * span.start + span.text)
    try:
        check_text(alone)
        with _LOCK, _paused_collector():
            outcome = _read(alone, span.start, "setting", whole=span.source)
            if not isinstance(outcome, tuple):
                check_brackets(alone)
                raise _no_setting(span, outcome)
    except NetError as failure:
        raise NetError([_moved(each, span.source) for each in failure.diagnostics]) from None
    value: Expression | MapOf = outcome[0]
    if not isinstance(value, MapOf):
        check_expression(value)
    return value


def _no_setting(span: Span, outcome: "Outcome") -> NetError:
    from ..syntax_failures.syntax_errors import explain  # for refusals only

    if isinstance(outcome, NetError):
        return outcome
    is_complete = not outcome.expected or "$END" in outcome.expected
    if outcome.type and is_complete:
        text = " ".join(span.text.split())
        shown = text if len(text) <= 40 else f"{text[:37]}..."
        return error("E125", f"`{shown}` is not a single value", outcome.span)
    return NetError([explain(outcome, span.start, _table(), statement=False)])


def _moved(diagnostic: Diagnostic, source: Source) -> Diagnostic:
    """A diagnostic of a part of a text, with places in all of it."""

    def moved(span: Span) -> Span:
        return Span(source, span.start, span.end)

    also = tuple(Pointer(moved(pointer.span), pointer.text) for pointer in diagnostic.also)
    return replace(diagnostic, span=diagnostic.span and moved(diagnostic.span), also=also)


def _read(
    source: Source,
    start: int,
    rule: StartRule,
    most: int = MAX_TOKENS,
    *,
    whole: Source | None = None,
) -> "tuple[Any, list[Token]] | Outcome":
    """What a text is from `start` on, with spans in `whole`, and its tokens, or what is wrong."""
    far = beyond(source.text, most)
    if far is not None:
        return too_much(source, far, f"{most:_} tokens")
    builder, parser = _parser()
    builder.begin(whole or source)
    try:
        return parser.parse(source, start, rule, most)
    except NetError as failure:
        return failure
    except TooMuchError as failure:
        return too_much(source, failure.start, f"{most:_} tokens")
    finally:
        builder.begin(Source("", ""))


def _attempt(source: Source, start: int, most: int) -> "Module | Outcome":
    """The tree of a text from `start` on, or what goes wrong first."""
    outcome = _read(source, start, "start", most)
    if not isinstance(outcome, tuple):
        return outcome
    statements, tokens = outcome
    comments = tuple([_comment(source, token) for token in tokens if token.type == "COMMENT"])
    return Module(source, statements, comments, tuple(tokens))


def _comment(source: Source, token: Token) -> Comment:
    text, start = token.value.rstrip(), token.start_pos
    line_start = source.text.rfind("\n", 0, start) + 1
    own_line = not source.text[line_start:start].strip()
    return Comment(text, own_line, span=Span(source, start, start + len(text)))


def _wrong(source: Source, start: int, most: int = MAX_TOKENS) -> "Outcome | None":
    """What goes wrong first in the text from `start` on, if anything does."""
    outcome = _attempt(source, start, most)
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
def _table() -> "ExampleTable":
    """The table of syntax errors; it is built when the first one is met."""
    from ..syntax_failures.syntax_errors import build_table  # for refusals only

    return build_table(_wrong)


def _read_hole(span: Span) -> Expression:
    """Parse a computed part of a string, within the parse of its program.

    Raises:
        NetError: Its first syntax error.
    """
    if not span.text.strip():
        raise error("E011", "nothing stands between the braces", span, label="expected a value")
    outcome = _parser()[1].parse(span.source, span.start, "setting", MAX_STRING, end=span.end)
    if not isinstance(outcome, tuple):
        raise _no_setting(span, outcome)
    value: Expression | MapOf = outcome[0]
    if isinstance(value, MapOf):
        raise error("E011", "a map cannot be part of a string", span)
    check_expression(value)
    return value


@cache
def _parser() -> tuple[TreeBuilder, Parser]:
    builder = TreeBuilder(_read_hole)
    return builder, Parser(builder)
