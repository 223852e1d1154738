"""Help that is an edit: what it says to write, where the program then has fewer errors."""

import re
from collections.abc import Iterator, Sequence
from time import perf_counter

from lsprotocol.types import CodeAction, CodeActionKind, Range, TextEdit, WorkspaceEdit
from lsprotocol.types import Diagnostic as Shown

from ..grammar import ast
from ..grammar.diagnostics import Diagnostic
from ..grammar.source import Span
from .document import Document, walk
from .places import offset_of, range_of

_QUOTED = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"\w+(?=\s*[=(])")  # a keyword, or what is called
_OF_SYNTAX = ("E01", "E02")
PATIENCE = 0.5  # seconds for changes that are tried, each of which is compiled


def quick_fixes(
    document: Document, uri: str, at: Range, shown: Sequence[Shown]
) -> list[CodeAction]:
    """The remedies of the diagnostics that touch a part of the text."""
    start, end = offset_of(document.source, at.start), offset_of(document.source, at.end)
    actions: list[CodeAction] = []
    for each in document.diagnostics:
        span = each.span
        if span is None or span.start > end or span.end < start:
            continue
        matching = [one for one in shown if one.code == each.code and one.range == range_of(span)]
        for place, text in _remedies(document, each):
            edit = WorkspaceEdit(changes={uri: [TextEdit(range_of(place), text)]})
            title = f"Write `{text}`" if text.strip() else "Remove this"
            actions.append(
                CodeAction(
                    title,
                    kind=CodeActionKind.QuickFix,
                    diagnostics=matching,
                    edit=edit,
                    is_preferred=not actions,
                )
            )
    return actions


def _remedies(document: Document, diagnostic: Diagnostic) -> Iterator[tuple[Span, str]]:
    """The changes that a help names and that leave fewer findings."""
    texts = _QUOTED.findall(diagnostic.help or "")
    before = _weight(document.diagnostics)
    end = perf_counter() + PATIENCE
    for text in dict.fromkeys(texts):
        for place in _places(document, diagnostic):
            if perf_counter() > end:
                return
            if place.text == text:
                continue
            source = document.source
            changed = source.text[: place.start] + text + source.text[place.end :]
            after = document.changed(changed).diagnostics
            if _weight(after) < before:
                yield Span(source, place.start, place.end), text
                break


def _weight(found: Sequence[Diagnostic]) -> tuple[int, int, int]:
    """How bad findings are: syntax errors, which hide others, then errors, then warnings."""
    errors = [each for each in found if each.severity == "error"]
    syntax = sum(each.code.startswith(_OF_SYNTAX) for each in errors)
    return syntax, len(errors), len(found) - len(errors)


def _places(document: Document, diagnostic: Diagnostic) -> Iterator[Span]:
    """What a remedy may stand for: what is blamed, and the expressions and steps around it."""
    blamed = diagnostic.span
    if blamed is None:
        return
    yield blamed
    word = _WORD.match(blamed.text)
    if word is not None:
        yield Span(blamed.source, blamed.start, blamed.start + word.end())
    around: list[Span] = []

    def visit(syntax: ast.Syntax) -> None:
        span = syntax.span
        if span.start <= blamed.start and blamed.end <= span.end:
            around.append(Span(blamed.source, span.start, span.end))

    if document.module is not None:
        walk(document.module.statements, visit)
    yield from dict.fromkeys(sorted(around, key=lambda span: span.end - span.start)[:6])
