"""Where a name is given, where it is used, and what changes when it gets another."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from lsprotocol.types import Location, Position, TextEdit, WorkspaceEdit

from ..compiler.expressions.evaluate import Function, Namespace
from ..grammar.lexing.lexer import keywords
from ..grammar.source import Source, Span
from .document import Document
from .names import Use
from .places import offset_of, range_of

ALONE: Mapping[str, Document] = MappingProxyType({})


def uri_of(source: Source, document: Document, uri: str) -> str:
    """The address of a text: that of the open one, or of a file."""
    is_open = source.name == document.source.name
    return uri if is_open else Path(os.path.realpath(source.name)).as_uri()


def definition(document: Document, uri: str, place: Position) -> Location | None:
    """Where the name at a place is given, in this file or in one that it imports."""
    offset = offset_of(document.source, place)
    names = document.names
    if names is None:
        return None
    found = names.at(offset)
    defined = names.defined(found) if isinstance(found, Use) else found
    imported = _imported(document, found) if isinstance(found, Use) else None
    if imported is None and defined is None:
        return None
    span = imported or defined.span  # type: ignore[union-attr]  # one of them is there
    return Location(uri_of(span.source, document, uri), range_of(span))


def _imported(document: Document, use: Use) -> Span | None:
    """Where another file gives a name."""
    home = document.compiled.home
    block = home.blocks.get(use.name)
    span = block.statement.name_span if block is not None else home.places.get(use.name)
    first, dot, member = use.name.partition(".")
    namespace = home.lets.get(first)
    if span is None and dot and isinstance(namespace, Namespace):
        value = namespace.values.get(member)
        span = value.statement.name_span if isinstance(value, Function) else None
    return None if span is None or span.source.name == document.source.name else span


def references(
    document: Document,
    uri: str,
    place: Position,
    *,
    with_definition: bool,
    others: Mapping[str, Document] = ALONE,
) -> list[Location]:
    """Where the name at a place is used in this file, and in others that are open."""
    here = _places(document, place, with_definition=with_definition)
    found = {uri: here, **_elsewhere(document, place, others)}
    return [Location(each, range_of(span)) for each, spans in found.items() for span in spans]


def _elsewhere(
    document: Document, place: Position, others: Mapping[str, Document]
) -> dict[str, list[Span]]:
    """Where other open files use a name that this one gives and they import."""
    names = document.names
    defined = None if names is None else names.definition_at(offset_of(document.source, place))
    if defined is None:
        return {}
    here, start = os.path.realpath(document.source.name), defined.span.start
    found: dict[str, list[Span]] = {}
    for uri, other in others.items():
        for use in () if other is document or other.names is None else other.names.uses:
            span = _imported(other, use) if use.block is None else None
            if span is None or span.start != start or os.path.realpath(span.source.name) != here:
                continue
            own = use.span.end - len(use.name.rpartition(".")[2])  # without the import's name
            found.setdefault(uri, []).append(Span(use.span.source, own, use.span.end))
    return found


def _places(document: Document, place: Position, *, with_definition: bool = True) -> Sequence[Span]:
    names = document.names
    if names is None:
        return []
    defined = names.definition_at(offset_of(document.source, place))
    if defined is None:
        return []
    uses = [use.span for use in names.uses_of(defined)]
    return [*([defined.span] if with_definition else []), *uses]


def renamed(document: Document, place: Position) -> Span | None:
    """The text of the name at a place, where this file gives it and it may change."""
    names = document.names
    if names is None:
        return None
    found = names.at(offset_of(document.source, place))
    defined = names.defined(found) if isinstance(found, Use) else found
    return found.span if found is not None and defined is not None else None


class NotRenamed(Exception):
    """Why a name cannot be given; its text is for the author."""


def rename(
    document: Document,
    uri: str,
    place: Position,
    name: str,
    others: Mapping[str, Document] = ALONE,
) -> WorkspaceEdit:
    """The changes that give another name to what a place names, wherever it is used.

    Other files that import it are changed where they are open.

    Raises:
        NotRenamed: It cannot be called so, or the program then says something else.
    """
    if renamed(document, place) is None:
        raise NotRenamed("this file gives no name here")
    if not all(part.isidentifier() or part.isdigit() for part in name.split(".")):
        raise NotRenamed(f"`{name}` is not a name")
    if name in keywords():
        raise NotRenamed(f"`{name}` is a word of the language")
    names = document.names
    offset = offset_of(document.source, place)
    if names is not None and any(each.name == name for each in names.visible(offset)):
        raise NotRenamed(f"`{name}` is taken")
    spans = sorted(set(_places(document, place)), key=lambda span: span.start)
    text = document.source.text
    for span in reversed(spans):
        text = text[: span.start] + name + text[span.end :]
    before, after = document.diagnostics, document.changed(text).diagnostics
    worse = [each for each in after if each.severity == "error"]
    if len(worse) > sum(each.severity == "error" for each in before):
        raise NotRenamed(f"`{name}` does not fit: {worse[0].message}")
    changed = {uri: spans, **_elsewhere(document, place, others)}
    return WorkspaceEdit(
        changes={
            each: [TextEdit(range_of(span), name) for span in found]
            for each, found in changed.items()
        }
    )
